"""What `inline-proxy status` prints for people."""

import time
from typing import Any

import pytest

from inline_proxy.commands.status_lines import duration, lines

NOW = int(time.time())
STATUS: dict[str, Any] = {
    "health": "degraded",
    "problems": ["ClearIP site sip:192.0.2.2:5061;transport=tls is down: refused"],
    "draining": False,
    "listeners": ["udp:10.0.0.1:5060", "tls:10.0.0.1:5061"],
    "clearip_sites": [
        {
            "uri": "sip:192.0.2.1:5061;transport=tls",
            "state": "up",
            "reason": "x",
            "since": NOW - 90_000,
        },
        {
            "uri": "sip:192.0.2.2:5061;transport=tls",
            "state": "down",
            "reason": "\x1b",
            "since": None,
        },
    ],
    "calls_in_progress": {"setting_up": 3, "conversations": 120},
    "counters": {
        "kamailio": {"calls_shed": 2},
        "calls": {"signed": 90, "unsigned": 10, "blocked": 7},
        "final_codes": {"200": 95, "603": 7},
        "attestations": {"A": 80, "B": 10},
    },
    "versions": {"inline_proxy": "1.2.3", "kamailio": "6.0.1"},
    "uptime_s": 90_000,
}


def test_status_says_the_most_important_first() -> None:
    """How it is, what is wrong, ClearIP, whether calls are signed; nothing for a terminal to do."""
    assert list(lines(STATUS))[:2] == [
        "degraded: inline-proxy 1.2.3, kamailio 6.0.1, up 1 d 1 h",
        "  problem: ClearIP site sip:192.0.2.2:5061;transport=tls is down: refused",
    ]
    text = "\n".join(lines(STATUS))
    assert "\nClearIP       up        sip:192.0.2.1:5061;transport=tls since " in text
    assert "(1 d 1 h)\n              down      sip:192.0.2.2:5061;transport=tls: ?\n" in text
    assert "\ncalls         3 being set up, 120 in conversation\n" in text
    assert "signed 90.0 % of 100 that were sent on; attestation A 80, B 10\n" in text
    assert "\nanswers       200 95, 603 7\noccurrences   calls_shed 2" in text


def test_colours_are_for_those_who_want_them() -> None:
    """A file, or a pager, does not."""
    assert "\x1b[33m" in next(lines(STATUS, colour=True))
    assert "\x1b" not in "".join(lines(STATUS))


def test_proxy_that_does_not_run_has_little_to_say() -> None:
    """No observer answers, and no Kamailio."""
    gone = {
        **STATUS,
        "health": "not_running",
        "problems": ["Kamailio does not answer"],
        "listeners": [],
        "clearip_sites": [],
        "calls_in_progress": {"setting_up": None, "conversations": None},
        "counters": {"kamailio": {}},
        "versions": {"inline_proxy": "1.2.3", "kamailio": None},
        "uptime_s": None,
    }

    assert list(lines(gone)) == [
        "not running: inline-proxy 1.2.3, kamailio none",
        "  problem: Kamailio does not answer",
    ]


def test_drained_proxy_that_has_had_no_call_says_so() -> None:
    """Rather than nothing."""
    drained = {**STATUS, "draining": True, "counters": {"kamailio": {}, "calls": {}}}

    text = "\n".join(lines(drained))

    assert "`inline-proxy undrain` ends it" in text
    assert text.endswith("none has ended since the observer started")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(9, "9 s"), (61, "1 min 1 s"), (3_660, "1 h 1 min"), (90_000, "1 d 1 h")],
)
def test_time_is_said_in_two_units(seconds: int, text: str) -> None:
    """The rest does not matter."""
    assert duration(seconds) == text
