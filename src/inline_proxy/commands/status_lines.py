"""The status of a proxy on a terminal."""

import time
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final

import click

COLOURS: Final = {"healthy": "green", "degraded": "yellow", "not_running": "red"}
NAME: Final = 14
"""Width of what stands at the left."""
STATE: Final = 10
MINUTE_S, HOUR_S, DAY_S = 60, 3_600, 86_400


def lines(status: Mapping[str, Any], *, colour: bool = False) -> Iterator[str]:
    """Yield what there is to say, the most important first."""
    versions = status["versions"]
    word = status["health"].replace("_", " ")
    runs = f"inline-proxy {versions['inline_proxy']}, kamailio {versions['kamailio'] or 'none'}"
    since = f", up {duration(status['uptime_s'])}" if status["uptime_s"] is not None else ""
    yield f"{_in(COLOURS[status['health']], word, colour=colour)}: {runs}{since}"
    for problem in status["problems"]:
        yield f"  {_in('red', 'problem', colour=colour)}: {_plain(problem)}"
    if status["draining"]:
        yield "  draining: OPTIONS are answered 503; `inline-proxy undrain` ends it"
    yield from _named("ClearIP", [_site(site, colour=colour) for site in status["clearip_sites"]])
    yield from _named("listening", status["listeners"])
    yield from _named("calls", _calls(status))
    yield from _named("answers", _counted(status["counters"].get("final_codes", {})))
    yield from _named("occurrences", _counted(status["counters"]["kamailio"]))
    yield from _named("cluster", cluster_lines(status.get("cluster")))


def duration(seconds: int) -> str:
    """Return a time in the two units that say most of it."""
    days, rest = divmod(seconds, DAY_S)
    hours, rest = divmod(rest, HOUR_S)
    minutes, rest = divmod(rest, MINUTE_S)
    if days:
        return f"{days} d {hours} h"
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _named(name: str, texts: list[str]) -> Iterator[str]:
    """Yield texts below each other, the name beside the first."""
    for number, text in enumerate(texts):
        yield f"{'' if number else name:<{NAME}}{text}"


def cluster_lines(cluster: Mapping[str, Any] | None) -> list[str]:
    """Return what there is to say of the group, where there is one."""
    if cluster is None:
        return []
    nodes, now = cluster["nodes"], cluster["calls_in_progress"]
    whole = (
        f"{cluster['heard']} of {len(nodes)} nodes heard, "
        f"{cluster['calls_per_second']} calls per second, {cluster['calls_begun']} begun, "
        f"{now['setting_up']} being set up, {now['conversations']} in conversation"
    )
    return [whole, *_counted(cluster["calls"]), *map(_node, nodes)]


def _node(node: Mapping[str, Any]) -> str:
    name = f"{node['address']}{' (this one)' if node['own'] else ''}"
    if not node["heard"]:
        return f"{name}: not heard; its numbers do not count"
    draining = ", draining" if node["draining"] else ""
    return (
        f"{name}: {node['calls_per_second']} calls per second, {node['calls_begun']} begun, "
        f"{node['clearip_sites_up']} of {len(node['clearip_sites'])} ClearIP sites up, "
        f"release {_plain(node['release'])}{draining}"
    )


def _site(site: Mapping[str, Any], *, colour: bool) -> str:
    state = _in(
        "green" if site["state"] == "up" else "red", f"{site['state']:<{STATE}}", colour=colour
    )
    since = ""
    if site["since"]:
        begun = datetime.fromtimestamp(site["since"]).astimezone()
        ago = duration(max(0, int(time.time()) - site["since"]))
        since = f" since {begun:%Y-%m-%d %H:%M:%S} ({ago})"
    why = f": {site['reason']}" if site["reason"] and site["state"] != "up" else ""
    return f"{state}{_plain(site['uri'])}{since}{_plain(why)}"


def _calls(status: Mapping[str, Any]) -> list[str]:
    now, counters = status["calls_in_progress"], status["counters"]
    if now["setting_up"] is None:
        return []
    found = [f"{now['setting_up']} being set up, {now['conversations']} in conversation"]
    calls = counters.get("calls", {})
    if not calls:
        return [*found, "none has ended since the observer started"]
    found.append(f"{sum(calls.values())} since the observer started: {_sorted(calls)}")
    sent = sum(calls.get(word, 0) for word in ("signed", "routed", "unsigned"))
    if sent:
        attested = _sorted(counters.get("attestations", {}))
        share = f"signed {100 * calls.get('signed', 0) / sent:.1f} % of {sent} that were sent on"
        found.append(f"{share}{'; attestation ' if attested else ''}{attested}")
    return found


def _counted(counts: Mapping[str, int]) -> list[str]:
    return [_sorted(counts)] if counts else []


def _sorted(counts: Mapping[str, int]) -> str:
    """Return counts on one line, the most first."""
    most = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return ", ".join(f"{name} {number}" for name, number in most)


def _in(colour_name: str, text: str, *, colour: bool) -> str:
    return click.style(text, fg=colour_name, bold=True) if colour else text


def _plain(text: str) -> str:
    return "".join(character if character.isprintable() else "?" for character in text)
