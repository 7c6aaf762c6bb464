"""The text of a configuration file as plain values, with the line that each stands on."""

from dataclasses import dataclass, field
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from inline_proxy.config.faults import ConfigInvalid, Fault, Keys, shown

# Aliases of aliases make a small file vast; a configuration of thousands of entries stays below.
_MOST_VALUES: Final = 100_000
_TAG: Final = "tag:yaml.org,2002:"
_CONSTRUCTED_TAGS: Final = frozenset(_TAG + name for name in ("null", "bool", "int", "float"))
_PLAIN_TAGS: Final = _CONSTRUCTED_TAGS | frozenset(
    _TAG + name for name in ("str", "timestamp", "merge", "value", "map", "seq")
)


@dataclass(slots=True)
class Source:
    """What stood in the file: `data` of dict, list and scalars, every mapping key a string."""

    data: Any = None
    lines: dict[Keys, int] = field(default_factory=dict)

    def line_of(self, keys: Keys) -> int | None:
        """The line of the value, or of the nearest thing round it that stands in the file."""
        for length in range(len(keys), 0, -1):
            if keys[:length] in self.lines:
                return self.lines[keys[:length]]
        return None


def read_source(text: str) -> Source:
    """Read one YAML 1.2 document; raises `ConfigInvalid` for syntax and for duplicate keys."""
    yaml = YAML(typ="safe", pure=True)
    try:
        node = yaml.compose(text)
        reading = _Reading(yaml)
        data = {} if node is None else reading.value(node, ())
    except MarkedYAMLError as error:
        raise ConfigInvalid((_syntax_fault(error),)) from None
    except YAMLError:
        raise ConfigInvalid((Fault((), "is not YAML: a character that no text has"),)) from None
    except RecursionError:
        raise ConfigInvalid((Fault((), "is nested too deeply, or within itself"),)) from None
    if reading.faults:
        raise ConfigInvalid(tuple(reading.faults))
    return Source(data, reading.lines)


def _syntax_fault(error: MarkedYAMLError) -> Fault:
    mark = error.problem_mark or error.context_mark
    place = "" if mark is None else f"line {mark.line + 1}, column {mark.column + 1}: "
    # The mark also has the lines round it, which may hold what nobody should see.
    return Fault((), f"is not YAML: {place}{error.problem or error.context}")


class _Reading:
    """One walk over the nodes of a document."""

    def __init__(self, yaml: YAML) -> None:
        self._yaml = yaml
        self._values = 0
        self.lines: dict[Keys, int] = {}
        self.faults: list[Fault] = []

    def value(self, node: Node, keys: Keys) -> Any:  # noqa: ANN401 - whatever YAML holds
        """The plain value of a node that stands at `keys`."""
        self._values += 1
        if self._values > _MOST_VALUES:
            raise RecursionError
        if node.tag not in _PLAIN_TAGS:
            self._fault(node, keys, f"has the tag {shown(str(node.tag))}; write the value without")
            return None
        if isinstance(node, MappingNode):
            return self._mapping(node, keys)
        if isinstance(node, SequenceNode):
            return self._list(node, keys)
        return self._scalar(node)

    def _mapping(self, node: MappingNode, keys: Keys) -> dict[str, Any]:
        entries: dict[str, Any] = {}
        for name_node, value_node in node.value:
            if not isinstance(name_node, ScalarNode):
                self._fault(name_node, keys, "has a key that is not a text")
                continue
            name = str(name_node.value)
            here = (*keys, name)
            if name in entries:
                self._fault(name_node, here, f"stands twice, first in line {self.lines[here]}")
                continue
            self.lines[here] = name_node.start_mark.line + 1
            entries[name] = self.value(value_node, here)
        return entries

    def _list(self, node: SequenceNode, keys: Keys) -> list[Any]:
        entries = []
        for index, entry in enumerate(node.value):
            self.lines[(*keys, index)] = entry.start_mark.line + 1
            entries.append(self.value(entry, (*keys, index)))
        return entries

    def _scalar(self, node: Node) -> Any:  # noqa: ANN401 - a date or "=" stays the text it is
        if node.tag not in _CONSTRUCTED_TAGS:
            return str(node.value)
        try:
            return self._yaml.constructor.construct_object(node)
        except ValueError:  # more digits than Python turns into a number
            return str(node.value)

    def _fault(self, node: Node, keys: Keys, message: str) -> None:
        self.faults.append(Fault(keys, message, node.start_mark.line + 1))
