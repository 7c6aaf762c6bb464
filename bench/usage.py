"""What processes have used: processor time and memory, as the kernel counts them."""

from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True, slots=True)
class Usage:
    """What a proxy has used since it started."""

    cpu_s: float
    """User and system time of all its processes."""
    private_bytes: int
    """What its processes hold that no file stands behind; what they share counts once."""
    shared_bytes: int
    """What its calls occupy of Kamailio's shared memory."""
    descriptors: int


def cpu_s(processes: Iterable[psutil.Process]) -> float:
    """Return what processes have used, to the nanosecond.

    From the scheduler's own account: in /proc/PID/stat each of two dozen processes is rounded
    to hundredths of a second.
    """
    return sum(_on_processor_ns(process.pid) for process in processes) / 1e9


def _on_processor_ns(pid: int) -> int:
    total = 0
    for thread in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        with suppress(OSError):  # a thread that has just ended
            total += int(thread.read_text().split()[0])
    return total


def _anonymous_bytes(pid: int) -> int:
    """Return a process's part of anonymous memory; files of events that it has mapped are none."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    (kilobytes,) = (line.split()[1] for line in lines if line.startswith("Pss_Anon:"))
    return int(kilobytes) * 1024


def usage(processes: Iterable[psutil.Process], shared_memory: dict[str, str]) -> Usage:
    """Take everything together; `shared_memory` is what `core.shmmem` says."""
    those = list(processes)
    return Usage(
        cpu_s(those),
        sum(_anonymous_bytes(process.pid) for process in those),
        int(shared_memory["used"]),
        sum(process.num_fds() for process in those),
    )
