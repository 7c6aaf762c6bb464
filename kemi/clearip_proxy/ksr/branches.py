"""Sending branches: what a query to ClearIP and an attempt at a target have in common."""

from clearip_proxy.ksr.events import CallEvents
from clearip_proxy.ksr.log import KsrLog
from clearip_proxy.ksr.port import KsrPort
from clearip_proxy.ksr.reader import CONTEXT_VARIABLE
from clearip_proxy.response_context import ResponseContext
from clearip_proxy.sip.grammar import has_control, is_utf8

# Callbacks that Kamailio looks up by name. A name without a method would not be an error: the
# callback would not run, and ClearIP's 302 would be forwarded to the caller. A test compares
# these with the entry class.
ON_CLEARIP_FAILURE = "ksr_failure_clearip"
ON_TARGET_FAILURE = "ksr_failure_target"
ON_TARGET_BRANCH = "ksr_branch_target"
ON_TARGET_REPLY = "ksr_reply_target"
ON_CLEARIP_BRANCH = "ksr_branch_clearip"
ON_CLEARIP_REPLY = "ksr_reply_clearip"
ON_LOOK_UP = "ksr_look_up"
ON_LOOKED_UP = "ksr_looked_up"
ON_NOT_LOOKED_UP = "ksr_not_looked_up"
ON_AWAIT_CONNECTION = "ksr_await_connection"
ON_CONNECTION = "ksr_connection"
NO_CALLBACK = ""


class KsrBranches:
    """Stores the response context, completes header fields, relays."""

    def __init__(self, ksr: KsrPort, log: KsrLog, events: CallEvents) -> None:
        self._ksr = ksr
        self._log = log
        self._events = events

    def store(self, context: ResponseContext) -> None:
        """Keep the response context in the transaction."""
        self._ksr.pvx.xavu_sets(CONTEXT_VARIABLE, context.to_text())

    def server_name(self, name: str) -> None:
        """Set the name that a new TLS connection asks for; "" for none."""
        self._ksr.pvx.xavp_child_sets("tls", "server_name", name)

    def relay(self, on_failure: str, no_response_ms: int, answer_ms: int | None = None) -> bool:
        """Send a branch; False when it could not be sent, and the transaction lives on.

        `answer_ms` bounds the time after a provisional response, None for the same bound.
        Without the flag tm would answer the caller with a 477 at once, and no further target
        would ever be tried.

        What has been told of the call is written before: what follows may be told elsewhere.
        """
        self._events.flush()
        tm = self._ksr.tm
        tm.t_on_failure(on_failure)
        tm.t_set_fr(answer_ms or no_response_ms, no_response_ms)
        tm.t_set_disable_internal_reply(1)
        return tm.t_relay() > 0

    def is_sendable(self, name: str, value: str) -> bool:
        """Refuse a value that would break out of its header field, or that is no UTF-8."""
        if has_control(value) or not is_utf8(value):
            self._log.note(f"left out: {name}, with a character that no header field may hold")
            return False
        return True
