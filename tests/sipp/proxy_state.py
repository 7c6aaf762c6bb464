"""What the processes of a proxy are doing, for the report of a test in which it did not answer."""

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psutil

STACKS_S = 10
"""What the debugger may take for one process."""
IN_PROC = ("wchan", "syscall", "stack", "sched")
SOCKETS = ("udp", "udp6")


def state_of(process_id: int, port: int) -> str:
    """Describe all processes below a command, and who holds its UDP port; never raises."""
    try:
        processes = psutil.Process(process_id).children(recursive=True)
    except psutil.NoSuchProcess:
        return "the proxy has ended"
    parts = [*_sockets(port), *(_of_process(each) for each in processes)]
    return "\n".join(parts)


def _sockets(port: int) -> Iterator[str]:
    """Yield each line of the kernel's that names the port: what waits to be read stands there."""
    for name in SOCKETS:
        for line in Path(f"/proc/self/net/{name}").read_text().splitlines():
            if f":{port:04X} " in line or "local_address" in line:
                yield f"{name}: {line.strip()}"
    if shutil.which("ss"):
        asked = ["ss", "-anump", f"sport = :{port}"]
        yield subprocess.run(asked, capture_output=True, text=True, check=False).stdout


def _of_process(process: psutil.Process) -> str:
    try:
        about = [f"--- {process.pid} {' '.join(process.cmdline()[:6])} ({process.status()})"]
    except psutil.Error:
        return f"--- {process.pid} has ended"
    about += [f"{name}: {_read(Path(f'/proc/{process.pid}/{name}'))}" for name in IN_PROC]
    return "\n".join([*about, _stacks(process.pid)])


def _read(path: Path) -> str:
    try:
        return "\n".join(path.read_text().strip().splitlines()[:8])
    except OSError as error:
        return str(error)


def _stacks(pid: int) -> str:
    """Return the stacks of a process, where this machine has a debugger."""
    if not shutil.which("gdb"):
        return "(no gdb on this machine)"
    asked = ["gdb", "--batch", "--nx", "-p", str(pid), "-ex", "bt 30"]
    try:
        said = subprocess.run(asked, capture_output=True, text=True, check=False, timeout=STACKS_S)
    except subprocess.TimeoutExpired:
        return "(gdb took too long)"
    return "\n".join(line for line in said.stdout.splitlines() if line.startswith("#"))
