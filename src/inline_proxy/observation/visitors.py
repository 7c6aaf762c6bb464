"""Connections to the admin server that ask for nothing: they end before they are many."""

import asyncio
import time
from typing import TYPE_CHECKING, Final

from aiohttp import web
from aiohttp.typedefs import Handler

if TYPE_CHECKING:  # the name is younger than the aiohttp of Debian 12
    from aiohttp.typedefs import Middleware

FIRST_REQUEST_S: Final = 10.0
"""How long a connection may be open before its first request is whole."""
MOST_WAITING: Final = 256
"""Connections that have not asked yet; the oldest of more are closed at once."""


class Visitors:
    """Who has connected to a server, and who has asked for something."""

    def __init__(self, first_request_s: float = FIRST_REQUEST_S, most: int = MOST_WAITING) -> None:
        self._first_request_s = first_request_s
        self._most = most
        self._have_asked: set[object] = set()
        self._since_s: dict[web.RequestHandler, float] = {}

    def noted(self) -> "Middleware":
        """Return what takes note of each request."""

        @web.middleware
        async def note(request: web.Request, handler: Handler) -> web.StreamResponse:
            self._have_asked.add(request.protocol)
            return await handler(request)

        return note

    async def see_off(self, runner: web.AppRunner) -> None:
        """Close the connections to a server that are overdue, until this is canceled."""
        while (server := runner.server) is not None:
            self._close_overdue(server.connections, time.monotonic())
            await asyncio.sleep(self._first_request_s / 10)

    def _close_overdue(self, connections: list[web.RequestHandler], now_s: float) -> None:
        self._have_asked.intersection_update(connections)
        waiting = [each for each in connections if each not in self._have_asked]
        self._since_s = {each: self._since_s.get(each, now_s) for each in waiting}
        oldest_first = sorted(waiting, key=self._since_s.__getitem__)
        excess = max(0, len(waiting) - self._most)
        for position, each in enumerate(oldest_first):
            if position < excess or now_s - self._since_s[each] >= self._first_request_s:
                each.force_close()
