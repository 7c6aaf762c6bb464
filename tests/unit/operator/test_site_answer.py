"""What ClearIP's answer to OPTIONS tells the operator."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from inline_proxy.finding import Finding
from inline_proxy.site_answer import read_answer

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
VIA = "Via: SIP/2.0/TLS 10.0.0.5:40000;branch=z9hG4bKx"


def findings(*lines: str, status: str = "200 OK") -> list[Finding]:
    """What is found in an answer with these header lines."""
    answer = "\r\n".join((f"SIP/2.0 {status}", *lines, "", "")).encode()
    asked = "outbound.sip.clearip.com"
    return list(read_answer("site", asked, answer, "10.0.0.5", NOW.timestamp()))


def test_host_behind_nat_is_told_the_address_that_clearip_sees() -> None:
    """It is what stands as an SBC there."""
    _, seen = findings(f"{VIA};received=203.0.113.7;rport=61234")

    assert seen.is_well
    assert seen.text == (
        "site: sees this host at 203.0.113.7 port 61234, behind NAT, as this host sends from "
        "10.0.0.5; enter 203.0.113.7 as an SBC in ClearIP"
    )


@pytest.mark.parametrize(
    ("via", "expected"),
    [
        (f"{VIA};received=10.0.0.5", "at 10.0.0.5, without NAT"),
        ("v: SIP/2.0/TLS [2001:db8::1];received=[2001:db8::2]", "at 2001:db8::2, behind NAT"),
    ],
)
def test_address_is_read_in_every_form(via: str, expected: str) -> None:
    """IPv6 with brackets or without, the header's name in its short form."""
    assert expected in findings(via)[1].text


def test_nothing_is_said_of_the_address_where_it_cannot_be_known() -> None:
    """Without `received`, ClearIP has said nothing of it."""
    assert len(findings(VIA)) == 1


@pytest.mark.parametrize(("off_s", "is_well"), [(0, True), (5, True), (6, False), (-6, False)])
def test_clock_that_is_off_by_more_than_seconds_is_a_fault(off_s: int, *, is_well: bool) -> None:
    """A signature that is too old, or of the future, is refused by who verifies it."""
    date = format_datetime(NOW - timedelta(seconds=off_s), usegmt=True)

    clock = findings(f"Date: {date}")[1]

    assert clock.is_well == is_well
    assert clock.text.startswith(f"clock: {abs(off_s)} s ")


def test_date_that_is_none_says_nothing() -> None:
    """Whatever it may mean."""
    assert len(findings("Date: yesterday")) == 1


def test_partition_that_clearip_refuses_is_a_fault_with_the_keys_to_look_at() -> None:
    """403 is how ClearIP says that it does not know the partition, or this host in it."""
    (refused,) = findings(status="403 Forbidden")

    assert not refused.is_well
    assert refused.text == "site: refuses outbound.sip.clearip.com with 403"
    assert "clearip.partition and trusted[].partition" in refused.remedy


def test_silence_is_a_fault() -> None:
    """So is what is no SIP."""
    (silent,) = read_answer("site", "x", b"HTTP/1.1 400 Bad Request", "10.0.0.5", 0)

    assert not silent.is_well
