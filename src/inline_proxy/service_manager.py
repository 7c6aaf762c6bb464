"""What systemd is told by the service: that it is up, and that it still is (sd_notify(3))."""

import os
import socket
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Self

MICROSECONDS = 1_000_000


@dataclass(frozen=True, slots=True)
class ServiceManager:
    """Where systemd listens, if it has started this process as a service."""

    address: str | None = None
    watchdog_s: float | None = None
    """How long it waits for a sign of life; None: it does not wait for any."""

    @classmethod
    def here(cls, environment: Mapping[str, str] = os.environ) -> Self:
        """Read what systemd has put into the environment."""
        watchdog_us = environment.get("WATCHDOG_USEC")
        return cls(
            environment.get("NOTIFY_SOCKET"),
            None if watchdog_us is None else int(watchdog_us) / MICROSECONDS,
        )

    def say_ready(self) -> None:
        """Say that every listener answers."""
        self._say(b"READY=1")

    def say_alive(self, *, if_: bool) -> None:
        """Say that the service answers, or nothing: then systemd starts it again."""
        if if_:
            self._say(b"WATCHDOG=1")

    def _say(self, state: bytes) -> None:
        if self.address is None:
            return
        # A name that begins with @ stands for an abstract one, which begins with NUL.
        address = self.address.replace("@", "\0", 1) if self.address[0] == "@" else self.address
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices:
            notices.sendto(state, address)
