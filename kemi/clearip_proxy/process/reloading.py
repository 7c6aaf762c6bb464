"""A policy that changes while Kamailio runs, at no cost to the calls.

Beside the policy lies a file of eight bytes, a counter that the operator's command advances once
it has replaced the policy. Every process of Kamailio has it mapped into its memory, so a look at
it is neither a system call nor a question to Kamailio. Whatever begins after that is decided by
the new policy.
"""

import mmap
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

GENERATION = "policy-generation"
"""The counter's file, in the byte order of the host."""


def generation(path: Path) -> Sequence[int]:
    """Return the counter as a sequence of one number that others change; raises `OSError`."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return memoryview(mmap.mmap(descriptor, 8, prot=mmap.PROT_READ)).cast("Q")
    finally:
        os.close(descriptor)


class Reloading:
    """Callbacks that are made anew from the policy when the counter has moved on.

    Kamailio asks for a callback by its name each time, so that is where to look.
    """

    def __init__(
        self,
        make: Callable[[], object],
        counter: Sequence[int],
        report: Callable[[Exception], None],
        quick: Sequence[str] = (),
    ) -> None:
        """`quick` are the names of the callbacks that each call has."""
        self._make = make
        self._counter = counter
        self._report = report
        self._seen = counter[0]
        self._callbacks = make()
        self._quick: dict[str, Callable[[object], int]] = dict.fromkeys(quick, _missing)
        for name in quick:
            setattr(self, name, self._entry(name))
        self._find_quick()

    def _entry(self, name: str) -> Callable[[object], int]:
        """Return what Kamailio finds by a name without a search, and without an exception."""
        counter, quick = self._counter, self._quick

        def entry(message: object) -> int:
            if counter[0] != self._seen:
                self._renew()
            return quick[name](message)

        return entry

    def _find_quick(self) -> None:
        for name in self._quick:
            self._quick[name] = getattr(self._callbacks, name)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - as the callbacks have it
        if self._counter[0] != self._seen:
            self._renew()
        return getattr(self._callbacks, name)

    def _renew(self) -> None:
        """Take the new policy; one that cannot be read leaves the old one in force, and is told."""
        self._seen = self._counter[0]
        try:
            self._callbacks = self._make()
            self._find_quick()
        except Exception as fault:  # noqa: BLE001 - an exception here would leave a caller unanswered
            self._report(fault)


def _missing(_message: object) -> int:
    raise AttributeError
