"""What a call that waits for an answer takes of the shared memory, and that it gives it back."""

import socket

import pytest

from inline_proxy.lab.message import Message
from sipp.clearip import ClearIp
from sipp.conftest import ProxyWith
from sipp.flood import call, finals
from sipp.hosts import udp_socket
from sipp.raw_request import LARGEST, PATIENCE_S, RawCaller
from sipp.sipp import Sipp
from sipp.torture.vitals import Vitals
from sipp.waiting import wait_until

CALLS = 150
KINDS = ("plain", "twelve-contacts", "four-signatures")
MOST_BYTES = 40_000
"""What docs/admission.md says that a pending call takes at most."""
LEFT_OVER = 0.1
"""Of the growth: tables keep what they have had."""
SIGNATURE = f"e30.{'e' * 700}.c2ln;info=<https://cert.example/p.pem>;alg=ES256;ppt=shaken"


@pytest.mark.timeout(120)
@pytest.mark.parametrize("kind", KINDS)
def test_pending_call_takes_little_memory_and_gives_it_back(
    proxy_with: ProxyWith, clearip: ClearIp, sipp: Sipp, kind: str
) -> None:
    """Calls pile up at a target that answers nothing; then all of them fail."""
    proxy = proxy_with(targets={"no_response_timeout_ms": 6000, "search_timeout_ms": 6500})
    place = sipp.vacancy()
    contacts = [f"<sip:{sipp.number}@{place.host_port};n={n}>" for n in range(12)]
    several = contacts if kind == "twelve-contacts" else contacts[:1]
    signatures = [SIGNATURE] * 4 if kind == "four-signatures" else []
    clearip.redirects_to(*several, identities=signatures)
    vitals = Vitals.of(proxy)
    vitals.remember_memory()

    with udp_socket(place.host, place.port) as target, RawCaller(proxy.place("udp")) as caller:
        for index in range(CALLS):
            caller.send(call(proxy, sipp.number, index))
        wait_until_called(target, CALLS)
        grown = vitals.memory()[0] - vitals.shared_bytes
        responses = finals(caller, CALLS)
        for response in responses:
            index = int(response.header("call-id").rpartition("raw")[2])
            to = response.header("to")
            caller.send(call(proxy, sipp.number, index, "ACK", to=to))

    print(f"{grown // CALLS} bytes of shared memory for a call with {kind}")  # noqa: T201
    assert {response.status for response in responses} == {408}
    assert grown / CALLS < MOST_BYTES
    wait_until(
        lambda: vitals.memory()[0] - vitals.shared_bytes < grown * LEFT_OVER,
        "the memory is given back",
    )


def wait_until_called(target: socket.socket, calls: int) -> None:
    """Hear the INVITE of each call; how often does not matter."""
    target.settimeout(PATIENCE_S)
    heard: set[str] = set()
    while len(heard) < calls:
        message = Message.parse(target.recv(LARGEST).decode())
        heard.add(message.header("call-id"))
