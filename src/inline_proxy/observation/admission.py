"""Who may ask the admin server: who knows a password, or who sits at this host."""

import asyncio
from ipaddress import ip_address
from typing import TYPE_CHECKING, Final

from aiohttp import web
from aiohttp.typedefs import Handler

from inline_proxy.config.admin import Socket
from inline_proxy.observation.login import WAIT_S, Login

if TYPE_CHECKING:  # the name is younger than the aiohttp of Debian 12
    from aiohttp.typedefs import Middleware

REALM: Final = 'Basic realm="inline-proxy", charset="UTF-8"'


def logged_in(login: Login) -> "Middleware":
    """Let requests through that carry a good password."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        address = request.remote or ""
        if login.must_wait(address):
            raise web.HTTPTooManyRequests(headers={"Retry-After": str(int(WAIT_S))})
        header = request.headers.get("Authorization", "")
        if not await asyncio.to_thread(login.lets_in, address, header):
            raise web.HTTPUnauthorized(headers={"WWW-Authenticate": REALM})
        return await handler(request)

    return check


def of_this_host(listen: Socket) -> "Middleware":
    """Let requests through that name this host.

    A page of somebody else's, in a browser on this host, may have its own name resolve to a
    loopback address (DNS rebinding); the Host header tells.
    """

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not _is_local(request.host.rpartition(":")[0] or request.host, listen):
            raise web.HTTPMisdirectedRequest(
                text=f"this is {listen}; reach it by that address or as localhost\n"
            )
        return await handler(request)

    return check


def _is_local(host: str, listen: Socket) -> bool:
    name = host.strip("[]")
    try:
        address = ip_address(name)
    except ValueError:
        return name.lower() == "localhost"
    return address.is_loopback or address == listen.address
