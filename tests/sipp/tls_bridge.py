"""TLS for roles: Debian 12's SIPp is built without it, so a role speaks TCP to a bridge.

A bridge carries bytes and looks into none of them.
"""

import asyncio
import ssl
import threading
from collections.abc import Coroutine
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

CHUNK = 65_536
TIMEOUT_S = 10
Endpoint = tuple[str, int]
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True, slots=True)
class Certificate:
    """What a role shows that is called over TLS."""

    certificate: Path
    private_key: Path

    def server(self) -> ssl.SSLContext:
        """The context of a role that is called."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.private_key)
        return context


def trusting() -> ssl.SSLContext:
    """The context of a role that calls: the proxy has made its certificate itself."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """From where to where bytes are carried, and on which side of the bridge TLS is spoken."""

    listen: Endpoint
    connect: Endpoint
    connect_from: Endpoint | None = None
    """The address that the other end sees."""
    listen_tls: ssl.SSLContext | None = None
    connect_tls: ssl.SSLContext | None = None


class Bridge:
    """One listening socket, and a connection of its own for each that it accepts."""

    def __init__(self, route: Route, loop: asyncio.AbstractEventLoop) -> None:
        self._route = route
        self._loop = loop
        self._server: asyncio.Server | None = None
        self._writers: list[asyncio.StreamWriter] = []

    def open(self) -> None:
        """Listen."""
        in_loop(self._loop, self._open())

    def close(self) -> None:
        """Stop listening and end every connection."""
        in_loop(self._loop, self._close())

    async def _open(self) -> None:
        host, port = self._route.listen
        self._server = await asyncio.start_server(
            self._accept, host, port, ssl=self._route.listen_tls
        )

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
        for writer in self._writers:
            writer.transport.abort()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.append(writer)
        route = self._route
        with suppress(OSError):
            far_reader, far_writer = await asyncio.open_connection(
                *route.connect, ssl=route.connect_tls, local_addr=route.connect_from
            )
            self._writers.append(far_writer)
            await asyncio.gather(_carry(reader, far_writer), _carry(far_reader, writer))
        writer.transport.abort()


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Carry bytes one way until their source ends; then end the other side too."""
    with suppress(OSError):
        while data := await reader.read(CHUNK):
            writer.write(data)
            await writer.drain()
    writer.close()


class Bridges:
    """Runs bridges in a thread of its own, beside the tests."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="tls-bridges")
        self._thread.start()

    def open(self, route: Route) -> Bridge:
        """Open a bridge; it listens when this returns."""
        bridge = Bridge(route, self._loop)
        bridge.open()
        return bridge

    def stop(self) -> None:
        """End the thread; every bridge is closed by now."""
        in_loop(self._loop, _end_tasks())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(TIMEOUT_S)
        self._loop.close()


def in_loop(loop: asyncio.AbstractEventLoop, work: Coroutine[None, None, None]) -> None:
    """Run work in an event loop of another thread, and wait for its end."""
    asyncio.run_coroutine_threadsafe(work, loop).result(TIMEOUT_S)


async def _end_tasks() -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
