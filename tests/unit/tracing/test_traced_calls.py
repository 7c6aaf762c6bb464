"""What is kept of traced calls."""

from inline_proxy.tracing.screen import GrowingLadder, block, printable
from inline_proxy.tracing.traced_calls import MOST_MESSAGES, TracedCalls
from inline_proxy.tracing.traced_message import TracedMessage


def message(call_id: str = "a", at_s: float = 1.0, text: str = "BYE x SIP/2.0") -> TracedMessage:
    """A message to the proxy."""
    places = ("192.0.2.1:5060", "192.0.2.2:5060", "udp")
    return TracedMessage(at_s, *places, "caller", "proxy", call_id, text)


def test_messages_of_a_call_come_in_order_of_time() -> None:
    """Kamailio's processes tell of them as they come to it."""
    calls = TracedCalls()
    for at_s in (2.0, 1.0, 3.0):
        calls.add(message(at_s=at_s))
    calls.add(message("b"))

    assert [each.at_s for each in calls.messages_of("a")] == [1.0, 2.0, 3.0]
    assert calls.messages_of("c") == ()


def test_memory_is_bounded_and_the_call_unheard_of_longest_goes_first() -> None:
    """By characters over all, and by messages of one call."""
    calls = TracedCalls(most_characters=100)
    for call_id in ("a", "b", "a", "c"):
        calls.add(message(call_id, text="x" * 30))

    assert calls.messages_of("b") == ()
    assert len(calls.messages_of("a")) == 2

    for _ in range(MOST_MESSAGES + 5):
        calls.add(message("d", text=""))
    assert len(calls.messages_of("d")) == MOST_MESSAGES


def test_message_is_the_same_after_its_way_to_the_command() -> None:
    """As JSON."""
    assert TracedMessage.from_json(message().to_json()) == message()


def test_terminal_is_shown_text_alone() -> None:
    """Nothing that it would act on."""
    evil = message(text="BYE x SIP/2.0\r\nSubject: \x1b[31mred\x07\r\n\r\n")

    assert "\x1b" not in block(evil) + GrowingLadder().row(evil).text
    assert printable("a\r\n\x1b") == "a\n?"


def test_names_stand_above_each_call_once() -> None:
    """And again when another call was between."""
    ladder = GrowingLadder()

    headings = [ladder.heading(message(call)) is not None for call in ("a", "a", "b", "a")]
    assert headings == [True, False, True, True]
