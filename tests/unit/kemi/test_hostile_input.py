"""Sixty thousand hostile characters cost a worker next to nothing, whichever parser gets them."""

import time
from collections.abc import Callable

import pytest

from clearip_proxy.sip.contact import parse_contacts
from clearip_proxy.sip.identity import merge_identities, parse_identities
from clearip_proxy.sip.message import parse_response

LENGTH = 60_000
LIMIT_S = 1.0
"""Far above the milliseconds of one pass, far below the minute of one pass per character."""

UNITS = [
    '"', "\\", '\\"', '"\\', '""', "<", ">", "<<>", '"<', '<"', ",", ";", ";;=", ";a=b", "=",
    " ", "\t", " \t", "\n ", "\r\n ", "\r\n\t\r\n", "\n", "\r", " \r", "a", "a ", "a:", "A:1\r\n",
    ":", "@", "a@", "?", "?a=b&", "&a", "&", "%", "%2", "%00", "[", "[:", ".", "..", "0", "9",
    "\x00", "\udc80", "é", "sip:a@b,", "<sip:a@b>,", "<sip:a@b>;q=0.5,", "*,", "q=", "\u00a0",
]  # fmt: skip


def read_message(text: str) -> None:
    """Read the text as a status line's tail, as a header and as a head."""
    parse_response("SIP/2.0 302 " + text)
    parse_response(f"SIP/2.0 302 Moved\r\nContact: {text}\r\nA: 1\r\n\r\n")
    parse_response("SIP/2.0 302 Moved\r\n" + text)


def read_contacts(text: str) -> None:
    """Read the text as a Contact value, alone and many times."""
    parse_contacts([text])
    parse_contacts([text[:600]] * 100)


def read_identities(text: str) -> None:
    """Read the text as an Identity value and merge what is left of it."""
    values = parse_identities([text]).values
    merge_identities([text], [text, *values], "replace")


@pytest.mark.parametrize(
    ("read", "frame"),
    [
        (read_message, "{}"),
        (read_contacts, "{}"),
        (read_contacts, "{}\n"),
        (read_contacts, "<sip:{}"),
        (read_contacts, "<sip:{}>"),
        (read_contacts, "<sip:a@h{}>"),
        (read_contacts, "<sip:a@h?{}>"),
        (read_contacts, "sip:a@h{}"),
        (read_contacts, '"{}" <sip:a@h>'),
        (read_contacts, "<sip:a@h>{}"),
        (read_contacts, "<sip:a@h>;q={}"),
        (read_identities, "{}"),
        (read_identities, "a.b.c;ppt={}"),
    ],
)
def test_hostile_text_is_read_in_linear_time(read: Callable[[str], None], frame: str) -> None:
    """No repeated piece, in whatever place it stands, makes a parser read a text twice."""
    for unit in UNITS:
        text = frame.format(unit * (LENGTH // len(unit)))
        started = time.process_time()

        read(text)

        assert time.process_time() - started < LIMIT_S, f"{frame.format(unit)!r} repeated"
