"""The part `log`: what logs and call records hold."""

from dataclasses import dataclass, field

from inline_proxy.config.key import key
from inline_proxy.config.scalars import yes_or_no


@dataclass(frozen=True, slots=True)
class Log:
    """What logs and call records hold."""

    mask_numbers: bool = field(
        default=False,
        metadata=key(
            yes_or_no(),
            "Whether the last six digits of every telephone number are replaced by x in logs and "
            "call records. Call-IDs stay as the switches made them: all else is found by them.",
            example="true",
        ),
    )
