"""The ClearIP stand-in on the wire: TLS, framing, transactions and the ways it misbehaves."""

import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from inline_proxy.lab.answer import Answer, Means
from inline_proxy.lab.answers import named
from inline_proxy.lab.certificates import LabFiles
from inline_proxy.lab.conversation import Settings
from inline_proxy.lab.message import Message
from inline_proxy.lab.recording import MemoryRecord
from inline_proxy.lab.server import StandIn, TlsIdentity, in_thread
from unit.lab.talker import Talker, request, talk


@contextmanager
def plain_talker(settings: Settings) -> Iterator[Talker]:
    """Talk over TCP to a stand-in with settings of its own."""
    with (
        in_thread(StandIn(settings, MemoryRecord(), None)) as stand_in,
        talk(stand_in.port, None) as talker,
    ):
        yield talker


def test_answer_belongs_to_the_request(clearip: Talker) -> None:
    """Via, From, Call-ID and CSeq come back; To gets a tag (RFC 3261 §8.2.6.2)."""
    invite = Message.parse(request("INVITE", "+14045550102"))
    reply = clearip.call("+14045550102")

    for name in ("via", "from", "call-id", "cseq"):
        assert reply.headers(name) == invite.headers(name)
    assert reply.header("to").startswith(invite.header("to") + ";tag=")


def test_server_name_and_tls_version_are_recorded(
    stand_in: StandIn, files: LabFiles, record: MemoryRecord
) -> None:
    """What the client asked for by SNI is known for each message, both ways."""
    with talk(stand_in.port, files.ca, "outbound.sip.clearip.com") as talker:
        talker.call("+14045550141")

    assert [entry.server_name for entry in record.entries] == ["outbound.sip.clearip.com"] * 2
    assert {entry.tls for entry in record.entries} <= {"TLSv1.2", "TLSv1.3"}


def test_record_has_time_direction_peer_and_text(clearip: Talker, record: MemoryRecord) -> None:
    """One entry per message, in the order they passed."""
    before = time.time()
    clearip.call("+14045550141")

    received, sent = record.entries
    assert (received.direction, sent.direction) == ("received", "sent")
    assert received.peer.startswith("127.0.0.1:")
    assert received.text == request("INVITE", "+14045550141")
    assert sent.text.startswith("SIP/2.0 603 Decline\r\n")
    assert before <= received.time <= sent.time <= time.time()


def test_plain_tcp_is_recorded_without_tls(means: Means) -> None:
    """A stand-in without a certificate speaks TCP."""
    record = MemoryRecord()
    with (
        in_thread(StandIn(Settings(means), record, None)) as stand_in,
        talk(stand_in.port, None) as talker,
    ):
        assert talker.call("+14045550141").status == 603

    assert [(entry.tls, entry.server_name) for entry in record.entries] == [(None, None)] * 2


def test_pipelined_requests_are_answered_in_order(clearip: Talker) -> None:
    """Three requests in one segment, with a keep-alive between them."""
    clearip.say(
        request("INVITE", "+14045550141", number=1, body="v=0\r\n"),
        "\r\n\r\n",
        request("OPTIONS", "ping", number=2),
        request("INVITE", "+14045550133", number=3),
    )
    replies = [clearip.hear() for _ in range(3)]

    assert [reply.status for reply in replies] == [603, 200, 404]
    assert [reply.header("call-id") for reply in replies] == ["call-1", "call-2", "call-3"]


def test_request_split_into_bytes_is_put_together(clearip: Talker) -> None:
    """A TLS record per byte, the body last."""
    for character in request("INVITE", "+14045550141", body="v=0\r\n"):
        clearip.say(character)

    assert clearip.hear().status == 603


def test_framing_that_makes_no_sense_ends_the_connection(clearip: Talker) -> None:
    """After a Content-Length that is no number, nothing can be found any more."""
    clearip.say(request("INVITE", "1").replace("Content-Length: 0", "Content-Length: many"))

    with pytest.raises((EOFError, OSError)):
        clearip.hear()


def test_ack_is_swallowed(clearip: Talker) -> None:
    """The next answer belongs to the next request."""
    clearip.call("+14045550141")
    clearip.say(request("ACK", "+14045550141"), request("OPTIONS", "ping", number=2))

    assert clearip.hear().method == "OPTIONS"


@pytest.mark.parametrize("method", ["BYE", "INFO", "MESSAGE"])
def test_method_that_clearip_does_not_take_is_405(clearip: Talker, method: str) -> None:
    """Only INVITE and its helpers are taken."""
    clearip.say(request(method, "+14045550101"))

    assert clearip.hear().status == 405


