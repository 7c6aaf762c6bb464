"""What the proxy shows of itself: plain SIP, today's TLS, and nothing about its software."""

import socket
import ssl

import pytest

from inline_proxy.lab.recording import Entry
from sipp.clearip import HOST, SITE_PORTS, ClearIp, Site
from sipp.conftest import ProxyWith
from sipp.dialog_scene import dialog_of
from sipp.invariants import SOFTWARE
from sipp.place import Place
from sipp.proxy import Proxy
from sipp.raw_request import RawCaller, request
from sipp.role import Role, all_succeeded
from sipp.sipp import Sipp
from sipp.tls_bridge import trusting
from sipp.waiting import wait_until

TELLING_HEADERS = ("server", "user-agent", "warning", "p-hint", "p-registrar-error")


def test_trying_has_the_plain_phrase(proxy: Proxy, clearip: ClearIp, sipp: Sipp) -> None:
    """Kamailio's own phrase would give it away."""
    clearip.says(603, "Decline")

    caller = sipp.play("uac-refused", to=proxy)

    assert all_succeeded(caller)
    assert [message.reason_phrase for message in caller.received(100)] == ["Trying"]


@pytest.mark.parametrize(
    ("method", "lines"),
    [("OPTIONS", ()), ("REGISTER", ()), ("INVITE", ("Proxy-Require: foo",)), ("BYE", ())],
)
def test_own_answers_name_no_software(
    proxy: Proxy, number: str, method: str, lines: tuple[str, ...]
) -> None:
    """No Server, no Warning, no product and no version."""
    place = proxy.place("udp")
    with RawCaller(place) as caller:
        caller.send(request(method, number, place, *lines))
        response = caller.hear_final()

    names = {name for name, _ in response.fields}
    assert names <= {
        *("via", "from", "to", "call-id", "cseq", "content-length"),
        *("allow", "unsupported", "contact"),
    }


def test_forwarded_messages_get_no_header_of_the_softwares(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """What ClearIP, the target and the caller get has no header but SIP's own."""
    first, second = sipp.play("target-final"), sipp.play("target-200")
    clearip.redirects_to(first.at(), second.at())

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, first, second)
    for role in (caller, first, second):
        assert not telling(role)
    for message in clearip.received():
        assert not any(message.headers(name) for name in TELLING_HEADERS)


def telling(role: Role) -> list[str]:
    """What a role was told about the proxy's software."""
    return [
        value
        for message in role.received()
        for name in TELLING_HEADERS
        for value in message.headers(name)
    ]


def test_keep_alive_names_no_software(
    proxy_with: ProxyWith, clearip_sites: tuple[Site, ...]
) -> None:
    """ClearIP is asked by its name whether it is there, and not told by which software."""
    sip_port = proxy_with(clearip={"keepalive_s": 1}).place("tls").port

    def options() -> list[Entry]:
        """The keep-alives of this proxy."""
        entries = (e for site in clearip_sites for e in tuple(site.record.entries))
        return [e for e in entries if e.text.startswith("OPTIONS") and f":{sip_port};" in e.text]

    wait_until(options, "ClearIP is asked with OPTIONS")
    asked = options()[0]
    assert asked.server_name == "sip.clearip.com"
    assert not SOFTWARE.search(asked.text)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_modern_tls_is_accepted(proxy: Proxy, version: ssl.TLSVersion) -> None:
    """TLS 1.2 and 1.3 complete the handshake."""
    assert handshake(proxy.place("tls"), version) == version.name.replace("_", ".")


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1:DeprecationWarning")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_old_tls_is_refused(proxy: Proxy, version: ssl.TLSVersion) -> None:
    """TLS 1.0 and 1.1 do not (RFC 8996)."""
    with pytest.raises(ssl.SSLError, match=r"(?i)protocol.version"):
        handshake(proxy.place("tls"), version)


def handshake(place: Place, version: ssl.TLSVersion) -> str | None:
    """Offer one version of TLS alone; give the one that was agreed on."""
    context = trusting()
    # The host's own policy must not be what refuses the old versions.
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.minimum_version = context.maximum_version = version
    with (
        socket.create_connection(place.endpoint, timeout=10) as connection,
        context.wrap_socket(connection) as encrypted,
    ):
        return encrypted.version()


@pytest.mark.parametrize("uri", ["sip:x@127.0.0.1:9;transport=tcp", "sip:x@nowhere.invalid"])
def test_request_in_a_dialog_that_cannot_be_sent_is_a_plain_503(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, uri: str
) -> None:
    """Kamailio's own phrases would give it away (RFC 3261 §16.9: a transport error is a 503)."""
    target, place = sipp.play("target-hung-up-on"), proxy.place("udp")
    clearip.redirects_to(target.at())
    phone = sipp.play("uac-hangs-up-on-cue", to=proxy)
    dialog = dialog_of(phone)
    target.wait_for("ACK")

    with RawCaller(place) as caller:
        caller.send(dialog.request("INFO", sipp.number, place, uri))
        response = caller.hear_final()

    assert (response.status, response.reason_phrase) == (503, "Service Unavailable")
    phone.cue()
    assert all_succeeded(phone, target)


@pytest.mark.parametrize("status", [404, 480, 503, 603])
def test_refusal_of_clearips_names_none_of_its_hosts(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, status: int
) -> None:
    """In no header field, known or not; what is said to the caller stays."""
    host = f"{HOST}:{SITE_PORTS[0]}"
    reason = f'SIP;cause={status};text="not today"'
    clearip.says(
        status,
        "No",
        f"Reason: {reason}",
        "Server: ClearIP/4.2",
        f'Warning: 399 {host} "no"',
        f"Contact: <sip:{host}>",
        "Error-Info: <https://www.ClearIP.com/why>;purpose=info",
        "Call-Info: <sip:sip.clearip.com>;purpose=x",
        f"X-Answered-By: {host}",
        "x-answered-by: node7.clearip.com",
        "Retry-After: 7 (try sip.clearip.com)",
        "X-Kept: yes",
    )

    caller = sipp.play("uac-refused", to=proxy)

    assert all_succeeded(caller)
    names = {name for name, _ in caller.final.fields}
    assert names <= {
        *("via", "from", "to", "call-id", "cseq", "content-length", "reason", "x-kept"),
    }
    assert caller.final.headers("reason") == [reason]
    assert caller.final.headers("x-kept") == ["yes"]
