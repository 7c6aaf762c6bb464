"""What Kamailio logs, one line for each thing that it says, whatever messages have put into it.

Kamailio's own errors quote what could not be parsed as it came, line breaks too, before anybody
knows whether the sender is trusted. So its stderr is a socket that keeps apart what each process
writes at once, and this writes it on: on one line, in printable characters, of bounded length and
in bounded number.
"""

import contextlib
import json
import os
import re
import socket
import struct
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final, Self

from inline_proxy.number_mask import masked

LONGEST_LINE: Final = 4_000
"""Characters; of a longer one the beginning and the end are kept."""
MOST_LINES_PER_SECOND: Final = 50
"""Of Kamailio's own errors; a flood of malformed messages makes five lines of each."""
CONTINUED: Final = "| "
"""What a line begins with that may be the rest of the one before."""
SETTLE_S: Final = 0.04
"""How long lines gather before they are written on together: to wake up costs more than a line."""
MANY_LINES: Final = 100
"""After so many at once no time is left to gather more: the socket holds some 200, and whoever
finds it full waits, with every call that he has."""
MOST_AT_ONCE: Final = 1_000
"""Pieces that are taken before any is written on: a flood is seen while it lasts."""
_PIECE_BYTES: Final = 128
"""The C library writes a long line in pieces; of some multiple of this, in all its versions."""
_LONGEST_READ: Final = 16 * 1024
_LONGEST_BEGUN: Final = 64 * 1024
_CREDENTIALS: Final = struct.Struct("3i")
_ROOM_FOR_CREDENTIALS: Final = socket.CMSG_SPACE(_CREDENTIALS.size)
_OWN_ERROR: Final = re.compile(r" ?\d+\(\d+\) (?:ERROR|WARNING): \S+ \[\S+:\d+\]")
"""What a place in Kamailio's source complains of; the proxy's own lines name none."""


class Lines:
    """Makes whole lines of what each process has written, and of each line what may be shown."""

    def __init__(
        self, masks: Callable[[], bool], now: Callable[[], float] = time.monotonic
    ) -> None:
        self._masks = masks
        self._now = now
        self._begun: dict[int, bytes] = {}
        """The line that a process has not ended yet, by its id."""
        self._may_go_on: set[int] = set()
        """Processes whose last line may have been a piece of one."""
        self._second = 0
        self._errors = 0
        self._left_out = 0

    def take(self, process: int, piece: bytes) -> list[str]:
        """Take what a process has written at once; return the lines that are whole now."""
        text = self._begun.pop(process, b"") + piece
        if not piece.endswith(b"\n"):
            self._begun[process] = text[:_LONGEST_BEGUN]
            return []
        mark = CONTINUED if process in self._may_go_on else ""
        self._may_go_on.discard(process)
        if len(piece) % _PIECE_BYTES == 0:
            self._may_go_on.add(process)
        return self._shown(mark + text.decode(errors="replace").rstrip("\r\n"))

    def rest(self) -> list[str]:
        """Return what was begun and never ended, and what was left out."""
        begun, self._begun = self._begun.values(), {}
        lines = [_printable(CONTINUED + text.decode(errors="replace")) for text in begun]
        return [*lines, *self._told_what_was_left_out()]

    def _shown(self, line: str) -> list[str]:
        if not _OWN_ERROR.match(line.removeprefix(CONTINUED)):
            return [_printable(line)]
        told: list[str] = []
        if (second := int(self._now())) != self._second:
            told = self._told_what_was_left_out()
            self._second, self._errors = second, 0
        self._errors += 1
        if self._errors > MOST_LINES_PER_SECOND:
            self._left_out += 1
            return told
        return [*told, masked(_printable(line)) if self._masks() else _printable(line)]

    def _told_what_was_left_out(self) -> list[str]:
        left_out, self._left_out = self._left_out, 0
        return [f"{left_out} more errors of Kamailio's were left out here"] if left_out else []


def _printable(line: str) -> str:
    if len(line) > LONGEST_LINE:
        half = LONGEST_LINE // 2
        line = f"{line[:half]} ... {line[-half:]}"
    if line.isprintable():
        return line
    return "".join(each if each.isprintable() else _escaped(each) for each in line)


def _escaped(character: str) -> str:
    return {"\r": "\\r", "\n": "\\n", "\t": "\\t"}.get(character, "?")


class MaskSetting:
    """Whether numbers are hidden, as the policy says that the running Kamailio has."""

    def __init__(self, policy: Path) -> None:
        self._policy = policy
        self._read_at = 0
        self._masks = False

    def __call__(self) -> bool:
        """Read the policy again when it has changed; hide numbers while it cannot be read."""
        try:
            changed_at = self._policy.stat().st_mtime_ns
            if changed_at != self._read_at:
                self._masks = json.loads(self._policy.read_text())["log"]["mask_numbers"]
                self._read_at = changed_at
        except (OSError, ValueError, KeyError):
            return True
        return self._masks


class KamailioLog:
    """Carries what Kamailio says from a socket to a file, in a thread of its own."""

    def __init__(self, masks: Callable[[], bool], descriptor: int = 2) -> None:
        self._descriptor = descriptor
        self._lines = Lines(masks)
        self._reading, self._writing = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._reading.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        self._thread = threading.Thread(target=self._carry, name="kamailio-log", daemon=True)

    @classmethod
    def begin(cls, masks: Callable[[], bool], descriptor: int = 2) -> Self:
        """Open the socket and begin to read it."""
        log = cls(masks, descriptor)
        log.begin_to_carry()
        return log

    def begin_to_carry(self) -> None:
        """Start the thread that reads it."""
        self._thread.start()

    @property
    def written_to(self) -> int:
        """The end that Kamailio writes to."""
        return self._writing.fileno()

    def is_given(self) -> None:
        """Close this process's copy of that end, once Kamailio has its own."""
        self._writing.close()

    def end(self, patience_s: float) -> None:
        """Wait until everything is written on; whoever still holds the socket is not waited for."""
        self._thread.join(patience_s)
        if not self._thread.is_alive():
            self._reading.close()

    def _carry(self) -> None:
        is_open, were_many = True, False
        while is_open:
            lines: list[str] = []
            is_open = self._take(lines)
            if not were_many:
                time.sleep(SETTLE_S)
            is_open = is_open and self._gather(lines)
            were_many = len(lines) >= MANY_LINES
            self._write(lines)
        self._write(self._lines.rest())

    def _gather(self, lines: list[str]) -> bool:
        """Take what has come meanwhile, up to a bound; False at the end."""
        with contextlib.suppress(BlockingIOError):
            for _ in range(MOST_AT_ONCE):
                if not self._take(lines, socket.MSG_DONTWAIT):
                    return False
        return True

    def _take(self, lines: list[str], how: int = 0) -> bool:
        """Take one piece; False at the end, which nobody has written."""
        piece, about, _, _ = self._reading.recvmsg(_LONGEST_READ, _ROOM_FOR_CREDENTIALS, how)
        if not about:
            return False
        process, _, _ = _CREDENTIALS.unpack(about[0][2])
        lines += self._lines.take(process, piece)
        return True

    def _write(self, lines: list[str]) -> None:
        """Write lines on; a file that takes none any more must not hold Kamailio up."""
        text = "".join(f"{line}\n" for line in lines).encode(errors="replace")
        with contextlib.suppress(OSError):
            while text:
                text = text[os.write(self._descriptor, text) :]
