"""A network namespace of the test process's own: ports collide with nobody's, nothing leaks out."""

import ctypes
import os
import subprocess

CLONE_NEWNET = 0x40000000
"""From <sched.h>; Python has `os.unshare` only since 3.12."""


class NotRoot(RuntimeError):
    """The process may not make a network namespace."""


def enter_own_network() -> None:
    """Move the calling thread, and all it starts from now on, into a namespace with loopback only.

    Raises `NotRoot`, and `OSError` when the kernel refuses.
    """
    if os.geteuid() != 0:
        raise NotRoot("the call flows need root, to make a network namespace of their own")
    if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"unshare(CLONE_NEWNET): {os.strerror(number)}")
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)


def nft(text: str) -> None:
    """Change the packet filter of that namespace."""
    subprocess.run(["nft", "-f", "-"], input=text.encode(), check=True)
