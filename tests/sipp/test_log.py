"""What the log says of a call, how much of it, and what it hides."""

import itertools
import re

import psutil
import pytest

from sipp.clearip import ClearIp, Site
from sipp.conftest import ProxyWith
from sipp.control import control_socket
from sipp.hosts import tcp_socket, udp_socket
from sipp.proxy import Proxies, Proxy
from sipp.raw_request import ask, request
from sipp.role import all_succeeded
from sipp.sipp import Sipp
from sipp.test_status import asked
from sipp.waiting import wait_until

MOST_LINES = 1
"""Of a call that is answered by its first target: its decisions, and not its messages."""
TOLD_BY_KAMAILIO = re.compile(r"\b(?:INFO|DEBUG):")


@pytest.fixture
def proxy(proxy_with: ProxyWith) -> Proxy:
    """A proxy of which no other test reads the level."""
    return proxy_with(targets={"answer_timeout_ms": 7300})


def answered_call(sipp: Sipp, clearip: ClearIp, proxy: Proxy) -> None:
    """A call, to its end."""
    target = sipp.play("target-200")
    clearip.redirects_to(target.at())
    assert all_succeeded(sipp.play("uac-answered", to=proxy), target)


def level(proxy: Proxy, *wanted: str) -> str:
    """Call `log-level`."""
    return asked(
        "log-level", *wanted, "--runtime-dir", str(control_socket(proxy).parent)
    ).stdout.strip()


def test_call_is_told_by_its_decisions_alone(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, number: str
) -> None:
    """Each line with the Call-ID; nothing per message, at whichever level."""
    answered_call(sipp, clearip, proxy)
    proxy.wait_for_record(number)

    lines = proxy.log_of(number)
    assert any("target 1: " in line for line in lines)
    assert len(lines) <= MOST_LINES, lines
    assert [line for line in proxy.log().splitlines() if TOLD_BY_KAMAILIO.search(line)] == []


def test_text_that_looks_like_a_variable_is_logged_to_the_letter(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, number: str
) -> None:
    """Kamailio puts values in place of names that it knows, in whatever it logs."""
    target = sipp.play("target-200")
    contact = target.at().replace(number, f"{number}$ru$$$(ci)")
    clearip.redirects_to(contact)

    assert all_succeeded(sipp.play("uac-answered", to=proxy), target)
    proxy.wait_for_log(number, f"target 1: sip:{number}$ru$$$(ci)@")


def test_level_is_changed_while_calls_go_on(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, number: str
) -> None:
    """No decision is logged at `warning`, and every one again at `notice`."""
    assert level(proxy) == "notice"

    assert level(proxy, "warning") == "warning"
    answered_call(sipp, clearip, proxy)
    proxy.wait_for_record(number)
    silent = proxy.log_of(number)
    assert level(proxy, "notice") == "notice"
    answered_call(sipp, clearip, proxy)

    assert silent == []
    proxy.wait_for_log(number, "target 1: ")


def test_level_of_a_proxy_that_does_not_run_is_an_error() -> None:
    """With what may be the matter."""
    answer = asked("log-level", "--runtime-dir", "/nonexistent")

    assert answer.returncode == 1
    assert "is the proxy running" in answer.stderr


def test_numbers_are_hidden_in_records_as_in_the_log(
    proxy_with: ProxyWith, clearip: ClearIp, sipp: Sipp, number: str
) -> None:
    """The Call-ID stays, as all else is found by it."""
    proxy = proxy_with(log={"mask_numbers": True})

    answered_call(sipp, clearip, proxy)

    wait_until(proxy.all_records, "there is a record")
    (record,) = proxy.all_records()
    assert record["to"] == f"{number[:-6]}xxxxxx"
    assert number in record["call_id"]
    assert number not in str({**record, "call_id": ""})


