"""The part of the stand-in for `KSR` that lets calls wait."""

# ruff: noqa: D102 - the shapes are Kamailio's, described in ksr.port

from dataclasses import dataclass
from typing import Protocol


class Recorder(Protocol):
    """The stand-in itself."""

    task: str

    def does(self, *call: str | int) -> int: ...


@dataclass
class FakeAsyncTasks:
    """`KSR.async`, with one task at a time."""

    ksr: Recorder

    def task_group_data(self, callback: str, group: str, data: str, /) -> int:
        self.ksr.task = data
        return self.ksr.does("task_group_data", callback, group)

    def task_data(self, callback: str, data: str, /) -> int:
        self.ksr.task = data
        return self.ksr.does("task_data", callback)

    def get_data(self) -> str | int | None:
        return self.ksr.task or None


@dataclass
class FakeSuspendedTransactions:
    """`KSR.tmx`."""

    ksr: Recorder

    def t_suspend(self) -> int:
        return self.ksr.does("t_suspend")

    def t_continue(self, entry: int, label: int, callback: str, /) -> int:
        return self.ksr.does("t_continue", entry, label, callback)