def test_options_gets_the_status_that_was_set(means: Means) -> None:
    """ClearIP may refuse what is not an INVITE; the path is alive all the same."""
    with plain_talker(Settings(means, options_status=403)) as talker:
        talker.say(request("OPTIONS", "ping"))

        assert talker.hear().status == 403


@pytest.mark.parametrize("name", ["slow", "trying-then-silence"])
def test_cancel_ends_a_call_that_waits(clearip: Talker, name: str) -> None:
    """200 for the CANCEL, 487 for the INVITE, and no late answer."""
    number = named(name).number
    assert clearip.call(number).status == 100
    clearip.say(request("CANCEL", number))

    first, second = clearip.hear(), clearip.hear()
    assert (first.status, first.method) == (200, "CANCEL")
    assert (second.status, second.method) == (487, "INVITE")

    clearip.stream.settimeout(1.6)
    with pytest.raises(TimeoutError):
        clearip.hear()


def test_cancel_of_an_answered_call_is_481(clearip: Talker) -> None:
    """Nothing is left to be ended."""
    clearip.call("+14045550141")
    clearip.say(request("CANCEL", "+14045550141"))

    assert clearip.hear().status == 481


def test_slow_answer_comes_after_its_delay(clearip: Talker) -> None:
    """100 at once, 302 after a second and a half."""
    begin = time.monotonic()
    trying = clearip.call(named("slow").number)
    trying_after = time.monotonic() - begin
    final = clearip.hear()

    assert (trying.status, final.status) == (100, 302)
    assert ";tag=" not in trying.header("to")
    assert trying_after < 1.4
    assert time.monotonic() - begin >= 1.5


def test_silence_answers_nothing_but_the_cancel(clearip: Talker) -> None:
    """The connection lives on: others are answered."""
    clearip.say(
        request("INVITE", named("silence").number, number=1),
        request("INVITE", "+14045550141", number=2),
        request("CANCEL", named("silence").number, number=1),
    )

    heard = [(reply.status, reply.header("call-id")) for reply in (clearip.hear(), clearip.hear())]
    assert heard == [(603, "call-2"), (200, "call-1")]


def test_closed_connection_ends_without_an_answer(clearip: Talker) -> None:
    """TLS is closed in the proper way: end of file, no error."""
    with pytest.raises(EOFError):
        clearip.call(named("closed").number)


def test_cut_answer_is_half_a_302(clearip: Talker, record: MemoryRecord) -> None:
    """What arrived begins as a 302 and does not end as a message."""
    with pytest.raises(EOFError):
        clearip.call(named("cut").number)

    half = record.entries[-1].text
    assert half.startswith("SIP/2.0 302 ")
    assert "\r\n\r\n" not in half


def test_reset_connection_is_an_error_over_tls(clearip: Talker) -> None:
    """No close_notify: the end of file is not the proper one."""
    with pytest.raises((ConnectionResetError, ssl.SSLEOFError)):
        clearip.call(named("reset").number)


def test_reset_connection_is_a_tcp_reset(means: Means) -> None:
    """Seen without TLS, it is the kernel that tells."""
    with plain_talker(Settings(means)) as talker, pytest.raises(ConnectionResetError):
        talker.call(named("reset").number)


def test_carrier_that_is_not_set_is_told_in_the_answer(files: LabFiles) -> None:
    """Whoever dials sees in the phrase what the lab was not given."""
    with plain_talker(Settings(Means())) as talker:
        reply = talker.call("+14045550101")

    assert (reply.status, reply.reason_phrase) == (500, "Lab: carrier A is not set")
    assert files.signing_key.exists()


def test_identity_without_a_key_is_told_in_the_answer() -> None:
    """A stand-in without a key can do everything but sign."""
    settings = Settings(Means(), lambda _user: Answer(302, "Moved", ("Identity: [identity]",)))
    with plain_talker(settings) as talker:
        assert talker.call("1").reason_phrase == "Lab: an Identity needs a signing key"


def test_listening_on_a_port_that_is_taken_is_an_error(
    stand_in: StandIn, means: Means, files: LabFiles
) -> None:
    """The second stand-in on one port does not start."""
    second: Any = StandIn(
        Settings(means), MemoryRecord(), TlsIdentity(files.certificate, files.private_key)
    )

    with (
        pytest.raises(OSError, match="address already in use"),
        in_thread(second, port=stand_in.port),
    ):
        pass
