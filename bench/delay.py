"""How long an INVITE stays with the proxy, from the wire: between the caller's and the target's.

ClearIP's stand-in answers in between, so the time holds its share too; what the proxy adds is less.
"""

import ctypes
import re
import socket
import struct
import threading
from types import TracebackType
from typing import Final, Self

from bench.places import CARRIER_PORT, PROXY_PORT

SO_ATTACH_FILTER: Final = 26
SO_TIMESTAMPNS: Final = 35
ETH_P_ALL: Final = 3
LOOPBACK: Final = "lo"
UDP_HEADER: Final = 14 + 20
"""Where it begins in a frame of IPv4 without options."""
LONGEST: Final = 2_048
IDLE_S: Final = 0.2
BUFFER_BYTES: Final = 8 * 1024 * 1024

# Only INVITEs over UDP reach this process: IPv4, UDP, and a payload that begins with "INVI".
# (code, jump if true, jump if false, operand) of the kernel's packet filter.
INVITES: Final = (
    (0x28, 0, 0, 12),
    (0x15, 0, 5, 0x0800),
    (0x30, 0, 0, 23),
    (0x15, 0, 3, socket.IPPROTO_UDP),
    (0x20, 0, 0, UDP_HEADER + 8),
    (0x15, 0, 1, int.from_bytes(b"INVI")),
    (0x06, 0, 0, LONGEST),
    (0x06, 0, 0, 0),
)
CALL_ID: Final = re.compile(rb"\r\nCall-ID: *([^\r]+)")


class Delays:
    """Listens in a thread while calls are placed; `milliseconds` is what it has heard."""

    def __init__(self) -> None:
        self._socket = _listening()
        self._arrived: dict[bytes, int] = {}
        self._left: dict[bytes, int] = {}
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._listen, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._is_over.set()
        self._thread.join()
        self._socket.close()

    @property
    def milliseconds(self) -> list[float]:
        """The delay of every call that was seen on both sides, shortest first."""
        both = self._arrived.keys() & self._left.keys()
        return sorted((self._left[call] - self._arrived[call]) / 1e6 for call in both)

    def _listen(self) -> None:
        while not self._is_over.is_set():
            try:
                frame, ancillary, _, origin = self._socket.recvmsg(LONGEST, 64)
            except TimeoutError:
                continue
            if origin[2] == socket.PACKET_OUTGOING:  # loopback shows each frame twice
                self._note(frame, _nanoseconds(ancillary))

    def _note(self, frame: bytes, at_ns: int) -> None:
        call_id = CALL_ID.search(frame)
        if call_id is None:
            return
        port = int.from_bytes(frame[UDP_HEADER + 2 : UDP_HEADER + 4])
        seen = {PROXY_PORT: self._arrived, CARRIER_PORT: self._left}.get(port)
        if seen is not None:
            seen.setdefault(call_id[1], at_ns)  # what is sent again comes later


def _listening() -> socket.socket:
    """Open a socket that hears the INVITEs on loopback, with the kernel's time of each."""
    packets = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
    program = b"".join(struct.pack("HBBI", *instruction) for instruction in INVITES)
    held = ctypes.create_string_buffer(program)
    described = struct.pack("HL", len(INVITES), ctypes.addressof(held))
    packets.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, described)
    packets.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
    packets.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER_BYTES)
    packets.settimeout(IDLE_S)
    packets.bind((LOOPBACK, 0))
    return packets


def _nanoseconds(ancillary: list[tuple[int, int, bytes]]) -> int:
    """Return the kernel's time stamp of a frame."""
    stamps = (data for level, kind, data in ancillary if kind == SO_TIMESTAMPNS)
    seconds, nanoseconds = struct.unpack("qq", next(stamps))
    return int(seconds * 1_000_000_000 + nanoseconds)
