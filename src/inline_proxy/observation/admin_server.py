"""The HTTP server of `admin.listen`: metrics, status, health; the same on a unix socket.

The unix socket is there whatever the configuration says: the `status` command asks it.
"""

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from aiohttp import web

from inline_proxy.config.admin import Socket
from inline_proxy.kamailio_rpc import KamailioRpc, KamailioUnreachable, RpcRefused
from inline_proxy.observation.certificate_dates import CertificateDate, certificate_dates
from inline_proxy.observation.health import Observed, can_take_calls, status_of
from inline_proxy.observation.kamailio_figures import SITES, KamailioFigures, look, table
from inline_proxy.observation.metrics import Figures, exposition
from inline_proxy.observation.status_query import STATUS_SOCKET

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


def application(views: Views) -> web.Application:
    """Return the server's paths."""
    app = web.Application()
    app.router.add_get("/metrics", views.metrics)
    app.router.add_get("/status.json", views.status)
    app.router.add_get("/healthz", views.health)
    return app


async def serve(app: web.Application, listen: Socket | None, runtime: Path) -> web.AppRunner:
    """Open the sockets; raises `OSError` when one of them cannot be opened."""
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    path = runtime / STATUS_SOCKET
    path.unlink(missing_ok=True)
    await web.UnixSite(runner, str(path)).start()
    path.chmod(0o660)
    if listen is not None:
        await web.TCPSite(runner, str(listen.address), listen.port).start()
    return runner
