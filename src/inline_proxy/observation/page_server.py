"""The status page and what it asks for."""

from collections.abc import Awaitable, Callable
from importlib.resources import files
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler

from inline_proxy.observation.rates import Rates
from inline_proxy.observation.recent_calls import KEPT, RecentCalls
from inline_proxy.tracing import messages_of

TYPES: Final = {
    "index.html": "text/html",
    "page.css": "text/css",
    "page.js": "text/javascript",
    "ladder.js": "text/javascript",
    "charts.js": "text/javascript",
}
# Nothing but the page's own files, whatever came from the network stands in it; nobody frames it.
HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class Page:
    """The page's files, recent calls and rates."""

    def __init__(self, recent: RecentCalls, rates: Rates) -> None:
        self._recent = recent
        self._rates = rates

    def routes(self) -> list[web.RouteDef]:
        """Return what it serves."""
        return [
            web.get("/", _file("index.html")),
            *(web.get(f"/{name}", _file(name)) for name in TYPES if name != "index.html"),
            web.get("/calls.json", self.calls),
            web.get("/rates.json", self.rates),
            web.get("/messages.json", self.messages),
        ]

    async def calls(self, request: web.Request) -> web.Response:
        """`/calls.json`: the last calls, by `search`, `kind` and `limit`."""
        query = request.query
        limit = query.get("limit", str(KEPT))
        if not limit.isdecimal():
            raise web.HTTPBadRequest(text=f"limit: is no number (found {limit[:20]!r})\n")
        found = self._recent.found(query.get("search", ""), query.get("kind", ""), int(limit))
        return web.json_response({"calls": found, "kept": len(self._recent)})

    async def rates(self, _request: web.Request) -> web.Response:
        """`/rates.json`: the last minutes, second by second."""
        return web.json_response({"seconds": self._rates.samples()})

    async def messages(self, request: web.Request) -> web.Response:
        """`/messages.json`: what was traced of a `call_id`."""
        traced = messages_of(request.query.get("call_id", ""))
        return web.json_response({"messages": [message.to_json() for message in traced]})


def _file(name: str) -> Callable[[web.Request], Awaitable[web.Response]]:
    body = files("inline_proxy.observation").joinpath("page", name).read_bytes()

    async def serve(_request: web.Request) -> web.Response:
        return web.Response(body=body, content_type=TYPES[name], charset="utf-8")

    return serve


@web.middleware
async def protected(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Send every answer with the headers that keep a browser from harm."""
    try:
        response = await handler(request)
    except web.HTTPException as answer:
        answer.headers.update(HEADERS)
        raise
    response.headers.update(HEADERS)
    return response
