"""A thread that sees another /etc/resolv.conf; so does whatever it starts."""

import ctypes
import os
import subprocess
from collections.abc import Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

CLONE_NEWNS = 0x00020000
"""From <sched.h>; Python has `os.unshare` only since 3.12."""


@contextmanager
def thread_that_asks(name_server: str, directory: Path) -> Iterator[Executor]:
    """Give a thread in a mount namespace of its own, where names are asked of one server."""
    file = directory / "resolv.conf"
    file.write_text(f"nameserver {name_server}\n")
    with ThreadPoolExecutor(1, "own-mounts", _enter_own_mounts, (file,)) as thread:
        yield thread


def _enter_own_mounts(resolv_conf: Path) -> None:
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNS) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"unshare(CLONE_NEWNS): {os.strerror(number)}")
    subprocess.run(["mount", "--make-rprivate", "/"], check=True)
    subprocess.run(["mount", "--bind", str(resolv_conf), "/etc/resolv.conf"], check=True)
