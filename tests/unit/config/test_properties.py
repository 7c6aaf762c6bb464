"""Whatever stands in a file, the answer is a configuration or a list of faults."""

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from inline_proxy.config import ConfigInvalid, ProxyConfig, parse_config
from unit.config.reading import declared_keys

KEY_NAMES = sorted(
    {name for key in declared_keys() for name in key.path.replace("[]", "").split(".")}
)
TELLING_TEXTS = [
    "all",
    "system",
    "sip:a.example",
    "[::1]:80",
    "10.0.0.0/8",
    "5xx",
    "/dev/null",
    "_schema",
]

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(0, 70000)
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(TELLING_TEXTS)
)
names = st.sampled_from(KEY_NAMES) | st.text(max_size=5) | st.just("_schema")
values = st.recursive(
    scalars,
    lambda below: st.lists(below, max_size=4) | st.dictionaries(names, below, max_size=6),
    max_leaves=12,
)


def parts() -> st.SearchStrategy[dict[str, object]]:
    """Mappings that look like a configuration more often than chance would have it."""
    by_part: dict[str, list[str]] = {}
    for key in declared_keys():
        above, _, name = key.path.rpartition(".")
        by_part.setdefault(above, []).append(name)
    return st.fixed_dictionaries(
        {},
        optional={
            name: st.dictionaries(st.sampled_from(by_part.get(name, ["x"])), values, max_size=4)
            | values
            for name in by_part[""]
        },
    )


def judged(text: str) -> ProxyConfig | tuple[str, ...]:
    """The configuration, or its faults as they are printed."""
    try:
        return parse_config(text)
    except ConfigInvalid as invalid:
        return tuple(str(fault) for fault in invalid.faults)


def holds(verdict: ProxyConfig | tuple[str, ...]) -> bool:
    """Whether it is a configuration, or at least one fault, each on one printable line."""
    if isinstance(verdict, ProxyConfig):
        return True
    return bool(verdict) and all(fault.isprintable() and ": " in fault for fault in verdict)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(parts() | st.dictionaries(names, values, max_size=6))
def test_any_mapping_is_a_configuration_or_has_faults(mapping: dict[str, object]) -> None:
    """JSON is YAML, so it serves to write any mapping."""
    assert holds(judged(json.dumps(mapping)))


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60) | st.text(alphabet="ab:[]{}-?&*!|>'\"%@#, \n\t", max_size=60))
def test_any_text_is_a_configuration_or_has_faults(text: str) -> None:
    """Also what is no YAML at all."""
    assert holds(judged(text))


@settings(max_examples=100, deadline=None)
@given(parts())
def test_verdict_does_not_depend_on_the_order_of_keys(mapping: dict[str, object]) -> None:
    """The same faults, whatever comes first in the file."""
    turned = dict(reversed(mapping.items()))

    def paths(verdict: ProxyConfig | tuple[str, ...]) -> object:
        if isinstance(verdict, ProxyConfig):
            return verdict
        return sorted(fault.partition(" [line ")[0] for fault in verdict)

    assert paths(judged(json.dumps(mapping))) == paths(judged(json.dumps(turned)))
