"""Counts, metrics, health: plain values in, values out."""

import subprocess
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from inline_proxy.observation.call_book import Decided, Ended
from inline_proxy.observation.certificate_dates import CertificateDate
from inline_proxy.observation.health import Observed, can_take_calls, status_of
from inline_proxy.observation.kamailio_figures import KamailioFigures, Site
from inline_proxy.observation.metrics import Figures, exposition
from inline_proxy.observation.tally import MOST_TARGETS, Tally, host_port
from unit.observation.told import SITE, answer, asked, attempted, begun, identity, steps_of, told

UP = Site(SITE, "up")
DOWN = Site("sip:b:5061", "down", "refused")


def kamailio(*sites: Site, **counters: int) -> KamailioFigures:
    """A look at a Kamailio with these sites."""
    return KamailioFigures(
        version="5.6.3",
        uptime_s=7,
        shared_memory={"total": 100, "real_used": 40},
        package_memory=(("0 main", 1, 10), ("1 udp", 2, 10)),
        connections={
            "opened_connections": 3,
            "opened_tls_connections": 2,
            "max_connections": 20_000,
        },
        transactions=5,
        sites=sites,
        site_counts={f"{SITE} 302": 4, f"{SITE} unanswered": 1},
        counters=counters,
    )


def tally() -> Tally:
    """What one signed, answered call leaves behind."""
    counted = Tally()
    events = [begun(), asked(), answer(identities=[identity()]), attempted()]
    ring, up = told("rang", 1_000, status=180), told("answered", 2_000, status=200)
    bye = told("hung_up", 9_000, "", call_id="c1@switch", from_tag="tag-a", to_tag="b")
    for step in steps_of(*events, ring, up, bye):
        if isinstance(step, Decided):
            counted.decided(step.told)
        if isinstance(step, Ended):
            counted.ended(step.talk_us)
    return counted


def observed(**changes: bool) -> Observed:
    """What an observer knows."""
    return Observed(setting_up=1, conversations=2, tally=tally(), **changes)


def metrics(figures: Figures) -> list[str]:
    """The lines of a scrape."""
    return exposition(figures).decode().splitlines()


FIGURES = Figures(
    kamailio(UP, DOWN, events_lost=3),
    observed(),
    (CertificateDate("proxy", datetime(2030, 1, 1, tzinfo=UTC)),),
)


@pytest.mark.parametrize(
    "line",
    [
        'inline_proxy_calls_total{disposition="signed",source="switch-a"} 1.0',
        f'inline_proxy_clearip_responses_total{{code="302",site="{SITE}"}} 1.0',
        f'inline_proxy_clearip_response_seconds_bucket{{le="0.025",site="{SITE}"}} 1.0',
        f'inline_proxy_clearip_responses_total{{code="403",site="{SITE}"}} 0.0',
        'inline_proxy_occurrences_total{what="calls_over_limit"} 0.0',
        'inline_proxy_occurrences_total{what="calls_shed"} 0.0',
        'inline_proxy_added_delay_seconds_bucket{le="0.005"} 1.0',
        'inline_proxy_answered_calls_total{attempt="1"} 1.0',
        'inline_proxy_passports_total{attest="A",ppt="shaken"} 1.0',
        'inline_proxy_target_attempts_total{result="answered",target="192.0.2.1:5060"} 1.0',
        'inline_proxy_large_requests_total{transport="udp"} 1.0',
        "inline_proxy_talk_seconds_sum 7.0",
        'inline_proxy_calls_in_progress{phase="conversation"} 2.0',
        'inline_proxy_clearip_site_up{site="sip:b:5061"} 0.0',
        'inline_proxy_clearip_site_state{site="sip:b:5061",state="down"} 1.0',
        f'inline_proxy_clearip_site_events_total{{site="{SITE}",what="unanswered"}} 1.0',
        'inline_proxy_connections{transport="tcp"} 1.0',
        'inline_proxy_occurrences_total{what="events_lost"} 3.0',
        'inline_proxy_certificate_expiry_timestamp_seconds{certificate="proxy"} 1.893456e+09',
        "inline_proxy_shared_memory_used_bytes 40.0",
        "inline_proxy_workers 1.0",
        "inline_proxy_up 1.0",
    ],
)
def test_scrape_tells(line: str) -> None:
    """Names and units by Prometheus' conventions; labels in the order of the alphabet or ours."""
    name, _, value = line.rpartition(" ")
    labels = set(name.partition("{")[2].rstrip("}").replace('",', '"\n').splitlines())
    family = name.partition("{")[0]

    found = [
        each
        for each in metrics(FIGURES)
        if each.partition("{")[0].partition(" ")[0] == family
        and labels <= set(each.partition("{")[2].partition("}")[0].replace('",', '"\n').split("\n"))
    ]

    assert [each.rpartition(" ")[2] for each in found] == [value]


