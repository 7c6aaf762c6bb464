"""Switching Kamailio's copies on while somebody looks, and off for certain.

They are on as long as there is a watch and no longer: a watch ends with its time, with whoever
asked for it, and with the observer, whose successor begins by switching them off.
"""

import asyncio
import logging
import socket
from dataclasses import dataclass, field, replace
from typing import Final

from inline_proxy.config.admin import Socket
from inline_proxy.kamailio_rpc import KamailioRpc, KamailioUnreachable, RpcRefused
from inline_proxy.lab.message import Message
from inline_proxy.tracing import TRACED
from inline_proxy.tracing.cast import Cast
from inline_proxy.tracing.hep import Copy, NoHep, decode, encode
from inline_proxy.tracing.traced_message import TracedMessage
from inline_proxy.tracing.wanted import Wanted

METHOD: Final = "siptrace.status"
WAITING: Final = 5_000
"""Messages that wait for whoever watches; more are not shown."""
RECEIVE_BUFFER: Final = 4 * 1024 * 1024
RETRY_S: Final = 1.0
_log = logging.getLogger(__name__)


class CannotTrace(RuntimeError):
    """No trace can begin; the text says why, and what would help."""


@dataclass(slots=True)
class Watch:
    """What one person watches."""

    wanted: Wanted
    export: socket.socket | None = None
    """Connected to who takes HEP."""
    messages: "asyncio.Queue[TracedMessage]" = field(default_factory=lambda: asyncio.Queue(WAITING))
    missed: int = 0


class Tracer(asyncio.DatagramProtocol):
    """Takes copies while there is a watch."""

    def __init__(
        self, rpc: KamailioRpc, receiver: Socket | None, cast: Cast, *, mask_numbers: bool
    ) -> None:
        """`receiver` is None where the configuration leaves nowhere to send copies to or from."""
        self._rpc = rpc
        self._receiver = receiver
        self._cast = cast
        self._masks_numbers = mask_numbers
        self._watches: list[Watch] = []
        self._transport: asyncio.DatagramTransport | None = None
        self._one_at_a_time = asyncio.Lock()

    async def watch(self, wanted: Wanted, export: socket.socket | None = None) -> Watch:
        """Begin a watch; raises `CannotTrace`."""
        watch = Watch(wanted, export)
        async with self._one_at_a_time:
            if self._transport is None:
                await self._open()
            self._watches.append(watch)
        return watch

    async def end(self, watch: Watch) -> None:
        """End a watch; with the last one Kamailio's copies end."""
        async with self._one_at_a_time:
            self._watches.remove(watch)
            if watch.export is not None:
                watch.export.close()
            if not self._watches:
                await self._close()

    async def switch_off(self) -> None:
        """Switch off what an observer before this one has left on; returns when that is done."""
        while self._receiver is not None:
            try:
                async with self._one_at_a_time:
                    if not self._watches:
                        await self._tell("off")
                    return
            except KamailioUnreachable:  # it starts, or is busy
                await asyncio.sleep(RETRY_S)

    def datagram_received(self, data: bytes, _from: tuple[str, int]) -> None:
        """Take a packet; one that is no HEP is nobody's."""
        try:
            copy = decode(data)
        except NoHep:
            return
        watches = [watch for watch in self._watches if copy.payload in watch.wanted]
        if watches:
            message = self._message(copy)
            TRACED.add(message)
            for watch in watches:
                _give(watch, message, copy)

    def _message(self, copy: Copy) -> TracedMessage:
        parsed = Message.parse(copy.payload.decode(errors="replace"))
        ends = self._cast.ends(copy, parsed)
        return TracedMessage.of(copy, ends, mask_numbers=self._masks_numbers)

    async def _open(self) -> None:
        if self._receiver is None:
            raise CannotTrace(
                "copies have nowhere to go: give tracing.receiver an address of the family of a "
                "UDP listener, and restart"
            )
        address = str(self._receiver.address), self._receiver.port
        try:
            transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
                lambda: self, address
            )
        except OSError as error:
            raise CannotTrace(f"tracing.receiver: {self._receiver}: {error.strerror}") from error
        self._transport = transport
        opened: socket.socket = transport.get_extra_info("socket")
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER)
        try:
            await self._tell("on")
        except (KamailioUnreachable, RpcRefused) as error:
            await self._close()
            raise CannotTrace(f"{error}; restart the proxy, or see its log") from error

    async def _close(self) -> None:
        try:
            await self._tell("off")
        except KamailioUnreachable as error:
            _log.error("copies of messages could not be switched off: %s", error)
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    async def _tell(self, status: str) -> None:
        try:
            await asyncio.to_thread(self._rpc.call, METHOD, status)
        except RpcRefused:
            if status == "on":
                raise


def _give(watch: Watch, message: TracedMessage, copy: Copy) -> None:
    try:
        watch.messages.put_nowait(message)
        if watch.export is not None:
            watch.export.send(encode(replace(copy, payload=message.text.encode())))
    except (asyncio.QueueFull, OSError, NoHep):
        watch.missed += 1
