"""What a redirect server must not say, and what of its answers is not for the caller."""

from dataclasses import replace

import pytest

from inline_proxy.lab.answer import Answer
from sipp.clearip import HOST, ClearIp, token
from sipp.conftest import IMPATIENT, ProxyWith
from sipp.proxy import Config, Proxy, merged
from sipp.raw_request import RawCaller, request
from sipp.role import all_succeeded
from sipp.sipp import Sipp

DEFAULT_PORT = 9600
RINGS = Answer(302, "Moved Temporarily", ringing=True)
TELLING = (
    "Contact: <sip:52.223.0.89:5061;transport=tls>",
    "m: <sip:edge.sip.clearip.com>",
    "Server: Edge/1.0",
    "User-Agent: Edge/1.0",
    'Warning: 399 edge.sip.clearip.com "some text"',
    "Record-Route: <sip:52.223.0.89;lr>",
)
HIDDEN = ("contact", "server", "user-agent", "warning", "record-route")


def test_ringing_of_clearip_is_not_heard_by_the_caller(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """The 302 after it counts as if it had come alone."""
    target, identity = sipp.play("target-200"), token()
    clearip.answers(replace(RINGS, headers=(f"Contact: {target.at()}", f"Identity: {identity}")))

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, target)
    assert caller.statuses == [100, 200]
    assert target.invite.headers("identity") == [identity]
    assert clearip.was_asked_once()


@pytest.mark.parametrize("status", ["180 Ringing", "183 Session Progress", "199 Early Terminated"])
def test_site_that_only_rings_is_followed_by_the_next(
    fresh_proxy: Proxy, clearip: ClearIp, sipp: Sipp, status: str
) -> None:
    """It keeps the call no longer than a 100 does, and is canceled as well."""
    code, _, phrase = status.partition(" ")
    clearip.says(603, "Decline")
    clearip.answers(Answer(int(code), phrase, TELLING), at_site=1)

    caller = sipp.play("uac-refused", to=fresh_proxy)

    assert all_succeeded(caller)
    assert caller.statuses == [100, 603]
    clearip.wait_for("CANCEL")
    assert len(clearip.received("INVITE", at_site=2)) == 1


@pytest.mark.parametrize("status", ["200 OK", "202 Accepted"])
def test_call_that_clearip_accepts_is_refused_as_a_fault(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, status: str
) -> None:
    """The caller is not answered, ClearIP gets no ACK of a dialog, and no other site is asked."""
    nobody = sipp.play("nobody")
    code, _, phrase = status.partition(" ")
    clearip.says(int(code), phrase, f"Contact: {nobody.at()}", *TELLING[2:])

    caller = sipp.play("uac-refused", to=proxy)

    assert all_succeeded(caller)
    assert caller.statuses == [100, 502]
    assert caller.final.headers("reason") == ['SIP;cause=502;text="ClearIP accepted the call"']
    assert not [name for name in HIDDEN if caller.final.headers(name)]
    assert nobody.is_silent
    assert clearip.methods == ["INVITE"]
    proxy.wait_for_log(sipp.number, f"ClearIP accepted the call with {code}")


def test_call_that_clearip_accepts_takes_the_default_route_where_faults_do(
    proxy_with: ProxyWith, clearip: ClearIp, sipp: Sipp
) -> None:
    """`on_unavailable` decides, as for any answer that is a fault."""
    proxy = proxy_with(
        clearip={"on_unavailable": "default_route"}, default_route=[f"sip:{HOST}:{DEFAULT_PORT}"]
    )
    target = sipp.play("target-200", port=DEFAULT_PORT)
    clearip.says(200, "OK", "Contact: <sip:anything@sip.clearip.com>", f"Identity: {token()}")

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, target)
    assert caller.statuses == [100, 200]
    assert not target.invite.headers("identity")
    assert clearip.methods == ["INVITE"]


@pytest.mark.parametrize(
    "status", ["404 Not Found", "503 Service Unavailable", "403 Forbidden", "603 Decline"]
)
def test_relayed_answer_does_not_say_where_it_comes_from(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, status: str
) -> None:
    """ClearIP's hosts and software stay away; what concerns the caller arrives in order."""
    code, _, phrase = status.partition(" ")
    kept = [
        ("reason", f'SIP;cause={code};text="first, and \\"quoted\\""'),
        ("call-info", "<https://redress.example/a?b=c>;purpose=jwscard"),
        ("reason", 'Q.850;cause=21;location=LN;text="v=analytics1;url=https://redress.example/"'),
        ("x-anything", "to the letter;  two blanks"),
        ("retry-after", "5"),
    ]
    clearip.says(int(code), phrase, *TELLING, *(f"{name}: {value}" for name, value in kept))

    caller = sipp.play("uac-refused", to=proxy)

    assert all_succeeded(caller)
    assert f"{caller.final.status} {caller.final.reason_phrase}" == status
    assert not [name for name in HIDDEN if caller.final.headers(name)]
    names = {name for name, _ in kept}
    assert [field for field in caller.final.fields if field[0] in names] == kept


@pytest.fixture
def forgetful_proxy(proxy_with: ProxyWith) -> Proxy:
    """A proxy that asks one site only, and not for long."""
    changes: Config = {"clearip": {"sites": [{"host": HOST, "port": 6061}]}}
    return proxy_with(**merged(IMPATIENT, changes))


@pytest.mark.parametrize("status", ["302 Moved Temporarily", "200 OK"])
def test_answer_that_comes_when_the_call_is_forgotten_goes_to_nobody(
    forgetful_proxy: Proxy, clearip: ClearIp, sipp: Sipp, status: str
) -> None:
    """Kamailio itself would forward it along its Via."""
    nobody = sipp.play("nobody")
    code, _, phrase = status.partition(" ")
    # Kamailio forgets a transaction five seconds after its final response.
    clearip.answers(Answer(int(code), phrase, (f"Contact: {nobody.at()}",), delay_ms=6_500))
    place = forgetful_proxy.place("udp")

    with RawCaller(place) as caller:
        caller.send(request("INVITE", sipp.number, place))
        final = caller.hear_final()
        caller.send(request("ACK", sipp.number, place, to=final.header("to"), cseq="1 ACK"))
        forgetful_proxy.wait_for_log(sipp.number, f"discarded: {code}, which came too late")

        assert final.status == 503
        assert caller.has_heard_nothing()
    assert nobody.is_silent
