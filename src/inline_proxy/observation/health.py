"""How the proxy is: values in, one value out, which `status` prints and `/status.json` serves."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from inline_proxy import __version__
from inline_proxy.observation.cluster_nodes import status_of_cluster
from inline_proxy.observation.kamailio_figures import KamailioFigures
from inline_proxy.observation.tally import Tally


class Health(StrEnum):
    """How the proxy is, in one word."""

    HEALTHY = "healthy"
    DEGRADED = "degraded"
    NOT_RUNNING = "not_running"


@dataclass(frozen=True, slots=True)
class Observed:
    """What the observer knows."""

    setting_up: int
    conversations: int
    tally: Tally
    are_records_written: bool = True
    dropped_files: int = 0


def status_of(
    listeners: tuple[str, ...], kamailio: KamailioFigures | None, observed: Observed | None
) -> dict[str, Any]:
    """Return the status; `problems` says in sentences why it is not healthy."""
    problems = _problems(kamailio, observed)
    health = Health.DEGRADED if problems else Health.HEALTHY
    return {
        "version": 1,
        "health": (Health.NOT_RUNNING if kamailio is None else health).value,
        "problems": problems,
        "draining": kamailio is not None and kamailio.is_draining,
        "listeners": list(listeners),
        "clearip_sites": _sites(kamailio),
        "calls_in_progress": {
            "setting_up": observed.setting_up if observed else None,
            "conversations": observed.conversations if observed else None,
        },
        "counters": _counters(kamailio, observed),
        "cluster": status_of_cluster(kamailio.nodes) if kamailio else None,
        "versions": {
            "inline_proxy": __version__,
            "kamailio": kamailio.version if kamailio else None,
        },
        "uptime_s": kamailio.uptime_s if kamailio else None,
    }


def can_take_calls(status: Mapping[str, Any]) -> bool:
    """Tell whether Kamailio answers, some ClearIP site takes calls, and nobody drains the node."""
    is_open = status["health"] != Health.NOT_RUNNING and not status["draining"]
    return is_open and any(site["state"] == "up" for site in status["clearip_sites"])


def _problems(kamailio: KamailioFigures | None, observed: Observed | None) -> list[str]:
    if kamailio is None:
        return ["Kamailio does not answer on its control socket: see the log"]
    problems = [
        f"ClearIP site {site.uri} is {site.state}{': ' if site.reason else ''}{site.reason}"
        for site in kamailio.sites
        if not site.is_up
    ]
    if kamailio.counters.get("events_lost"):
        problems.append("some events of calls could not be written: is the disk full?")
    if observed is None:
        return [*problems, "no observer runs: records and metrics wait; see the log"]
    if not observed.are_records_written:
        problems.append("call records cannot be written: is the disk full?")
    return problems


def _sites(kamailio: KamailioFigures | None) -> list[dict[str, Any]]:
    return [
        {"uri": site.uri, "state": site.state, "reason": site.reason, "since": site.since}
        for site in (kamailio.sites if kamailio else ())
    ]


def _counters(kamailio: KamailioFigures | None, observed: Observed | None) -> dict[str, Any]:
    """Return what has been counted: of calls since the observer, else since Kamailio started."""
    counters: dict[str, Any] = {"kamailio": dict(kamailio.counters) if kamailio else {}}
    if observed is not None:
        codes = {code: number for (code,), number in observed.tally.final_codes.items()}
        attested: dict[str, int] = {}
        for (_, attestation), number in observed.tally.passports.items():
            attested[attestation] = attested.get(attestation, 0) + number
        counters |= {
            "calls": observed.tally.dispositions(),
            "final_codes": codes,
            "attestations": attested,
        }
    return counters
