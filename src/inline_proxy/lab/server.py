"""The ClearIP stand-in as a server: TLS or TCP, in an event loop or in a thread of its own."""

import asyncio
import socket
import ssl
import struct
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from inline_proxy.lab.conversation import Conversation, Settings
from inline_proxy.lab.message import Framer, FramingError
from inline_proxy.lab.recording import Connection, Record

CHUNK: Final = 65_536
LINGER_FOR_RESET: Final = struct.pack("ii", 1, 0)
START_STOP_TIMEOUT_S: Final = 10


class TlsIdentity:
    """ClearIP's certificate, and the server name that each client asked for."""

    def __init__(self, certificate: Path, private_key: Path) -> None:
        """Raise `OSError` or `ssl.SSLError` when the files cannot be used."""
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.minimum_version = ssl.TLSVersion.TLSv1_2
        self.context.load_cert_chain(certificate, private_key)
        self.context.sni_callback = self._note
        self._names: weakref.WeakKeyDictionary[object, str | None] = weakref.WeakKeyDictionary()

    def server_name(self, handshake: object) -> str | None:
        """Give the name that the client sent (SNI, RFC 6066 §3); None when it sent none."""
        return self._names.get(handshake)

    def _note(
        self,
        handshake: ssl.SSLSocket | ssl.SSLObject,
        name: str | None,
        _context: ssl.SSLContext,
    ) -> None:
        """Keep the name for as long as the connection lives."""
        self._names[handshake] = name


@dataclass(frozen=True, slots=True)
class _StreamWire:
    """A connection of asyncio's streams."""

    writer: asyncio.StreamWriter

    def write(self, data: bytes) -> None:
        """Send bytes; on a connection that is going down they are lost, as on any network."""
        if not self.writer.is_closing():
            self.writer.write(data)

    def close(self) -> None:
        """End the connection after what was written is sent."""
        self.writer.close()

    def reset(self) -> None:
        """End the connection with a TCP reset: nothing lingers, nothing is flushed."""
        raw: socket.socket = self.writer.get_extra_info("socket")
        raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_FOR_RESET)
        self.writer.transport.abort()


class StandIn:
    """Listens where ClearIP would."""

    def __init__(self, settings: Settings, record: Record, tls: TlsIdentity | None) -> None:
        """Without `tls` the stand-in speaks plain TCP."""
        self._settings = settings
        self._record = record
        self._tls = tls
        self._server: asyncio.Server | None = None
        self._talking: set[asyncio.Task[None]] = set()

    @property
    def port(self) -> int:
        """The port it listens on; known once it is started."""
        if self._server is None:
            raise RuntimeError("the stand-in is not started")
        return int(self._server.sockets[0].getsockname()[1])

    async def start(self, host: str, port: int) -> None:
        """Listen; port 0 takes a free one. Raises `OSError` when the port is taken."""
        context = self._tls.context if self._tls else None
        self._server = await asyncio.start_server(self._talk, host, port, ssl=context)

    async def stop(self) -> None:
        """Stop listening and end every connection."""
        if self._server is None:
            return
        self._server.close()
        talking = tuple(self._talking)
        for task in talking:
            task.cancel()
        await asyncio.gather(*talking, return_exceptions=True)
        await self._server.wait_closed()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve one connection to its end."""
        task = asyncio.current_task()
        if task is not None:
            self._talking.add(task)
            task.add_done_callback(self._talking.discard)
        conversation = Conversation(
            self._settings, self._connection(writer), _StreamWire(writer), self._record
        )
        try:
            with suppress(FramingError, OSError):
                await _read(reader, conversation)
        finally:
            conversation.end()
            writer.transport.abort()

    def _connection(self, writer: asyncio.StreamWriter) -> Connection:
        """Describe a connection that was just accepted."""
        host, port = writer.get_extra_info("peername")[:2]
        handshake = writer.get_extra_info("ssl_object")
        if self._tls is None or handshake is None:
            return Connection(f"{host}:{port}", None, None)
        name = self._tls.server_name(handshake)
        return Connection(f"{host}:{port}", handshake.version(), name)


@contextmanager
def in_thread(stand_in: StandIn, host: str = "127.0.0.1", port: int = 0) -> Iterator[StandIn]:
    """Run a stand-in beside synchronous code; it is started on entry and stopped on exit."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="clearip-stand-in", daemon=True)
    thread.start()
    try:
        starting = asyncio.run_coroutine_threadsafe(stand_in.start(host, port), loop)
        starting.result(START_STOP_TIMEOUT_S)
        yield stand_in
    finally:
        stopping = asyncio.run_coroutine_threadsafe(stand_in.stop(), loop)
        stopping.result(START_STOP_TIMEOUT_S)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(START_STOP_TIMEOUT_S)
        loop.close()


async def _read(reader: asyncio.StreamReader, conversation: Conversation) -> None:
    """Hand over message after message until the other end is done."""
    framer = Framer()
    while data := await reader.read(CHUNK):
        for raw in framer.feed(data):
            conversation.receive(raw)
