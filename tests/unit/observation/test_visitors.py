"""Connections to the admin server on which nothing is asked."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from inline_proxy.observation.visitors import Visitors

HOST = "127.0.0.1"
GET = b"GET / HTTP/1.1\r\nHost: localhost\r\n"
PATIENCE_S = 10
Server = tuple[str, int]


async def hello(_request: web.Request) -> web.Response:
    """What is served."""
    return web.Response(text="hello")


@asynccontextmanager
async def served(visitors: Visitors) -> AsyncIterator[Server]:
    """A server of its own."""
    app = web.Application(middlewares=[visitors.noted()])
    app.router.add_get("/", hello)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, HOST, 0).start()
    seeing_off = asyncio.ensure_future(visitors.see_off(runner))
    yield runner.addresses[0][:2]
    seeing_off.cancel()
    await runner.cleanup()


def with_server(visitors: Visitors, play: Callable[[Server], Coroutine[Any, Any, None]]) -> None:
    """Play a scene with a server."""

    async def scene() -> None:
        async with served(visitors) as server:
            await play(server)

    asyncio.run(scene())


async def is_closed(reader: asyncio.StreamReader) -> bool:
    """Whether the server ends a connection without a word."""
    try:
        return await asyncio.wait_for(reader.read(), PATIENCE_S) == b""
    except ConnectionResetError:  # what was sent has not been read
        return True


@pytest.mark.parametrize("begun", [b"", GET + b"X: ", GET + b"X: " + b"y" * 1_000])
def test_connection_without_a_request_is_closed(begun: bytes) -> None:
    """However far it has come; what trickles is no request."""

    async def play(server: Server) -> None:
        reader, writer = await asyncio.open_connection(*server)
        writer.write(begun)
        closed = asyncio.ensure_future(is_closed(reader))
        while begun and not closed.done():
            writer.write(b"x")
            await asyncio.sleep(0.02)
        assert await closed
        writer.close()

    with_server(Visitors(first_request_s=0.2), play)


def test_connection_that_has_asked_stays_open() -> None:
    """A browser asks again on it."""

    async def play(server: Server) -> None:
        other, other_writer = await asyncio.open_connection(*server)
        reader, writer = await asyncio.open_connection(*server)
        for _ in range(2):
            writer.write(GET + b"\r\n")
            assert (await reader.readuntil(b"hello")).startswith(b"HTTP/1.1 200 ")
            assert other.at_eof() or await is_closed(other)
        for each in (writer, other_writer):
            each.close()

    with_server(Visitors(first_request_s=0.2), play)


def test_number_of_connections_that_wait_is_bounded() -> None:
    """The oldest make place; who asks is answered meanwhile."""

    async def play(server: Server) -> None:
        waiting = [await asyncio.open_connection(*server) for _ in range(20)]
        closed = await asyncio.gather(*(is_closed(reader) for reader, _ in waiting[:15]))
        assert all(closed)
        assert not any(reader.at_eof() for reader, _ in waiting[15:])
        reader, writer = await asyncio.open_connection(*server)
        writer.write(GET + b"\r\n")
        assert (await reader.readuntil(b"hello")).startswith(b"HTTP/1.1 200 ")
        for each in (writer, *(writer for _, writer in waiting)):
            each.close()

    with_server(Visitors(first_request_s=PATIENCE_S, most=5), play)
