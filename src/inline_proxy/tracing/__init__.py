"""Tracing: the messages of calls as they pass, those of the encrypted leg in plain text.

Kamailio's siptrace module copies every message to a socket that the observer opens while somebody
looks; what they look for is picked out there.
"""

from collections.abc import Sequence
from typing import Final

from inline_proxy.tracing.traced_calls import TracedCalls
from inline_proxy.tracing.traced_message import TracedMessage

TRACED: Final = TracedCalls()
"""What the observer's process has kept of the traces that were run."""


def messages_of(call_id: str) -> Sequence[TracedMessage]:
    """Return what was traced of a call, the oldest first; nothing where no trace ran."""
    return TRACED.messages_of(call_id)