FORGED = " 1(2) NOTICE: forged"
MALFORMED = (
    f"OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/[transport] x;branch=\r\n{FORGED} [n]\r\nCSeq: 1",
    f"OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/[transport] x\r\nTo: <sip:a\r\n{FORGED} [n]",
    f"OPTIONS sip:a@b SIP/2.0\r\nX: y\r\n{FORGED} [n]\r\nContent-Length: z",
    f"OPTIONS sip:a@b SIP/2.0\r\nX: {'y' * 8_000}[n]\r\n{FORGED}{FORGED}\r\nContent-Length: z",
    f"OPTIONS sip:a@b SIP/2.0\r\nX:{(' ' * 8 + FORGED) * 200} [n]\r\nContent-Length: -",
)
SENDERS = ("127.0.0.1", "127.128.0.1")
"""A switch, and a stranger: Kamailio's parser knows no difference."""
WRITTEN = re.compile(r" ?\d+\((?P<pid>\d+)\) [A-Z]+: |\| |\d+ more errors of Kamailio's|inline-")


def test_malformed_messages_write_no_lines_of_their_own(
    proxies: Proxies, clearip_sites: tuple[Site, ...], number: str
) -> None:
    """Over UDP and TCP: line breaks stay inside of what Kamailio complains of."""
    assert clearip_sites
    proxy = proxies.fresh({})
    place = proxy.place("udp")
    children = psutil.Process(proxy.process.pid).children(recursive=True)
    processes = {str(each.pid) for each in children}
    before = len(proxy.log())
    for host, text in itertools.product(SENDERS, MALFORMED):
        malformed = f"{text}\r\n\r\n".replace("[n]", number)
        with udp_socket(host) as datagrams, tcp_socket(host) as stream:
            datagrams.sendto(malformed.replace("[transport]", "UDP").encode(), place.endpoint)
            stream.connect(proxy.place("tcp").endpoint)
            stream.sendall(malformed.replace("[transport]", "TCP").encode())
    ask(place, request("REGISTER", number, place))
    proxy.wait_for_log(number, "answered: 405")
    proxy.stop()

    lines = proxy.log()[before:].splitlines()
    assert any("forged" in line for line in lines)
    assert all(line.isprintable() for line in lines)
    begun = [WRITTEN.match(line) for line in lines]
    assert all(begun), [line for line, match in zip(lines, begun, strict=True) if not match]
    assert {match["pid"] for match in begun if match and match["pid"]} <= processes


def test_flood_of_malformed_messages_is_no_flood_of_lines(
    proxies: Proxies, clearip_sites: tuple[Site, ...], number: str
) -> None:
    """What is left out is counted."""
    assert clearip_sites
    proxy = proxies.fresh({})
    place = proxy.place("udp")
    with udp_socket(SENDERS[0]) as datagrams:
        for _ in range(10):
            for _ in range(100):
                datagrams.sendto(
                    b"OPTIONS sip:a@b SIP/2.0\r\nVia: nonsense\r\n\r\n", place.endpoint
                )
            assert ask(place, request("OPTIONS", number, place)).status == 200
    proxy.stop()

    lines = proxy.log().splitlines()
    assert len(lines) < 1_000
    assert any("more errors of Kamailio's were left out here" in line for line in lines)


def test_numbers_in_what_cannot_be_parsed_are_hidden(proxy_with: ProxyWith, number: str) -> None:
    """Kamailio's own complaints quote it."""
    proxy = proxy_with(log={"mask_numbers": True})
    text = f"OPTIONS sip:a@b SIP/2.0\r\nVia: SIP/2.0/UDP x\r\nTo: <sip:{number}\r\n x>\r\n\r\n"

    with udp_socket(SENDERS[0]) as datagrams:
        datagrams.sendto(text.encode(), proxy.place("udp").endpoint)

    wait_until(lambda: f"sip:{number[:-6]}xxxxxx" in proxy.log(), "the log quotes it")
    assert number not in proxy.log()
