"""A block is final, and what it says arrives byte for byte, whoever blocks.

47 CFR 64.1200(k): every provider in the path hands the notice on that a call was blocked.
"""

import pytest

from sipp.clearip import HOST, ClearIp, token
from sipp.conftest import ProxyWith
from sipp.proxy import Proxy
from sipp.role import Role, all_succeeded
from sipp.sipp import Sipp

DEFAULT_PORT = 9970
NOTICE = (
    'Reason: Q.850;cause=21;location=LN;text="v=analytics1;url=https://redress.example/?id=a%20b"',
    'Reason: SIP ; cause=603 ;text="sti-blocked, \\"quoted\\""',
    "Call-Info: <https://redress.example/card.jws>;purpose=jwscard",
    'reason:SIP;cause=608;text="v=analytics1;tel=+18005550100;email=a@b.example",Q.850;cause=17',
    "X-Redress:   three blanks, and a comma,",
    "Error-Info: <sip:announcement@redress.example>",
)
"""Header lines of a block: names in any case, several of one name, odd blanks."""
BLOCKS = ("603 Decline", "603 Network Blocked", "607 Unwanted", "608 Rejected", "600 Busy")
EVERYTHING = {
    "clearip": {"on_no_route": "default_route", "on_unavailable": "default_route"},
    "targets": {"advance_on": ["4xx", "5xx"]},
    "default_route": [f"sip:{HOST}:{DEFAULT_PORT}"],
}


@pytest.fixture
def proxy(proxy_with: ProxyWith) -> Proxy:
    """A proxy that tries everything else for every other answer."""
    return proxy_with(**EVERYTHING)


@pytest.fixture
def default(sipp: Sipp) -> Role:
    """Who must never be called."""
    return sipp.play("nobody", port=DEFAULT_PORT)


def lines_of(role: Role) -> list[str]:
    """The status line and the header lines of the final response, to the letter."""
    (text,) = {
        entry.text.partition("\r\n\r\n")[0].replace("\r\n", "\n")
        for entry in role.trace
        if entry.direction == "received" and entry.message.status >= 200
    }
    return text.split("\n")


@pytest.mark.parametrize("status", BLOCKS)
def test_block_of_clearip_arrives_byte_for_byte(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, default: Role, status: str
) -> None:
    """All lines in order; a Contact beside it is called as little as the default route."""
    nobody = sipp.play("nobody")
    code, _, phrase = status.partition(" ")
    clearip.says(int(code), phrase, *NOTICE, f"Contact: {nobody.at()}", f"Identity: {token()}")

    caller = sipp.play("uac-refused", to=proxy)

    assert all_succeeded(caller)
    lines = lines_of(caller)
    assert lines[0] == f"SIP/2.0 {status}"
    assert [line for line in lines if line in NOTICE] == list(NOTICE)
    assert nobody.is_silent
    assert default.is_silent
    assert clearip.was_asked_once()


@pytest.mark.parametrize("status", BLOCKS)
def test_block_of_a_target_arrives_byte_for_byte(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, default: Role, status: str
) -> None:
    """Neither the next target nor the default route is tried."""
    failing, nobody = sipp.play("target-final"), sipp.play("nobody")
    blocking = sipp.play(
        "target-final", status=status, headers="".join(f"\r\n{line}" for line in NOTICE)
    )
    clearip.redirects_to(failing.at(0.9), blocking.at(0.8), nobody.at(0.7), identities=[token()])

    caller = sipp.play("uac-refused", to=proxy)

    assert all_succeeded(caller, failing, blocking)
    lines = lines_of(caller)
    assert lines[0] == f"SIP/2.0 {status}"
    assert [line for line in lines if line in NOTICE] == list(NOTICE)
    assert nobody.is_silent
    assert default.is_silent


def test_block_of_the_default_route_is_final(proxy: Proxy, clearip: ClearIp, sipp: Sipp) -> None:
    """As it is anywhere else."""
    blocking = sipp.play(
        "target-final", port=DEFAULT_PORT, status="603 Network Blocked", headers=f"\r\n{NOTICE[0]}"
    )
    clearip.says(404, "Not Found")

    caller = sipp.play("uac-refused", to=proxy)

    assert all_succeeded(caller, blocking)
    assert lines_of(caller)[0] == "SIP/2.0 603 Network Blocked"
    assert NOTICE[0] in lines_of(caller)


@pytest.mark.parametrize(
    "phrase", ["", "Zurückgewiesen", "J\udcc9", "x" * 500, "two  blanks ", "%s%d$ru$(rs)"]
)
def test_phrase_of_any_form_arrives_byte_for_byte(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, default: Role, phrase: str
) -> None:
    """Empty, in UTF-8, in another encoding, long, or full of what means something to Kamailio."""
    clearip.says(603, phrase, NOTICE[0])

    caller = sipp.play("uac-refused", to=proxy)

    assert all_succeeded(caller)
    assert lines_of(caller)[0] == f"SIP/2.0 603 {phrase}"
    assert NOTICE[0] in lines_of(caller)
    assert default.is_silent


def test_body_of_a_block_arrives(proxy: Proxy, clearip: ClearIp, sipp: Sipp) -> None:
    """A notice may be longer than a header field."""
    body = "v=analytics1 blocked by analytics"
    clearip.says(
        603,
        "Network Blocked",
        "Content-Type: text/plain",
        f"Content-Length: {len(body)}\r\n\r\n{body}",
    )

    caller = sipp.play("uac-refused", to=proxy)

    assert all_succeeded(caller)
    assert caller.final.body.startswith(body)
