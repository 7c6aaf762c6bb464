"""Letting a call wait while another process finds something out for it.

Whoever goes on with a suspended call holds the lock of its transaction. A CANCEL, or a timer,
waits for that lock in a process that other calls need. So nothing may take long from then on:
what takes long is a task without a call, and hands the call back when it is done.
"""

import json
from typing import Any, NamedTuple

from clearip_proxy.ksr.port import KsrPort, async_tasks

WORKER_PATIENCE_MS = 2_000
"""After that long past its time, a call that no worker has handed back goes on by itself."""
_INT_RANGE = 1 << 32


class Suspended(NamedTuple):
    """A transaction that waits, as tm finds it again."""

    entry: int
    label: int


class KsrSuspension:
    """Suspends calls, and goes on with them."""

    def __init__(self, ksr: KsrPort) -> None:
        self._ksr = ksr

    def suspend(self) -> Suspended:
        """Let the call of the running callback wait; whatever happens, it must be resumed.

        Kamailio does not suspend a call that is canceled, and does not say so.
        """
        self._ksr.tmx.t_suspend()
        return self.this_call()

    def this_call(self) -> Suspended:
        """Return the call of the running callback."""
        return Suspended(self._number("$T(id_index)"), self._number("$T(id_label)"))

    def start_task(
        self, callback: str, call: Suspended, question: tuple[Any, ...], group: str = ""
    ) -> bool:
        """Have a worker, of a group, run a callback without a call; False when none takes it."""
        tasks, text = async_tasks(self._ksr), json.dumps((call, question))
        if group:
            return tasks.task_group_data(callback, group, text) > 0
        return tasks.task_data(callback, text) > 0

    def task(self) -> tuple[Suspended, list[Any]]:
        """Return, in such a callback, the call that waits and what it asks."""
        call, question = json.loads(str(async_tasks(self._ksr).get_data()))
        return Suspended(*call), question

    def resume(self, call: Suspended, callback: str) -> None:
        """Go on with a call, in a callback; nothing happens when it has ended meanwhile."""
        self._ksr.tmx.t_continue(call.entry, call.label, callback)

    def _number(self, name: str) -> int:
        """Return a number of 32 bits as tm's own functions take it: with a sign."""
        number = int(self._ksr.pv.get(name) or 0)
        return (number + _INT_RANGE // 2) % _INT_RANGE - _INT_RANGE // 2
