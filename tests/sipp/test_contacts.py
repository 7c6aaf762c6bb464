"""Contacts that lead elsewhere than their host says, and contacts that lead nowhere."""

import pytest

from sipp.clearip import ClearIp
from sipp.proxy import Proxy
from sipp.role import all_succeeded
from sipp.sipp import Sipp


@pytest.mark.parametrize(
    ("address", "maddr"), [("127.0.0.1", "127.0.0.1"), ("::1", "[::1]")], ids=["ipv4", "ipv6"]
)
def test_maddr_is_where_the_invite_goes(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, address: str, maddr: str
) -> None:
    """In place of the host, which nobody looks up; the Request-URI stays as it is (RFC 3263 §4)."""
    target = sipp.play("target-200", host=address)
    uri = f"sip:{sipp.number}@gateway.invalid:{target.place.port};maddr={maddr}"
    clearip.redirects_to(f"<{uri}>")

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, target)
    assert target.invite.request_uri == uri


def test_maddr_of_the_proxy_is_no_target(proxy: Proxy, clearip: ClearIp, sipp: Sipp) -> None:
    """However innocent the host looks: the call would go round."""
    target = sipp.play("target-200")
    uri = f"sip:{sipp.number}@192.0.2.1:{proxy.port};maddr=127.0.0.1"
    clearip.redirects_to(f"<{uri}>", target.at())

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, target)
    assert clearip.was_asked_once()
    proxy.wait_for_log(sipp.number, "contact 1 skipped: points to the proxy itself")


@pytest.mark.parametrize(
    ("contact", "told"),
    [
        ("<tel:+14045550123>", "contact 1 skipped: scheme tel leads to no host"),
        ("<sip:{number}@127.0.0.1;transport=ws>", "contact 1 skipped: transport ws is none"),
        ("<sip:{number}@127.0.0.1;transport=SCTP>", "contact 1 skipped: transport sctp is none"),
        ("<sip:{number}@a.example;maddr=239.1.1.1>", "maddr is a multicast address"),
        ("<sip:{number}@a.example;maddr=[1::2::3]>", "contact 1: malformed IPv6 address"),
        ("<sip:{number}@sip.clearip.com;maddr=127.0.0.1>", "points to ClearIP's own domain"),
        ("<sip:{number}@127.0.0.1:70000>", "contact 1: port out of range"),
        ("<mailto:operator@example.com>", "contact 1: neither a SIP nor a tel URI"),
    ],
    ids=lambda value: None if value.startswith("<") else value.split(": ")[-1],
)
def test_contact_that_cannot_be_used_is_skipped(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, contact: str, told: str
) -> None:
    """It costs nothing but a line in the log, which says why."""
    target = sipp.play("target-200")
    clearip.redirects_to(contact.format(number=sipp.number), target.at())

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, target)
    assert clearip.was_asked_once()
    proxy.wait_for_log(sipp.number, told)


ODD = {
    "spaces": "Contact   :   <{uri}>   ;   q = 0.5",
    "folded-before-the-value": "Contact:\r\n <{uri}>\r\n\t;q=0.5\r\n ;expires=0",
    "brackets-in-the-display-name": 'Contact: "a, \\"b\\" <sip:x@127.0.0.1:1>" <{uri}>',
    "delimiters-in-a-parameter": 'Contact: <{uri}>;reason="a;b,c<d>";q=0.1',
    "empty-elements": "Contact: , ,<{uri}>, ,",
    "other-characters-in-the-name": 'Contact: "Zo\u00eb" <{uri}>',
    "long-name": f'Contact: "{"x" * 3_000}" <{{uri}}>',
    "headers-without-any": "Contact: <{uri}?>",
    "parameters-in-any-case": 'CONTACT: <{uri}> ;Q=0.3 ; +sip.instance="<urn:uuid:1>"',
    "malformed-q": "Contact: <{uri}>;q=-1",
}


@pytest.mark.parametrize("line", ODD.values(), ids=ODD)
def test_odd_contact_leads_where_it_says(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, line: str
) -> None:
    """Whatever stands around the URI (RFC 3261 §7.3.1, §20.10)."""
    target = sipp.play("target-200")
    clearip.moved(line.format(uri=target.uri))

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, target)
    assert target.invite.request_uri == target.uri
    assert clearip.was_asked_once()


ODD_URIS = {
    "scheme-in-capitals": "SIP:{number}@{host_port}",
    "no-user": "sip:{host_port}",
    "escapes-in-a-parameter": "sip:{number}@{host_port};x=%22a%2Cb%22;y",
    "request-parameters": "sip:{number}@{host_port};method=INVITE;ttl=16;lr",
    "question-mark-in-the-user": "sip:{number}?x=y@{host_port}",
    "transport-in-capitals": "sip:{number}@{host_port};transport=UDP",
    "two-hundred-parameters": "sip:{number}@{host_port}" + ";p=1" * 200,
}


@pytest.mark.parametrize("form", ODD_URIS.values(), ids=ODD_URIS)
def test_odd_uri_becomes_the_request_uri_to_the_letter(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, form: str
) -> None:
    """Nothing is lost, nothing is put in order."""
    target = sipp.play("target-200")
    uri = form.format(number=sipp.number, host_port=target.place.host_port)
    clearip.redirects_to(f"<{uri}>")

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, target)
    assert target.invite.request_uri == uri
