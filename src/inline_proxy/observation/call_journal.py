"""One entry in systemd's journal for each decided call attempt, with fields to search by.

The native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL): a datagram of `NAME=value` lines.
`journalctl -u inline-proxy DISPOSITION=blocked` finds calls by them.
"""

import asyncio
import os
import socket
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final, Self

from inline_proxy.kamailio_rpc import KamailioRpc, KamailioUnreachable, RpcRefused
from inline_proxy.log_level import LogLevel, current_level
from inline_proxy.observation.call_record import Record

JOURNAL: Final = Path("/run/systemd/journal/socket")
SERVICES_STREAM: Final = "JOURNAL_STREAM"
"""What systemd sets for a service whose output is the journal (systemd.exec(5))."""
NOTICE: Final = 5
MOST_PER_S: Final = 200
LEVEL_INTERVAL_S: Final = 5.0


class CallJournal:
    """Writes entries; never waits, and never fails anybody."""

    def __init__(
        self, journal: Path = JOURNAL, clock_s: Callable[[], float] = time.monotonic
    ) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._address = str(journal)
        self._clock_s = clock_s
        self._second, self._written, self._left_out = -1, 0, 0
        self.level = int(LogLevel.NOTICE)

    @classmethod
    def here(cls, environment: Mapping[str, str] = os.environ) -> Self | None:
        """Return the journal where this process is part of a service that logs to it."""
        return cls() if SERVICES_STREAM in environment else None

    def close(self) -> None:
        """Write no more."""
        self._socket.close()

    def takes_more(self) -> bool:
        """Tell whether one more call attempt may be told of; one that may not is counted."""
        if self.level < LogLevel.NOTICE:
            return False
        second = int(self._clock_s())
        if second != self._second:
            self._begin(second)
        if self._written >= MOST_PER_S:
            self._left_out += 1
            return False
        return True

    def decided(self, record: Record) -> None:
        """Tell of a call attempt that has its final response, as far as the rate allows."""
        if self.takes_more():
            self._written += 1
            self._send(fields_of(record))

    def _begin(self, second: int) -> None:
        left_out, self._left_out = self._left_out, 0
        self._second, self._written = second, 0
        if left_out:
            text = f"{left_out} more calls in one second; the records have them"
            self._send({"MESSAGE": text, "CALLS_LEFT_OUT": str(left_out)})

    def _send(self, fields: Mapping[str, str]) -> None:
        try:
            self._socket.sendto(entry(fields), self._address)
        except OSError:  # a journal that is busy, or starts anew: the record has it all
            self._left_out += 1


async def follow_level(journal: CallJournal, kamailio: KamailioRpc) -> None:
    """Write no entries while Kamailio logs no decisions either; runs until it is canceled."""
    while True:
        try:
            journal.level = await asyncio.to_thread(current_level, kamailio)
        except (KamailioUnreachable, RpcRefused):
            journal.level = LogLevel.NOTICE
        await asyncio.sleep(LEVEL_INTERVAL_S)


def fields_of(record: Record) -> dict[str, str]:
    """Return the fields of an entry; what the record does not know has none."""
    asked = record["clearip"][-1] if record["clearip"] else {}
    fields = {
        "CALL_ID": record["call_id"],
        "SOURCE": record["source"],
        "SOURCE_ADDRESS": record["source_address"],
        "CALLER": record["from"],
        "CALLED": record["to"],
        "DISPOSITION": record["disposition"],
        "STATUS": record["status"],
        "MILLISECONDS": record["setup_ms"],
        "CLEARIP_SITE": asked.get("site"),
        "CLEARIP_STATUS": asked.get("status"),
        "CLEARIP_MILLISECONDS": asked.get("latency_ms"),
        "ATTEMPTS": len(record["attempts"]),
        "RECORD_ID": record["id"],
    }
    text = (
        f"{record['call_id']}: {record['from']} > {record['to']} {record['disposition']} "
        f"{record['status'] or '-'} {record['phrase']} in {record['setup_ms']} ms"
    )
    known = {name: str(value) for name, value in fields.items() if value is not None}
    return {"MESSAGE": "".join(c if c.isprintable() else "?" for c in text), **known}


def entry(fields: Mapping[str, str]) -> bytes:
    """Return the datagram of an entry; a value with line ends goes with its length."""
    every = {"PRIORITY": str(NOTICE), "SYSLOG_IDENTIFIER": "inline-proxy", **fields}
    return b"".join(_field(name, value.encode(errors="replace")) for name, value in every.items())


def _field(name: str, value: bytes) -> bytes:
    if b"\n" in value:
        return name.encode() + b"\n" + len(value).to_bytes(8, "little") + value + b"\n"
    return name.encode() + b"=" + value + b"\n"
