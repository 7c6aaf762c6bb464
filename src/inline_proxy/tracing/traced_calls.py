"""The calls that were traced lately, in bounded memory."""

from collections import OrderedDict
from typing import Final

from inline_proxy.tracing.traced_message import TracedMessage

MOST_CALLS: Final = 500
MOST_MESSAGES: Final = 200
"""Of one call; the first are kept, as they say how it came to be."""
MOST_CHARACTERS: Final = 16 * 1024 * 1024
"""Of all calls together."""


class TracedCalls:
    """Keeps messages by call; the call that was heard of least lately goes first."""

    def __init__(self, most_characters: int = MOST_CHARACTERS) -> None:
        self._most_characters = most_characters
        self._calls: OrderedDict[str, list[TracedMessage]] = OrderedDict()
        self._characters = 0

    def add(self, message: TracedMessage) -> None:
        """Keep a message."""
        messages = self._calls.setdefault(message.call_id, [])
        self._calls.move_to_end(message.call_id)
        if len(messages) >= MOST_MESSAGES:
            return
        messages.append(message)
        self._characters += len(message.text)
        while self._characters > self._most_characters or len(self._calls) > MOST_CALLS:
            _, forgotten = self._calls.popitem(last=False)
            self._characters -= sum(len(each.text) for each in forgotten)

    def messages_of(self, call_id: str) -> tuple[TracedMessage, ...]:
        """Return the messages of a call, the oldest first."""
        return tuple(sorted(self._calls.get(call_id, ()), key=lambda message: message.at_s))
