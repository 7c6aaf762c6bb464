"""The marshmallow schema of a part of the configuration, built from its dataclass."""

import difflib
from dataclasses import MISSING, Field, fields
from functools import cache
from typing import Any, ClassVar, Final

from marshmallow import RAISE, Schema, ValidationError, post_load
from marshmallow.fields import Field as MarshmallowField

from inline_proxy.config.key import key_of

_UNKNOWN: Final = "unknown key"


class PartSchema(Schema):
    """Reads one mapping of the file into the dataclass `part`; unknown keys are faults."""

    part: ClassVar[type]
    error_messages = {"unknown": _UNKNOWN}  # noqa: RUF012 - marshmallow declares it so

    class Meta:
        """Options that marshmallow reads."""

        unknown = RAISE

    @post_load
    def _into_part(self, values: dict[str, Any], **_: object) -> object:
        return self.part(**values)

    def handle_error(
        self,
        error: ValidationError,
        *_: object,
        **__: object,
    ) -> None:
        """Name the nearest known key where one is unknown."""
        for name, messages in error.messages_dict.items():
            if messages == [_UNKNOWN]:
                error.messages_dict[name] = [f"{_UNKNOWN}; {self._suggestion(str(name))}"]

    def _suggestion(self, name: str) -> str:
        known = key_names(self.part)
        nearest = difflib.get_close_matches(name.lower(), known, n=1)
        if nearest:
            return f"did you mean {nearest[0]}?"
        return f"allowed: {', '.join(known)}"


@cache
def schema_of(part: type) -> PartSchema:
    """The schema that loads a mapping into `part`, a dataclass whose fields carry `key(...)`."""
    declared: dict[str, MarshmallowField] = {}
    for field in fields(part):
        declared[field.name] = key_of(field).field
        declared[field.name].required = _has_no_default(field)
    schema = PartSchema.from_dict(declared, name=f"{part.__name__}Schema")
    schema.part = part  # type: ignore[attr-defined]
    return schema()  # type: ignore[return-value]


def key_names(part: type) -> list[str]:
    """The keys of a part, in the order of their declaration."""
    return [field.name for field in fields(part)]


def _has_no_default(field: "Field[Any]") -> bool:
    return field.default is MISSING and field.default_factory is MISSING
