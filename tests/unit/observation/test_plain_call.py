"""A plain call goes a short way, and comes out as by the general one."""

import copy
from contextlib import suppress
from typing import NamedTuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from inline_proxy.observation.call_book import CallBook, Decided
from inline_proxy.observation.call_record import how_it_ended, ms, record_of
from inline_proxy.observation.call_set_up import Event, SetUp
from inline_proxy.observation.plain_call import PlainCall, plain_call
from inline_proxy.observation.tally import Tally
from unit.observation.told import SITE, identity

PLAIN: list[Event] = [
    [
        *("begun", 5_000, "c1@switch", "tag-a", "sip:+14045550100@10.0.0.1", "tel:911"),
        *("10.0.0.1", "switch-a", 900, False, True),
    ],
    ["asked", 5_180, SITE],
    ["clearip", 25_000, SITE, 302, "Moved", [], "route", 2, False, [identity()], []],
    ["attempted", 25_700, 1, "sip:+14705550100@192.0.2.1:5060", "", True, 700],
    ["rang", 90_000, 180],
    ["answered", 2_000_123, 200],
]
SECOND_RING: Event = ["rang", 95_000, 183]
CLOCK = st.integers(0, 3_000_000)
TEXT = st.text('a1é"\\\x7f\n;@:\U0001f600', max_size=6)
ODD = (
    st.none()
    | st.booleans()
    | st.integers(-9, 2**50)
    | TEXT
    | st.lists(TEXT, max_size=2)
    | st.sampled_from(["", [], 302, "sips:1@h", "sip:1@h;transport=TCP", "tel:1", identity()])
)


class Made(NamedTuple):
    """What becomes of a call."""

    record: object
    conversation: tuple[object, object, str]
    tally: Tally


def in_general(events: list[Event]) -> Made:
    """The general way."""
    told, tally = SetUp(events), Tally()
    record = record_of("c1", 10**15, told)
    tally.decided(told)
    return Made(record, (told.call_id, told.from_tag, how_it_ended(told)), tally)


def in_short(events: list[Event]) -> Made | None:
    """The short way, where it is one."""
    plain = plain_call("c1", 10**15, events)
    if plain is None:
        return None
    (told, record), tally = plain, Tally()
    tally.decided(told)
    return Made(record, (told.call_id, told.from_tag, "open"), tally)


@st.composite
def nearly_plain(draw: st.DrawFn) -> list[Event]:
    """A plain call at any times, in which little is otherwise."""
    events = copy.deepcopy(PLAIN)
    rang = draw(st.sampled_from([[], [PLAIN[4]], [PLAIN[4], SECOND_RING]]))
    events[4:5] = copy.deepcopy(rang)
    for event in events:
        event[1] = draw(CLOCK)
    for _ in range(draw(st.integers(0, 3))):
        event = draw(st.sampled_from(events))
        match draw(st.sampled_from(["value", "value", "value", "more", "less", "no", "twice"])):
            case "value" if len(event) > 1:
                event[draw(st.integers(1, len(event) - 1))] = draw(ODD)
            case "more":
                event.append(draw(ODD))
            case "less" if len(event) > 1:
                event.pop()
            case "no" if event[0] not in {"begun", "answered"}:
                events.remove(event)
            case "twice" if event[0] not in {"begun", "answered"}:
                events.insert(draw(st.integers(1, len(events) - 1)), event)
    return events


@settings(max_examples=400)
@given(nearly_plain())
@example(PLAIN)
def test_short_way_leads_where_the_general_one_does(events: list[Event]) -> None:
    """The same record to the letter, the same counts, and the same refusal of nonsense."""
    faults = (LookupError, TypeError, ValueError, AttributeError)
    try:
        expected = in_general(events)
    except faults:
        with suppress(*faults):
            assert in_short(events) is None
        return

    assert (short := in_short(events)) is None or short == expected


@settings(max_examples=100)
@given(
    clocks=st.lists(CLOCK, min_size=6, max_size=6),
    identities=st.lists(st.builds(identity, attest=TEXT, origid=TEXT), max_size=2),
    phrase=TEXT,
    source=st.none() | TEXT,
    signed=st.booleans(),
)
def test_plain_call_goes_the_short_way(
    clocks: list[int], identities: list[str], phrase: str, source: str | None, *, signed: bool
) -> None:
    """Whatever its texts and times: a clock may even go back."""
    events = copy.deepcopy(PLAIN)
    for event, clock in zip(events, clocks, strict=True):
        event[1] = clock
    events[0][7], events[2][4], events[2][9], events[3][5] = source, phrase, identities, signed

    assert in_short(events) == in_general(events)


@pytest.mark.parametrize(
    ("event", "value", "other"),
    [
        (0, 9, True),
        (0, 10, False),
        (1, 2, "sip:other"),
        (2, 3, 404),
        (2, 5, ["Q.850;cause=1"]),
        (2, 6, "no_route"),
        (2, 8, True),
        (2, 10, ["<sip:1@x;verstat=TN-Validation-Passed>"]),
        (3, 4, "sip:192.0.2.9"),
    ],
)
def test_call_that_is_not_plain_goes_the_general_way(event: int, value: int, other: object) -> None:
    """An emergency, another site, a diversion, a next hop."""
    events = copy.deepcopy(PLAIN)
    events[event][value] = other

    assert in_short(events) is None


def test_book_decides_a_plain_call_by_the_short_way_after_a_restart() -> None:
    """Its events may have been read by the observer before, the last of them by this one."""
    book = CallBook()
    for event in PLAIN[:-1]:
        assert list(book.take("c1", 10**15, [event])) == []
    again = CallBook.from_json(copy.deepcopy(book.to_json()))

    (decided,) = again.take("c1", 10**15, [PLAIN[-1]])

    assert isinstance(decided, Decided)
    assert isinstance(decided.told, PlainCall)
    assert decided.record == in_general(PLAIN).record
    assert again.conversations == 1


@given(st.integers(0, 10**15 - 1) | st.integers(0, 10**18))
@example(0)
@example(1)
@example(999)
@example(10**15)
def test_milliseconds_are_written_as_a_number_of_python(us: int) -> None:
    """Without the floating-point number in between."""
    assert ms(us) == str(us / 1000)
