"""The observer's process: one loop that reads, and one server."""

import asyncio
import gc
import logging
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from inline_proxy.config.model import ProxyConfig
from inline_proxy.kamailio_rpc import KamailioRpc, KamailioUnreachable, RpcRefused
from inline_proxy.listeners import cluster_listeners, interface_addresses, listeners
from inline_proxy.observation.admin_server import (
    Views,
    application,
    door_of,
    serve_door,
    serve_socket,
)
from inline_proxy.observation.call_journal import CallJournal, follow_level
from inline_proxy.observation.cluster_nodes import tell_cluster
from inline_proxy.observation.health import Observed
from inline_proxy.observation.observer import Observer, Places
from inline_proxy.observation.page_server import Page
from inline_proxy.observation.rates import Rates
from inline_proxy.observation.record_file import FILE_NAME
from inline_proxy.observation.visitors import Visitors
from inline_proxy.own_certificate import own_certificate
from inline_proxy.rendering import CONTROL_SOCKET, EVENT_MEMORY, SPOOL, trace_sender
from inline_proxy.tracing.cast import Cast
from inline_proxy.tracing.trace_server import serve_traces
from inline_proxy.tracing.tracer import Tracer

LAST_QUESTION_S: Final = 1.0
PATIENCE_AT_START_S: Final = 5.0
"""Kamailio takes questions before it can answer: whoever has gone by then it calls an error."""
NEW_OBJECTS_BEFORE_A_LOOK: Final = 50_000
_log = logging.getLogger(__name__)


async def observe(config: ProxyConfig, state: Path, runtime: Path, logs: Path) -> None:
    """Observe until SIGTERM; raises `OSError` when the directories cannot be used."""
    places = Places(
        state,
        state / SPOOL,
        runtime / EVENT_MEMORY,
        logs / FILE_NAME,
        runtime / CONTROL_SOCKET,
    )
    journal = CallJournal.here()
    observer = Observer(
        places,
        config.records.rotate_mb,
        config.records.keep_files,
        journal,
        mask_numbers=config.log.mask_numbers,
    )
    _look_for_garbage_seldom()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})  # see `ObserverProcess`
    views, rates = _views(config, places, observer), Rates(observer.tally)
    page = Page(observer.recent, rates)
    beside = [asyncio.ensure_future(_sample(rates))]
    runners = [await serve_socket(application(views, page), runtime)]
    with _told_when_closed():
        door = door_of(config.admin, own_certificate(config.listen, places.state))
        if door is not None:
            visitors = Visitors()
            served = application(views, page, door, visitors)
            runners.append(await serve_door(served, door))
            beside.append(asyncio.ensure_future(visitors.see_off(runners[-1])))
    tracer = _tracer(config, places)
    traces = await serve_traces(tracer, runtime)
    beside.append(asyncio.ensure_future(tracer.switch_off()))
    if cluster_listeners(config.cluster):
        beside.append(asyncio.ensure_future(_tell_cluster(places, observer)))
    if journal is not None:
        kamailio = KamailioRpc(places.control_socket, PATIENCE_AT_START_S)
        beside.append(asyncio.ensure_future(follow_level(journal, kamailio)))
    try:
        await observer.run(stop)
    finally:
        traces.close()
        for each in beside:
            each.cancel()
        for runner in runners:
            await runner.cleanup()
        observer.finish(has_proxy_stopped=not _answers(places.control_socket))
        if journal is not None:
            journal.close()


@contextmanager
def _told_when_closed() -> Iterator[None]:
    """Go on without a status page where it cannot be served: records matter more."""
    try:
        yield
    except OSError as error:
        _log.error("admin.listen: cannot be opened: %s; give another port", error)


async def _sample(rates: Rates) -> None:
    while True:
        rates.sample(int(time.time()))
        await asyncio.sleep(1)


async def _tell_cluster(places: Places, observer: Observer) -> None:
    """Let the other nodes know what is counted here; Kamailio may be away for a while."""
    rpc = KamailioRpc(places.control_socket)
    while True:
        counted = (len(observer.book.setting_up), observer.book.conversations, observer.tally)
        with suppress(KamailioUnreachable, RpcRefused):
            await asyncio.to_thread(tell_cluster, rpc, *counted)
        await asyncio.sleep(1)


def _look_for_garbage_seldom() -> None:
    """Leave what was imported alone, and what calls leave behind, which is in no cycle."""
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS_BEFORE_A_LOOK, 20, 100)


def _views(config: ProxyConfig, places: Places, observer: Observer) -> Views:
    opened = listeners(config.listen, interface_addresses())
    return Views(
        KamailioRpc(places.control_socket),
        tuple(each.socket for each in opened if not each.is_for_outgoing),
        own_certificate(config.listen, places.state).certificate,
        lambda: _observed(observer),
    )


def _tracer(config: ProxyConfig, places: Places) -> Tracer:
    opened = listeners(config.listen, interface_addresses())
    return Tracer(
        KamailioRpc(places.control_socket, PATIENCE_AT_START_S),
        config.tracing.receiver if trace_sender(config.tracing, opened) else None,
        Cast((each.host_port for each in opened), config.clearip.domain),
        mask_numbers=config.log.mask_numbers,
    )


def _observed(observer: Observer) -> Observed:
    return Observed(
        setting_up=len(observer.book.setting_up),
        conversations=observer.book.conversations,
        tally=observer.tally,
        are_records_written=not observer.is_disk_full,
        dropped_files=observer.book.dropped_files,
    )


def _answers(control_socket: Path) -> bool:
    try:
        KamailioRpc(control_socket, LAST_QUESTION_S).call("core.uptime")
    except (KamailioUnreachable, RpcRefused):
        return False
    return True
