"""The HTTP server of `admin.listen`: metrics, status, health; the same on a unix socket.

The unix socket is there whatever the configuration says: the `status` command asks it.
"""

import asyncio
import ssl
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from aiohttp import web

from inline_proxy.config.admin import Admin, Socket
from inline_proxy.kamailio_rpc import KamailioRpc, KamailioUnreachable, RpcRefused
from inline_proxy.observation.admission import logged_in, of_this_host
from inline_proxy.observation.certificate_dates import CertificateDate, certificate_dates
from inline_proxy.observation.health import Observed, can_take_calls, status_of
from inline_proxy.observation.kamailio_figures import SITES, KamailioFigures, look, table
from inline_proxy.observation.login import Login
from inline_proxy.observation.metrics import Figures, exposition
from inline_proxy.observation.page_server import Page, protected
from inline_proxy.observation.status_query import STATUS_SOCKET
from inline_proxy.observation.visitors import Visitors
from inline_proxy.own_certificate import CertificateFiles
from inline_proxy.passwords import users_in

if TYPE_CHECKING:  # the name is younger than the aiohttp of Debian 12
    from aiohttp.typedefs import Middleware

FRESH_S: Final = 0.5
"""How long a look at Kamailio serves, so that many who ask cost no more than one."""
PROMETHEUS_TEXT: Final = "text/plain; version=0.0.4; charset=utf-8"


class Views:
    """What the server shows, worked out when somebody asks."""

    def __init__(
        self,
        rpc: KamailioRpc,
        listeners: tuple[str, ...],
        own_certificate: Path,
        observed: Callable[[], Observed],
    ) -> None:
        self._rpc = rpc
        self._listeners = listeners
        self._own_certificate = own_certificate
        self._observed = observed
        self._looked_s = 0.0
        self._kamailio: KamailioFigures | None = None
        self._one_at_a_time = asyncio.Lock()

    async def metrics(self, _request: web.Request) -> web.Response:
        """`/metrics`."""
        kamailio = await self._look()
        certificates = await asyncio.to_thread(self._certificates)
        text = exposition(Figures(kamailio, self._observed(), certificates))
        return web.Response(body=text, headers={"Content-Type": PROMETHEUS_TEXT})

    async def status(self, _request: web.Request) -> web.Response:
        """`/status.json`."""
        return web.json_response(status_of(self._listeners, await self._look(), self._observed()))

    async def health(self, _request: web.Request) -> web.Response:
        """`/healthz`: 200 where calls can be taken, else 503."""
        status = status_of(self._listeners, await self._look(), self._observed())
        state = "draining" if status["draining"] else status["health"]
        text = "\n".join([state, *status["problems"], ""])
        return web.Response(text=text, status=200 if can_take_calls(status) else 503)

    async def _look(self) -> KamailioFigures | None:
        async with self._one_at_a_time:
            if time.monotonic() - self._looked_s > FRESH_S:
                self._kamailio = await asyncio.to_thread(self._ask_kamailio)
                self._looked_s = time.monotonic()
            return self._kamailio

    def _ask_kamailio(self) -> KamailioFigures | None:
        try:
            return look(self._rpc)
        except (KamailioUnreachable, RpcRefused):
            return None

    def _certificates(self) -> tuple[CertificateDate, ...]:
        try:
            sites = table(self._rpc, SITES)
        except KamailioUnreachable:
            sites = {}
        return tuple(certificate_dates(self._own_certificate, sites))


class Door(NamedTuple):
    """Where `admin.listen` is served, and to whom."""

    listen: Socket
    login: Login | None = None
    """None where this host alone reaches it."""
    tls: ssl.SSLContext | None = None


def application(
    views: Views, page: Page, door: Door | None = None, visitors: Visitors | None = None
) -> web.Application:
    """Return the server's paths; without a door, for a socket that is guarded by its owner."""
    middlewares: list[Middleware] = [visitors.noted()] if visitors else []
    if door is not None:
        admission = logged_in(door.login) if door.login else of_this_host(door.listen)
        middlewares += [protected, admission]
    app = web.Application(middlewares=middlewares)
    app.router.add_get("/metrics", views.metrics)
    app.router.add_get("/status.json", views.status)
    app.router.add_get("/healthz", views.health)
    app.router.add_routes(page.routes())
    return app


async def serve_socket(app: web.Application, runtime: Path) -> web.AppRunner:
    """Serve the unix socket that the operator's commands ask; raises `OSError`."""
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    path = runtime / STATUS_SOCKET
    path.unlink(missing_ok=True)
    await web.UnixSite(runner, str(path)).start()
    path.chmod(0o660)
    return runner


async def serve_door(app: web.Application, door: Door) -> web.AppRunner:
    """Serve `admin.listen`; raises `OSError`."""
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, str(door.listen.address), door.listen.port, ssl_context=door.tls)
    await site.start()
    return runner


def door_of(admin: Admin, files: CertificateFiles) -> Door | None:
    """Return where the configuration has it served; raises `OSError` and `ValueError`.

    `files` are what the TLS listener shows, for want of a certificate of its own.
    """
    if admin.listen is None or admin.is_local or admin.password_file is None:
        return None if admin.listen is None else Door(admin.listen)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    shown = admin.tls_certificate or files.certificate
    context.load_cert_chain(shown, admin.tls_private_key or files.private_key)
    return Door(
        admin.listen, Login(users_in(admin.password_file.read_text(encoding="utf-8"))), context
    )
