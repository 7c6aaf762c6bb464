"""Which calls are under way, and what becomes of them: events in, records out."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from inline_proxy.observation.call_record import Record, cut_off, hung_up, moment, record_of
from inline_proxy.observation.event_names import Event

LONGEST_SET_UP_US: Final = 30 * 60 * 1_000_000
"""After this long without a final response, one was sent that nobody could tell of."""
LONGEST_CALL_US: Final = 24 * 60 * 60 * 1_000_000
"""After this long without a BYE, it passed where the proxy did not see it."""


class Decided(NamedTuple):
    """A call attempt has its final response, or never will: `record` says all but talk time."""

    record: Record


class Ended(NamedTuple):
    """A call attempt is over: `record` is complete."""

    record: Record


@dataclass(slots=True)
class Conversation:
    """A call that was answered."""

    record: Record
    from_tag: str
    answered: Event


@dataclass(slots=True)
class CallBook:
    """The calls under way; what it holds can be stored and taken up again."""

    setting_up: dict[str, list[Event]] = field(default_factory=dict)
    """The events of calls without a final response, by the id of the call."""
    talking: dict[str, list[Conversation]] = field(default_factory=dict)
    """Answered calls, by Call-ID."""
    dropped_files: int = 0

    @property
    def conversations(self) -> int:
        """How many answered calls have not ended."""
        return sum(map(len, self.talking.values()))

    def take(self, event: Event) -> Iterator[Decided | Ended]:
        """Take an event; what is not known, or comes twice, changes nothing."""
        match event["kind"]:
            case "begun":
                self.setting_up[event["call"]] = [event]
            case "started":
                yield from self.cut_off_set_ups(event["at"])
            case "hung_up":
                yield from self._hang_up(event)
            case "dropped":
                self.dropped_files += event.get("files", 0)
            case "answered" | "finished" as kind:
                yield from self._decide(event, is_answered=kind == "answered")
            case _ if event["call"] in self.setting_up:
                self.setting_up[event["call"]].append(event)

    def _decide(self, event: Event, *, is_answered: bool) -> Iterator[Decided | Ended]:
        events = self.setting_up.pop(event["call"], None)
        if events is None:
            return
        record = record_of([*events, event])
        yield Decided(record)
        if not is_answered:
            yield Ended({**record, "ended_at": moment(event["at"])})
            return
        conversation = Conversation(record, events[0].get("from_tag", ""), event)
        self.talking.setdefault(record["call_id"], []).append(conversation)

    def _hang_up(self, bye: Event) -> Iterator[Ended]:
        """End the call whose dialog the BYE is in; either side may send it."""
        calls = self.talking.get(bye["call_id"], [])
        tags = {bye.get("from_tag"): "caller", bye.get("to_tag"): "called"}
        found = next((call for call in calls if call.from_tag in tags), None)
        if found is None:
            return
        self._forget(found)
        yield Ended(hung_up(found.record, found.answered, bye, tags[found.from_tag]))

    def _forget(self, conversation: Conversation) -> None:
        call_id = conversation.record["call_id"]
        self.talking[call_id].remove(conversation)
        if not self.talking[call_id]:
            del self.talking[call_id]

    def cut_off_set_ups(self, at_us: int) -> Iterator[Decided | Ended]:
        """End the set-ups that had begun before: Kamailio has forgotten them."""
        for call, events in list(self.setting_up.items()):
            if events[0]["at"] < at_us:
                del self.setting_up[call]
                record = record_of(events)
                yield Decided(record)
                yield Ended(cut_off(record, at_us))

    def cut_off_all(self, at_us: int) -> Iterator[Decided | Ended]:
        """End everything: the proxy has stopped."""
        yield from self.cut_off_set_ups(at_us + 1)
        yield from self._cut_off_conversations(at_us, started_before_us=at_us + 1)

    def give_up_old(self, at_us: int) -> Iterator[Decided | Ended]:
        """End what should have ended long ago, so that memory does not fill."""
        yield from self.cut_off_set_ups(at_us - LONGEST_SET_UP_US)
        yield from self._cut_off_conversations(at_us, started_before_us=at_us - LONGEST_CALL_US)

    def _cut_off_conversations(self, at_us: int, started_before_us: int) -> Iterator[Ended]:
        for calls in list(self.talking.values()):
            for call in list(calls):
                if call.answered["at"] < started_before_us:
                    self._forget(call)
                    yield Ended(cut_off(call.record, at_us))

    def to_json(self) -> dict[str, Any]:
        """Return what `from_json` takes up."""
        talking = [
            [call.record, call.from_tag, call.answered]
            for calls in self.talking.values()
            for call in calls
        ]
        return {"setting_up": self.setting_up, "talking": talking}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> "CallBook":
        """Take up what `to_json` returned."""
        book = cls(setting_up=stored["setting_up"])
        for record, from_tag, answered in stored["talking"]:
            conversation = Conversation(record, from_tag, answered)
            book.talking.setdefault(record["call_id"], []).append(conversation)
        return book
