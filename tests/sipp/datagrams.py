"""Somebody who takes datagrams, and HEPv3 as its specification has it."""

import socket
import struct
import threading
from typing import Self


class Datagrams:
    """Takes what comes to a UDP port of loopback, until the block ends."""

    def __init__(self, place: str = "127.0.0.1:0") -> None:
        host, _, port = place.rpartition(":")
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind((host, int(port)))
        self.taken: list[bytes] = []
        self._thread = threading.Thread(target=self._take)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", self._socket.getsockname())
        self._thread.join()
        self._socket.close()

    @property
    def place(self) -> str:
        """Where it takes them."""
        host, port = self._socket.getsockname()
        return f"{host}:{port}"

    def _take(self) -> None:
        while data := self._socket.recv(65_535):
            self.taken.append(data)


class Hep:
    """A HEPv3 packet: `HEP3`, 16 bits of length, chunks of vendor, type, length and value."""

    def __init__(self, packet: bytes) -> None:
        assert packet[:4] == b"HEP3"
        assert struct.unpack("!H", packet[4:6]) == (len(packet),)
        self._values: dict[int, bytes] = {}
        rest = packet[6:]
        while rest:
            _, kind, length = struct.unpack("!HHH", rest[:6])
            self._values[kind], rest = rest[6:length], rest[length:]

    def _number(self, kind: int) -> int:
        return int.from_bytes(self._values[kind], "big")

    @property
    def payload(self) -> bytes:
        """Chunk 0x000f: the message."""
        return self._values[0x0F]

    @property
    def protocol(self) -> int:
        """Chunk 0x0002."""
        return self._number(0x02)

    @property
    def kind(self) -> int:
        """Chunk 0x000b: 1 is SIP."""
        return self._number(0x0B)

    @property
    def destination_port(self) -> int:
        """Chunk 0x0008."""
        return self._number(0x08)

    @property
    def at_s(self) -> float:
        """Chunks 0x0009 and 0x000a."""
        return self._number(0x09) + self._number(0x0A) / 1e6
