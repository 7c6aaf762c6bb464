"""Which calls are under way, and what becomes of them: events in, records out."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from inline_proxy.observation.call_record import (
    OPEN,
    OpenRecord,
    RecordLine,
    how_it_ended,
    record_of,
)
from inline_proxy.observation.call_set_up import Event, SetUp
from inline_proxy.observation.plain_call import PlainCall, plain_call

LONGEST_SET_UP_US: Final = 30 * 60 * 1_000_000
"""After this long without a final response, one was sent that nobody could tell of."""
LONGEST_CALL_US: Final = 24 * 60 * 60 * 1_000_000
"""After this long without a BYE, it passed where the proxy did not see it."""


class Decided(NamedTuple):
    """A call attempt has its final response, or never will."""

    told: SetUp | PlainCall
    record: OpenRecord
    end: str
    at_us: int | None = None
    """When it ended, if it has."""

    @property
    def line(self) -> RecordLine:
        """Its record as far as it has come; most are never asked for."""
        return self.record.ended(self.end, self.at_us)


class Ended(NamedTuple):
    """A call attempt is over."""

    line: RecordLine
    """Its record."""
    talk_us: int | None = None


Step = Decided | Ended
NOTHING: Final = ()


class UnderWay(NamedTuple):
    """A call attempt without a final response."""

    epoch_us: int
    """What makes microseconds since 1970 of those on the monotonic clock."""
    events: list[Event]

    @property
    def begun_at_us(self) -> int:
        """When it began, since 1970."""
        begun_us: int = self.events[0][1]
        return self.epoch_us + begun_us


class Conversation(NamedTuple):
    """A call that was answered."""

    record: OpenRecord
    call_id: str
    from_tag: str
    epoch_us: int
    answered_us: int

    def talk_us(self, at_us: int, clock_us: int) -> int:
        """Return how long it has lasted, by the wall clock where the machine was started anew."""
        if clock_us < self.answered_us:
            return max(0, at_us - self.epoch_us - self.answered_us)
        return clock_us - self.answered_us


@dataclass(slots=True)
class CallBook:
    """The calls under way; what it holds can be stored and taken up again."""

    setting_up: dict[str, UnderWay] = field(default_factory=dict)
    """Calls without a final response, by the id of the call."""
    talking: dict[str, list[Conversation]] = field(default_factory=dict)
    """Answered calls, by Call-ID."""
    dropped_files: int = 0

    @property
    def conversations(self) -> int:
        """How many answered calls have not ended."""
        return sum(map(len, self.talking.values()))

    def take(self, call: str, epoch_us: int, events: list[Event]) -> Iterable[Step]:
        """Take the events of a line; what is not known, or comes twice, changes nothing.

        Raises `AttributeError`, `LookupError`, `TypeError` or `ValueError` where one cannot be
        understood.
        """
        if not call:
            return [step for event in events for step in self._take_of_no_call(epoch_us, event)]
        if events[0][0] == "begun":
            self.setting_up[call] = known = UnderWay(epoch_us, events)
        else:
            found = self.setting_up.get(call)
            if found is None:
                return NOTHING
            known = found
            known.events.extend(events)
        kind = events[-1][0]
        if kind == "answered" or kind == "finished":  # noqa: PLR1714 - quicker, and often asked
            return self._decide(call, known)
        return NOTHING

    def _take_of_no_call(self, epoch_us: int, event: Event) -> Iterable[Step]:
        kind = event[0]
        if kind == "hung_up":
            return self._hang_up(epoch_us, *event[1:5])
        if kind == "started":
            return list(self.cut_off_set_ups(epoch_us + event[1]))
        if kind == "dropped":
            self.dropped_files += event[2]
        return NOTHING

    def _decide(self, call: str, known: UnderWay) -> Iterable[Step]:
        del self.setting_up[call]
        epoch_us, events = known
        at_us = events[-1][1]
        told: SetUp | PlainCall
        if (plain := plain_call(call, epoch_us, events)) is not None:
            told, record = plain
            end = OPEN
        else:
            told = SetUp(events)
            record, end = record_of(call, epoch_us, told), how_it_ended(told)
            if not told.is_answered:
                decided = Decided(told, record, end, epoch_us + at_us)
                return decided, Ended(decided.line)
        conversation = Conversation(record, told.call_id, told.from_tag, epoch_us, at_us)
        self.talking.setdefault(told.call_id, []).append(conversation)
        return (Decided(told, record, end),)

    def _hang_up(
        self, epoch_us: int, clock_us: int, call_id: str, from_tag: str, to_tag: str
    ) -> Iterable[Step]:
        """End the call whose dialog a BYE is in; either side may send it."""
        for call in self.talking.get(call_id, NOTHING):
            if call.from_tag == from_tag or call.from_tag == to_tag:  # noqa: PLR1714 - as above
                self._forget(call)
                by = "caller" if call.from_tag == from_tag else "called"
                at_us = epoch_us + clock_us
                talk_us = call.talk_us(at_us, clock_us)
                return (Ended(call.record.ended("hung_up", at_us, talk_us, by), talk_us),)
        return NOTHING

    def _forget(self, conversation: Conversation) -> None:
        calls = self.talking[conversation.call_id]
        if len(calls) == 1:
            del self.talking[conversation.call_id]
        else:
            calls.remove(conversation)

    def cut_off_set_ups(self, at_us: int) -> Iterator[Step]:
        """End the set-ups that had begun before: Kamailio has forgotten them."""
        for call, known in list(self.setting_up.items()):
            if known.begun_at_us < at_us:
                del self.setting_up[call]
                told = SetUp(known.events)
                record = record_of(call, known.epoch_us, told)
                decided = Decided(told, record, "cut_off", at_us)
                yield decided
                yield Ended(decided.line)

    def cut_off_all(self, at_us: int) -> Iterator[Step]:
        """End everything: the proxy has stopped."""
        yield from self.cut_off_set_ups(at_us + 1)
        yield from self._cut_off_conversations(at_us, started_before_us=at_us + 1)

    def give_up_old(self, at_us: int) -> Iterator[Step]:
        """End what should have ended long ago, so that memory does not fill."""
        yield from self.cut_off_set_ups(at_us - LONGEST_SET_UP_US)
        yield from self._cut_off_conversations(at_us, started_before_us=at_us - LONGEST_CALL_US)

    def _cut_off_conversations(self, at_us: int, started_before_us: int) -> Iterator[Ended]:
        for calls in list(self.talking.values()):
            for call in list(calls):
                if call.epoch_us + call.answered_us < started_before_us:
                    self._forget(call)
                    yield Ended(call.record.ended("cut_off", at_us))

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` takes up."""
        talking = [call for calls in self.talking.values() for call in calls]
        return {"setting_up": self.setting_up, "talking": talking}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "CallBook":
        """Take up what `to_json` returned; raises `TypeError`."""
        under_way = {call: UnderWay(*known) for call, known in stored["setting_up"].items()}
        book = cls(setting_up=under_way)
        for record, *rest in stored["talking"]:
            conversation = Conversation(OpenRecord(*record), *rest)
            book.talking.setdefault(conversation.call_id, []).append(conversation)
        return book