def test_promtool_finds_nothing_to_say_about_the_metrics() -> None:
    """Its rules are Prometheus' own."""
    checked = subprocess.run(
        ["promtool", "check", "metrics"],
        input=exposition(FIGURES),
        capture_output=True,
        check=False,
    )

    assert (checked.returncode, checked.stdout, checked.stderr) == (0, b"", b"")


def test_scrape_of_a_proxy_that_is_down_says_so() -> None:
    """And still tells what was counted."""
    lines = metrics(Figures(None, observed(), ()))

    assert "inline_proxy_up 0.0" in lines
    assert not any(line.startswith("inline_proxy_workers") for line in lines)


def test_targets_that_are_counted_apart_are_bounded() -> None:
    """ClearIP names them, and each costs Prometheus memory."""
    counted = Tally()
    for number in range(MOST_TARGETS + 50):
        target = f"sip:1@192.0.2.1:{1000 + number}"
        end = told("finished", 9, status=503, phrase="", canceled=False)
        for step in steps_of(begun(), attempted(target=target), end):
            if isinstance(step, Decided):
                counted.decided(step.told)

    assert len(counted.targets) == MOST_TARGETS + 1
    assert counted.targets["other", "cut_off"] == 50


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("sip:+1@GW.example.net:5060;transport=tcp", "gw.example.net:5060"),
        ("sip:+1;npdi@192.0.2.1", "192.0.2.1"),
        ("sips:1@[2001:db8::1]:5061?x=y", "[2001:db8::1]:5061"),
        ("sip:192.0.2.1;lr", "192.0.2.1"),
    ],
)
def test_target_is_counted_by_host_and_port(uri: str, expected: str) -> None:
    """Never by the number that was called."""
    assert host_port(uri) == expected


def test_status_of_a_healthy_proxy() -> None:
    """Every site up, records written."""
    status = status_of(("udp:192.0.2.1:5060",), kamailio(UP), observed())

    assert (status["health"], status["problems"]) == ("healthy", [])
    assert status["counters"]["calls"] == {"signed": 1}
    assert status["calls_in_progress"] == {"setting_up": 1, "conversations": 2}
    assert can_take_calls(status)


def test_drained_proxy_is_well_and_takes_no_calls() -> None:
    """A load balancer, and keepalived, are told so; so is Prometheus."""
    drained = replace(kamailio(UP), is_draining=True)
    status = status_of((), drained, observed())

    assert (status["health"], status["draining"]) == ("healthy", True)
    assert not can_take_calls(status)
    assert "inline_proxy_draining 1.0" in metrics(Figures(drained, observed(), ()))


@pytest.mark.parametrize(
    ("figures", "known", "problem"),
    [
        (kamailio(UP, DOWN), observed(), "sip:b:5061 is down: refused"),
        (kamailio(UP, events_lost=1), observed(), "could not be written"),
        (kamailio(UP), observed(are_records_written=False), "cannot be written"),
        (kamailio(UP), None, "no observer runs"),
    ],
)
def test_problem_degrades_the_proxy_and_is_named(
    figures: KamailioFigures, known: Observed | None, problem: str
) -> None:
    """It takes calls all the same."""
    status = status_of((), figures, known)

    assert status["health"] == "degraded"
    assert len(status["problems"]) == 1
    assert problem in status["problems"][0]
    assert can_take_calls(status)


def test_proxy_without_kamailio_or_without_a_site_takes_no_calls() -> None:
    """A load balancer is told."""
    assert status_of((), None, observed())["health"] == "not_running"
    assert not can_take_calls(status_of((), None, observed()))
    assert not can_take_calls(status_of((), kamailio(DOWN), observed()))
