"""The entries by which the operator's command learns how the ClearIP sites are."""

import json

import pytest

from clearip_proxy.sites.site_status import Count, SiteState, SiteStatus, count_key

HOP = "sip:192.0.2.1:5061;transport=tls"
STATUS = SiteStatus(HOP, 1, SiteState.RESTING, "3 calls in a row", 1_790_000_000)


def test_status_that_was_written_is_read_again() -> None:
    """The table holds texts."""
    assert SiteStatus.from_text(STATUS.to_text()) == STATUS


def test_status_is_a_json_object_that_anybody_can_read() -> None:
    """The state is a word."""
    assert json.loads(STATUS.to_text()) == {
        "site": HOP,
        "preference": 1,
        "state": "resting",
        "reason": "3 calls in a row",
        "since": 1_790_000_000,
    }


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", STATUS.to_text().replace("resting", "asleep"), '{"state": "up"}']
)
def test_other_text_is_no_status(text: str) -> None:
    """A reader learns that it cannot rely on it."""
    with pytest.raises((ValueError, TypeError, KeyError)):
        SiteStatus.from_text(text)


def test_counts_are_told_apart_by_what_is_counted() -> None:
    """A status code, or a word."""
    assert count_key(HOP, 302) == f"{HOP} 302"
    assert count_key(HOP, Count.LOST) == f"{HOP} lost"
