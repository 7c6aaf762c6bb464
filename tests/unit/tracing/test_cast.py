"""Who is who in a trace, by what has passed."""

from ipaddress import ip_address

from inline_proxy.lab.message import Message
from inline_proxy.tracing.cast import Cast
from inline_proxy.tracing.hep import Copy, Endpoint

PROXY = Endpoint(ip_address("192.0.2.1"), 5060)
SWITCH = Endpoint(ip_address("192.0.2.10"), 5060)
SITE = Endpoint(ip_address("192.0.2.20"), 5061)
CARRIER = Endpoint(ip_address("192.0.2.30"), 5060)


def message(start_line: str) -> Message:
    """A message of the one call."""
    return Message.parse(f"{start_line}\r\nCall-ID: c\r\nCSeq: 1 INVITE\r\n\r\n")


def ends(cast: Cast, source: Endpoint, destination: Endpoint, start_line: str) -> tuple[str, str]:
    """Who sends and who gets a message; to and from the site over TLS."""
    transport = "tls" if SITE in {source, destination} else "udp"
    copy = Copy(0.0, source, destination, transport, b"")
    return cast.ends(copy, message(start_line))


def test_everybody_is_known_by_the_invites_that_pass() -> None:
    """In both directions."""
    cast = Cast([str(PROXY)], "sip.clearip.com")

    assert ends(cast, SWITCH, PROXY, "INVITE sip:1@x SIP/2.0") == ("caller", "proxy")
    query = "INVITE sip:1@outbound.sip.clearip.com SIP/2.0"
    assert ends(cast, PROXY, SITE, query) == ("proxy", "ClearIP")
    assert ends(cast, SITE, PROXY, "SIP/2.0 302 Moved") == ("ClearIP", "proxy")
    assert ends(cast, PROXY, CARRIER, "INVITE sip:1@c SIP/2.0") == ("proxy", "target")
    assert ends(cast, PROXY, SWITCH, "SIP/2.0 200 OK") == ("proxy", "caller")


def test_redirection_whose_invite_is_copied_later_comes_from_clearip() -> None:
    """Different processes of Kamailio's send the copies."""
    cast = Cast([str(PROXY)], "sip.clearip.com")

    assert ends(cast, SITE, PROXY, "SIP/2.0 302 Moved") == ("ClearIP", "proxy")
    assert ends(cast, PROXY, SITE, "ACK sip:1@sip.clearip.com SIP/2.0") == ("proxy", "ClearIP")
    assert ends(cast, CARRIER, PROXY, "SIP/2.0 302 Moved")[0] != "ClearIP"
