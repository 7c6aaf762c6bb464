"""The part `records`: one line for each call attempt, and what is counted from them."""

from dataclasses import dataclass, field

from inline_proxy.config.key import key
from inline_proxy.config.scalars import number, yes_or_no


@dataclass(frozen=True, slots=True)
class Records:
    """Whether records are kept of calls, and how many."""

    enabled: bool = field(
        default=True,
        metadata=key(
            yes_or_no(),
            "Whether a line is written for each call attempt. Without them there are no metrics of "
            "calls either.",
            example="false",
        ),
    )
    rotate_mb: int = field(
        default=100,
        metadata=key(
            number(1, 10_000, wrong="is not a size"),
            "How large `calls.jsonl` may grow before a new one is begun.",
            unit="megabytes",
            example="500",
        ),
    )
    keep_files: int = field(
        default=10,
        metadata=key(
            number(1, 1_000, wrong="is not a number of files"),
            "How many files are kept: `calls.jsonl`, and `calls.jsonl.1` to the oldest.",
            unit="files",
            example="30",
        ),
    )
