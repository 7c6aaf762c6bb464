"""Header fields in the URI of a Contact (RFC 3261 §19.1.1): taken out, decoded, never trusted."""

from urllib.parse import quote

import pytest

from sipp.clearip import ClearIp, token
from sipp.conftest import ProxyWith
from sipp.proxy import Proxy
from sipp.role import Role, all_succeeded, tried_in_order
from sipp.sipp import Sipp

MOST_CONTACTS = 12
"""ClearIP's limit."""
CALLERS_OWN = "<sip:+14045550100@192.0.2.1>"
FORBIDDEN = (
    "Via",
    "Route",
    "Record-Route",
    "From",
    "To",
    "Call-ID",
    "CSeq",
    "Contact",
    "Max-Forwards",
    "Content-Type",
    "Content-Length",
    "Authorization",
    "Proxy-Authorization",
    "Subject",
    "Supported",
    "i",
    "l",
    "v",
    "body",
)


def contact(target: Role, *headers: tuple[str, str], q: float = 1.0) -> str:
    """A Contact with header fields in its URI, in percent-encoding."""
    embedded = "&".join(f"{name}={quote(value, safe='')}" for name, value in headers)
    return f"<{target.uri}?{embedded}>;q={q}"


def test_identity_in_a_contact_becomes_a_header(proxy: Proxy, clearip: ClearIp, sipp: Sipp) -> None:
    """Decoded to the letter; nothing of it is left in the Request-URI."""
    target, identity = sipp.play("target-200"), token()
    asserted = '"[V] José & Söhne+Co" <sip:+14045550100@192.0.2.1;verstat=TN-Validation-Passed>'
    clearip.redirects_to(contact(target, ("Identity", identity), ("P-Asserted-Identity", asserted)))

    caller = sipp.play("uac-answered", to=proxy, headers=f"\r\nP-Asserted-Identity: {CALLERS_OWN}")

    assert all_succeeded(caller, target)
    assert target.invite.request_uri == target.uri
    assert target.invite.headers("identity") == [identity]
    assert target.invite.headers("p-asserted-identity") == [asserted]


@pytest.mark.parametrize("length", [1_000, 2_000, 5_000, 12_000])
def test_identity_of_any_length_in_a_contact_arrives_whole(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, length: int
) -> None:
    """Kamailio's own redirect functions leave out a Contact of more than 1,023 characters."""
    first, second = sipp.play("target-final"), sipp.play("target-200")
    identities = [token(length=length), token("div", length=length)]
    clearip.redirects_to(
        contact(first, ("Identity", identities[0])),
        contact(second, ("Identity", identities[1]), q=0.5),
    )

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, first, second)
    assert first.invite.headers("identity") == [identities[0]]
    assert second.invite.headers("identity") == [identities[1]]


def test_each_of_twelve_contacts_brings_its_own_headers(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """Some twenty thousand octets of answer; what one contact brings no other gets."""
    targets = [*(sipp.play("target-final") for _ in range(MOST_CONTACTS - 1))]
    targets.append(sipp.play("target-200"))
    identities = [token(length=1_400) for _ in targets]
    names = [f'"NAME {place}" <sip:+14045550100@192.0.2.1>' for place in range(len(targets))]
    clearip.redirects_to(
        *(
            contact(target, ("y", identity), ("P-Asserted-Identity", name), q=0.99 - place / 100)
            for place, (target, identity, name) in enumerate(
                zip(targets, identities, names, strict=True)
            )
        )
    )

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, *targets)
    assert tried_in_order(*targets)
    for target, identity, name in zip(targets, identities, names, strict=True):
        assert target.invite.headers("identity") == [identity]
        assert target.invite.headers("p-asserted-identity") == [name]
    assert clearip.was_asked_once()


def test_signatures_of_answer_and_contact_add_up(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """Those of the answer first, each once; any other header of the contact takes precedence."""
    first, second = sipp.play("target-final"), sipp.play("target-200")
    general, own = token(), token("rcd")
    clearip.redirects_to(
        contact(
            first,
            ("identity", general),
            ("X-Identity", own),
            ("P-Asserted-Identity", "<sip:own@x>"),
        ),
        second.at(q=0.5),
        identities=[general],
        headers=["P-Asserted-Identity: <sip:general@x>", "Date: now"],
    )

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, first, second)
    assert first.invite.headers("identity") == [general, own]
    assert first.invite.headers("p-asserted-identity") == ["<sip:own@x>"]
    assert second.invite.headers("identity") == [general]
    assert second.invite.headers("p-asserted-identity") == ["<sip:general@x>"]
    for target in (first, second):
        assert target.invite.headers("date") == ["now"]


