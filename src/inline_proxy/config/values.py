"""The marshmallow fields of the configuration: a value, a list, names, a part, an entry."""

from abc import abstractmethod
from collections.abc import Callable, Hashable, Sequence
from typing import Any, Final

from marshmallow import ValidationError, fields

from inline_proxy.config.faults import Refused, shown
from inline_proxy.config.schema import key_names, schema_of

_NOT_SHOWN: Final = "a value that is not shown"


def _is_path(value: object) -> bool:
    # Base64 of a private key never begins with a slash: DER begins with SEQUENCE, which is "M".
    return isinstance(value, str) and value.startswith("/")


class Reader(fields.Field):
    """A field that reads what stood in the file, and says what it would have taken."""

    def __init__(self, *, allowed: str, null: bool = False) -> None:
        super().__init__(allow_none=null)
        self.allowed = allowed
        self.error_messages["required"] = f"is missing; allowed: {allowed}"
        self.error_messages["null"] = f"has no value (found null); allowed: {allowed}"

    @abstractmethod
    def read(self, value: object) -> object:
        """The typed value; raises ValidationError."""

    def refusal(self, wrong: str, found: str) -> ValidationError:
        """The error that says what is wrong, what was found and what is allowed."""
        return ValidationError(f"{wrong} (found {found}); allowed: {self.allowed}")

    def _deserialize(self, value: Any, *_: object, **__: object) -> object:  # noqa: ANN401
        return self.read(value)


class Value(Reader):
    """One scalar, made typed by `parse`, which raises `Refused`.

    A `secret` may have been written where its file belongs: only a path is repeated in messages.
    """

    def __init__(
        self,
        parse: Callable[[object], object],
        *,
        wrong: str,
        allowed: str,
        null: bool = False,
        secret: bool = False,
    ) -> None:
        super().__init__(allowed=allowed, null=null)
        self.parse, self.wrong, self.secret = parse, wrong, secret

    def read(self, value: object) -> object:
        """The value as `parse` makes it."""
        try:
            return self.parse(value)
        except Refused as refused:
            found = _NOT_SHOWN if self.secret and not _is_path(value) else shown(value)
            raise self.refusal(refused.wrong or self.wrong, found) from None


class ListOf(Reader):
    """A list whose entries `inner` reads; the result is a tuple, or what `collect` makes of it."""

    def __init__(
        self,
        inner: Reader,
        *,
        allowed: str,
        at_least: int = 0,
        same: Callable[[Any], Hashable] | None = None,
        collect: Callable[[Sequence[Any]], object] = tuple,
    ) -> None:
        super().__init__(allowed=allowed)
        self.inner, self.at_least = inner, at_least
        self.same, self.collect = same, collect

    def read(self, value: object) -> object:
        """All entries; every faulty one is named, and every one that `same` finds repeated."""
        if not isinstance(value, list):
            raise self.refusal("is not a list", shown(value))
        if len(value) < self.at_least:
            raise self.refusal("has too few entries", shown(value))
        entries: dict[int, Any] = {}
        faults: dict[int, Any] = {}
        for index, raw in enumerate(value):
            try:
                entries[index] = self.inner.deserialize(raw)
            except ValidationError as error:
                faults[index] = error.messages
        faults |= self._repeated(entries)
        if faults:
            raise ValidationError(faults)
        return self.collect(list(entries.values()))

    def _repeated(self, entries: dict[int, Any]) -> dict[int, list[str]]:
        if self.same is None:
            return {}
        first: dict[Hashable, int] = {}
        return {
            index: [f"says the same as entry [{first[self.same(entry)]}]; remove one of them"]
            for index, entry in entries.items()
            if first.setdefault(self.same(entry), index) != index
        }


class NamesTo(Reader):
    """A mapping from names of the operator's choice to values that `inner` reads.

    `name` is a field that takes what may stand as a name; names that `same` makes equal are one
    name given twice.
    """

    def __init__(
        self,
        inner: Reader,
        *,
        allowed: str,
        name: "Value",
        same: Callable[[Any], Hashable] = lambda name: name,
    ) -> None:
        super().__init__(allowed=allowed)
        self.inner, self.names, self.same = inner, name, same

    def read(self, value: object) -> dict[Any, object]:
        """All entries; every faulty one is named, and every name that `same` finds repeated."""
        if not isinstance(value, dict):
            raise self.refusal("is not a mapping", shown(value))
        entries: dict[Any, object] = {}
        faults: dict[str, Any] = {}
        first: dict[Hashable, str] = {}
        for written in sorted(value):  # whatever their order in the file, one verdict
            try:
                name = self.names.read(written)
                self._check_new(name, written, first)
                entries[name] = self.inner.deserialize(value[written])
            except ValidationError as error:
                faults[written] = error.messages
        if faults:
            raise ValidationError(faults)
        return entries

    def _check_new(self, name: object, written: str, first: dict[Hashable, str]) -> None:
        other = first.setdefault(self.same(name), written)
        if other != written:
            raise ValidationError(f"is the same name as {shown(other)}; remove one of them")


class Part(Reader):
    """A mapping of known keys; a part with nothing under it (null) has all its defaults."""

    def __init__(self, part: type, *, allowed: str = "a mapping of the keys below") -> None:
        super().__init__(allowed=allowed)
        self.part = part

    def deserialize(self, value: Any, *rest: Any, **options: Any) -> Any:  # noqa: ANN401
        """Read null as the empty mapping: people comment out the last key of a part."""
        return super().deserialize({} if value is None else value, *rest, **options)

    def read(self, value: object) -> object:
        """The dataclass made of the mapping."""
        if not isinstance(value, dict):
            known = ", ".join(key_names(self.part))
            raise ValidationError(
                f"is not a mapping (found {shown(value)}); allowed: a mapping of {known}"
            )
        return schema_of(self.part).load(value)


class Entry(Part):
    """A part that may be written short: as the value of its key `short` alone."""

    def __init__(self, part: type, *, short: str, allowed: str) -> None:
        super().__init__(part, allowed=allowed)
        self.short = short

    def read(self, value: object) -> object:
        """The dataclass made of the mapping, or of the one value."""
        if isinstance(value, dict):
            return super().read(value)
        try:
            return schema_of(self.part).load({self.short: value})
        except ValidationError as error:
            raise ValidationError(error.messages_dict[self.short]) from None
