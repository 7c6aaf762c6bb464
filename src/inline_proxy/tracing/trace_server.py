"""The unix socket on which the observer takes orders to trace; one connection is one watch.

In: a line of JSON, `wanted`, `for_s`, `export`. Out: `{"until_s": ...}` or `{"error": ...}`, then a
line for each message, and at last `{"ended": ...}`. Whoever hangs up ends the watch.
"""

import asyncio
import json
import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from inline_proxy.tracing.tracer import CannotTrace, Tracer, Watch
from inline_proxy.tracing.wanted import Wanted

TRACE_SOCKET: Final = "trace.sock"
LONGEST_S: Final = 3_600
LONGEST_LINE: Final = 16_384


async def serve_traces(tracer: Tracer, runtime: Path) -> asyncio.Server:
    """Open the socket, for the user and the group of the service; raises `OSError`."""
    path = runtime / TRACE_SOCKET
    path.unlink(missing_ok=True)

    async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            await _converse(tracer, reader, writer)
        writer.close()

    server = await asyncio.start_unix_server(converse, path, limit=LONGEST_LINE)
    path.chmod(0o660)
    return server


async def _converse(
    tracer: Tracer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    try:
        order = json.loads(await reader.readline())
        for_s = min(float(order["for_s"]), LONGEST_S)
        export = await _connected(order.get("export"))
        watch = await tracer.watch(Wanted(order.get("wanted")), export)
    except (ValueError, KeyError, TypeError, OSError, CannotTrace) as fault:
        await _say(writer, {"error": str(fault)})
        return
    hung_up = asyncio.ensure_future(reader.read())
    try:
        await _say(writer, {"until_s": time.time() + for_s})
        await _tell(watch, writer, hung_up, for_s)
        await _say(writer, {"ended": "the time is over", "missed": watch.missed})
    finally:
        hung_up.cancel()
        await tracer.end(watch)


async def _tell(
    watch: Watch, writer: asyncio.StreamWriter, hung_up: "asyncio.Future[bytes]", for_s: float
) -> None:
    """Pass on what is seen until the time is over or nobody listens."""
    ends_s = time.monotonic() + for_s
    while (left_s := ends_s - time.monotonic()) > 0:
        seen = asyncio.ensure_future(watch.messages.get())
        either: set[asyncio.Future[Any]] = {seen, hung_up}
        await asyncio.wait(either, timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
        if not seen.done():
            seen.cancel()
            return
        await _say(writer, {"message": seen.result().to_json()})


async def _say(writer: asyncio.StreamWriter, what: dict[str, Any]) -> None:
    writer.write(json.dumps(what).encode() + b"\n")
    await writer.drain()


async def _connected(export: str | None) -> socket.socket | None:
    """Return a socket to who takes HEP, `HOST:PORT`; raises `OSError` and `ValueError`."""
    if export is None:
        return None
    host, _, port = export.rpartition(":")
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_DGRAM)
    family, kind, protocol, _, address = found[0]
    opened = socket.socket(family, kind, protocol)
    opened.setblocking(False)  # noqa: FBT003 - the socket's own interface
    opened.connect(address)
    return opened
