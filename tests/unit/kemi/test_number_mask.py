"""Telephone numbers lose their last digits; nothing else loses any."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearip_proxy.records.number_mask import masked


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("target 1: sip:+14045550100@192.0.2.1:5060", "target 1: sip:+14045xxxxxx@192.0.2.1:5060"),
        ("sip:4045550100;rn=+14045550199@gw", "sip:4045xxxxxx;rn=+14045xxxxxx@gw"),
        ("tel:+1-404-555-0100", "tel:+1-404-5xx-xxxx"),
        ("tel:(404)555.0100", "tel:(404)5xx.xxxx"),
        ("sip:%2B14045550100@gw", "sip:%2B14045xxxxxx@gw"),
        ("sip:404555%30100@gw", "sip:4045xxxxxx@gw"),
        ("sip:%34%30%34%35%35%35%30%31%30%30@gw", "sip:%34%30%34%35xxxxxx@gw"),
        ("5550100", "5xxxxxx"),
        ("two: 4045550100, 4045550199", "two: 4045xxxxxx, 4045xxxxxx"),
    ],
)
def test_number_loses_its_last_six_digits(text: str, shown: str) -> None:
    """However a number is written, the subscriber cannot be told."""
    assert masked(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "sip:911@10.0.0.1:5060",
        "answered: 503 Service Unavailable",
        "192.168.100.200 is not a trusted source",
        "sip:100200@gw",
        "[2001:db8::1]:5061",
        "",
    ],
)
def test_what_is_no_telephone_number_stays(text: str) -> None:
    """Emergency numbers, codes, addresses and ports are needed to read a log."""
    assert masked(text) == text


@given(number=st.text("0123456789", min_size=7, max_size=15))
def test_no_number_survives_whole(number: str) -> None:
    """As many digits are hidden from a short number as from a long one."""
    assert masked(f"sip:{number}@gw") == f"sip:{number[:-6]}xxxxxx@gw"
