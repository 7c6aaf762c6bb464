"""The part `overload`: when new calls are refused, so that those that are taken succeed."""

from dataclasses import dataclass, field

from inline_proxy.config.key import key
from inline_proxy.config.scalars import number


@dataclass(frozen=True, slots=True)
class Overload:
    """How much the proxy takes from all sources together."""

    max_cps: int | None = field(
        default=None,
        metadata=key(
            number(1, 100_000, wrong="is not a limit", or_null="as many as it carries"),
            "How many calls may begin in a second, from all sources together; those above it are "
            "answered with a 503 at once, and every address that calls come from has a fair share "
            "of it. null: as many as the proxy carries, which it finds out by what waits in its "
            "UDP sockets. Emergency calls are always taken.",
            unit="calls per second",
            example="200",
        ),
    )
    memory_percent: int = field(
        default=80,
        metadata=key(
            number(1, 95, wrong="is not a limit"),
            "How much of the shared memory may be in use; above it each address may begin one "
            "call per second, until calls have ended.",
            unit="percent",
            example="70",
        ),
    )