def test_joined_and_repeated_signatures_in_a_contact_are_several(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """As in a header field, and in the same order."""
    target, signatures = sipp.play("target-200"), [token(), token("div"), token("rcd")]
    clearip.redirects_to(
        contact(target, ("Identity", f"{signatures[0]}, {signatures[1]}"), ("y", signatures[2]))
    )

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, target)
    assert target.invite.headers("identity") == signatures


def test_contact_sets_nothing_that_routes_or_names_the_call(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """Only what `headers.copy` names passes (RFC 3261 §19.1.5); the rest is the caller's."""
    target, nobody, identity = sipp.play("target-200"), sipp.play("nobody"), token()
    evil = f"<sip:evil@{nobody.place.host_port};lr>"
    clearip.redirects_to(
        contact(target, *((name, evil) for name in FORBIDDEN), ("Identity", identity))
    )

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, target)
    assert target.invite.headers("identity") == [identity]
    assert not [value for _, value in target.invite.fields if "evil" in value]
    assert not target.invite.headers("route")
    assert "evil" not in target.invite.body
    (sent,) = caller.sent("INVITE")
    for name in ("from", "to", "call-id", "cseq", "contact", "content-type"):
        assert target.invite.headers(name) == sent.headers(name)
    assert nobody.is_silent


@pytest.mark.parametrize(
    ("embedded", "why"),
    [
        ("Identity=abc%0D%0AX-Evil:%201", "embedded header 1: control character"),
        ("Identity=abc%0AX-Evil:%201", "embedded header 1: control character"),
        ("Identity=abc%0DX-Evil:%201", "embedded header 1: control character"),
        ("P-Asserted-Identity=%3Csip:1@x%3E%0D%0A%0D%0AX-Evil", "embedded header 1: control char"),
        ("P-Asserted-Identity=%00", "embedded header 1: control character"),
        ("Identity%0D%0AX-Evil=1", "embedded header 1: no name"),
        ("X-Evil:1%0D%0AIdentity=1", "embedded header 1: no name"),
        ("=X-Evil", "embedded header 1: no name"),
        ("Identity", "embedded header 1: no name"),
        (f"P-Asserted-Identity={'1' * 9_000}", "P-Asserted-Identity: longer than 8192 characters"),
        (f"Identity={'e' * 17_000}", "identity 1: longer than 16384 characters"),
        ("P-Asserted-Identity=%22J%C9%22%20%3Csip:1@x%3E", "P-Asserted-Identity: no UTF-8"),
    ],
    ids=[
        "crlf",
        "lf",
        "cr",
        "end-of-head",
        "nul",
        "crlf-in-name",
        "name-with-colon",
        "no-name",
        "no-value",
        "size",
        "identity-size",
        "latin-1",
    ],
)
def test_embedded_header_that_would_break_out_is_left_out(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, embedded: str, why: str
) -> None:
    """Its contact is called all the same, with what else it brings; the log says why."""
    target, identity = sipp.play("target-200"), token("div")
    clearip.redirects_to(f"<{target.uri}?{embedded}&Identity={quote(identity)}>")

    caller = sipp.play("uac-answered", to=proxy, headers=f"\r\nP-Asserted-Identity: {CALLERS_OWN}")

    assert all_succeeded(caller, target)
    assert target.invite.request_uri == target.uri
    assert target.invite.headers("identity") == [identity]
    assert target.invite.headers("p-asserted-identity") == [CALLERS_OWN]
    assert "evil" not in target.trace[0].text.lower()
    proxy.wait_for_log(sipp.number, why)


def test_header_that_is_configured_passes_from_a_contact(
    proxy_with: ProxyWith, clearip: ClearIp, sipp: Sipp
) -> None:
    """By the name that the configuration spells."""
    proxy = proxy_with(headers={"copy": ["X-Carrier-Data", "Identity"]})
    target = sipp.play("target-200")
    clearip.redirects_to(
        contact(target, ("x-carrier-data", "a=b&c;d"), ("P-Asserted-Identity", "<sip:1@x>"))
    )

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, target)
    assert target.invite.headers("x-carrier-data") == ["a=b&c;d"]
    assert not target.invite.headers("p-asserted-identity")
