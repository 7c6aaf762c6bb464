"""Which calls somebody wants to see."""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Final

from inline_proxy.tracing.traced_message import call_id_of, numbers_of

MOST_CALLS: Final = 10_000


@dataclass(slots=True)
class Wanted:
    """A number, a Call-ID, or every call."""

    text: str | None = None
    """A Call-ID, or the last digits of a number; None: every call."""
    _calls: "OrderedDict[str, None]" = field(default_factory=OrderedDict)
    """Calls that were chosen by their number, which later messages need not carry."""

    def __contains__(self, payload: bytes) -> bool:
        if b" OPTIONS\r\n" in payload:  # CSeq of what looks after connections, and is no call
            return False
        if self.text is None:
            return True
        text = payload.decode(errors="replace")
        call_id = call_id_of(text)
        if call_id == self.text or call_id in self._calls:
            return True
        if not any(user.endswith(self.text.removeprefix("+")) for user in numbers_of(text)):
            return False
        self._calls[call_id] = None
        if len(self._calls) > MOST_CALLS:
            self._calls.popitem(last=False)
        return True
