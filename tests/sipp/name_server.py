"""A name server that takes every question, and answers only what the test has told it."""

import socket
import struct
import threading
from pathlib import Path
from typing import Self

ADDRESS = "127.0.0.53"
HEADER_BYTES = 12
ANSWER = b"\x81\x80"
TYPE_A = b"\x00\x01"
FOR_A_MINUTE = 60
STOP = b"stop"


class NameServer:
    """UDP port 53 (RFC 1035 §4.1); silent about names that are not in `addresses`."""

    def __init__(self, directory: Path) -> None:
        self.addresses: dict[str, str | tuple[str, ...]] = {}
        self.ttl_s = FOR_A_MINUTE
        self.questions: list[str] = []
        """The names asked for, in order."""
        self._resolv_conf = directory / "resolv.conf"
        self._resolv_conf.write_text(f"nameserver {ADDRESS}\n")
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((ADDRESS, 53))
        self._thread = threading.Thread(target=self._serve, name="name-server")

    @property
    def prefix(self) -> tuple[str, ...]:
        """What to put before a command, so that it asks this server."""
        bind = f"mount --bind {self._resolv_conf} /etc/resolv.conf"
        return ("unshare", "--mount", "sh", "-c", f'{bind} && exec "$@"', "sh")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.sendto(STOP, (ADDRESS, 53))
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while (received := self._socket.recvfrom(512))[0] != STOP:
            question, client = received
            name, end = _name_in(question)
            self.questions.append(name)
            if name in self.addresses:
                answer = _answer(question[: end + 4], self.addresses[name], self.ttl_s)
                self._socket.sendto(answer, client)


def _name_in(question: bytes) -> tuple[str, int]:
    labels, at = [], HEADER_BYTES
    while (length := question[at]) > 0:
        labels.append(question[at + 1 : at + 1 + length].decode())
        at += 1 + length
    return ".".join(labels), at + 1


def _answer(question: bytes, addresses: str | tuple[str, ...], ttl_s: int) -> bytes:
    """An A record for each address; no record for another type."""
    known = (addresses,) if isinstance(addresses, str) else addresses
    records = known if question[-4:-2] == TYPE_A else ()
    counts = struct.pack("!4H", 1, len(records), 0, 0)
    head = question[:2] + ANSWER + counts + question[HEADER_BYTES:]
    start = b"\xc0\x0c" + TYPE_A + struct.pack("!HIH", 1, ttl_s, 4)
    return head + b"".join(start + socket.inet_aton(address) for address in records)
