"""HEP, version 3: how copies of messages are carried (the HEP/EEP specification of sipcapture.org).

A packet is `HEP3`, its length, and chunks: vendor, type and length in 16 bits each, and a value.
"""

import struct
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Final

MAGIC: Final = b"HEP3"
CHUNK: Final = struct.Struct("!HHH")
HEADER: Final = struct.Struct("!4sH")
LARGEST: Final = 65_535
GENERIC: Final = 0
"""The vendor of the chunks that everybody knows."""
FAMILY, PROTOCOL, SOURCE_4, DESTINATION_4, SOURCE_6, DESTINATION_6 = 1, 2, 3, 4, 5, 6
SOURCE_PORT, DESTINATION_PORT, SECONDS, MICROSECONDS, KIND, AGENT = 7, 8, 9, 10, 11, 12
PAYLOAD, CORRELATION = 15, 17
SIP: Final = 1
FAMILIES: Final = {4: 2, 6: 10}
PROTOCOLS: Final = {17: "udp", 6: "tcp", 22: "tls"}
"""As IP numbers them; Kamailio writes 22 for TLS, which has no number of its own."""
NUMBERS: Final = {name: number for number, name in PROTOCOLS.items()}


class NoHep(ValueError):
    """A datagram is no HEP packet with a SIP message in it."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One end of a message's way."""

    address: IPv4Address | IPv6Address
    port: int

    def __str__(self) -> str:
        host = f"[{self.address}]" if self.address.version == 6 else str(self.address)  # noqa: PLR2004
        return f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Copy:
    """A copy of one message."""

    at_s: float
    """Since 1970."""
    source: Endpoint
    destination: Endpoint
    transport: str
    """`udp`, `tcp` or `tls`."""
    payload: bytes


def decode(packet: bytes) -> Copy:
    """Read a packet; raises `NoHep`."""
    try:
        chunks = _chunks(packet)
        return Copy(
            _number(chunks[SECONDS]) + _number(chunks[MICROSECONDS]) / 1e6,
            _endpoint(chunks, SOURCE_4, SOURCE_6, SOURCE_PORT),
            _endpoint(chunks, DESTINATION_4, DESTINATION_6, DESTINATION_PORT),
            PROTOCOLS.get(_number(chunks[PROTOCOL]), "unknown"),
            chunks[PAYLOAD],
        )
    except (KeyError, ValueError, struct.error) as error:
        raise NoHep(str(error)) from error


def encode(copy: Copy, agent: int = 1) -> bytes:
    """Write a packet; `agent` is the number by which Homer knows who has sent it.

    Raises `NoHep` where the message is too large for one.
    """
    version = copy.source.address.version
    source, destination = (SOURCE_4, DESTINATION_4) if version == 4 else (SOURCE_6, DESTINATION_6)  # noqa: PLR2004
    seconds = int(copy.at_s)
    values = (
        (FAMILY, bytes([FAMILIES[version]])),
        (PROTOCOL, bytes([NUMBERS.get(copy.transport, 0)])),
        (source, copy.source.address.packed),
        (destination, copy.destination.address.packed),
        (SOURCE_PORT, copy.source.port.to_bytes(2)),
        (DESTINATION_PORT, copy.destination.port.to_bytes(2)),
        (SECONDS, seconds.to_bytes(4)),
        (MICROSECONDS, int((copy.at_s - seconds) * 1e6).to_bytes(4)),
        (KIND, bytes([SIP])),
        (AGENT, agent.to_bytes(4)),
        (PAYLOAD, copy.payload),
    )
    body = b"".join(
        CHUNK.pack(GENERIC, kind, CHUNK.size + len(value)) + value for kind, value in values
    )
    length = HEADER.size + len(body)
    if length > LARGEST:
        raise NoHep(f"{length} bytes are too many")
    return HEADER.pack(MAGIC, length) + body


def _chunks(packet: bytes) -> dict[int, bytes]:
    magic, length = HEADER.unpack_from(packet)
    if magic != MAGIC or length != len(packet):
        raise ValueError("no HEP3 packet of its own length")
    found: dict[int, bytes] = {}
    position = HEADER.size
    while position < length:
        vendor, kind, size = CHUNK.unpack_from(packet, position)
        if size < CHUNK.size or position + size > length:
            raise ValueError("a chunk that does not fit")
        if vendor == GENERIC:
            found[kind] = packet[position + CHUNK.size : position + size]
        position += size
    return found


def _number(value: bytes) -> int:
    return int.from_bytes(value)


def _endpoint(chunks: dict[int, bytes], v4: int, v6: int, port: int) -> Endpoint:
    address = IPv4Address(chunks[v4]) if v4 in chunks else IPv6Address(chunks[v6])
    return Endpoint(address, _number(chunks[port]))
