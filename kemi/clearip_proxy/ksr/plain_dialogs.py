"""The plain ACK or BYE: it proves its dialog, and follows its route."""

from collections.abc import Sequence

from clearip_proxy.decisions import Discard, Reply
from clearip_proxy.dialog_token import DialogKeys
from clearip_proxy.ksr.gateway import KsrGateway
from clearip_proxy.ksr.plain_events import PlainEvents
from clearip_proxy.ksr.port import KsrPort
from clearip_proxy.ksr.reader import HOP_LIMIT
from clearip_proxy.routing import LOST_ACK, NO_SUCH_DIALOG, UNKNOWN_ACK, UNSENDABLE


class PlainDialogs:
    """Takes them."""

    def __init__(
        self, ksr: KsrPort, keys: DialogKeys, gateway: KsrGateway, events: PlainEvents
    ) -> None:
        self._ksr = ksr
        self._tm = ksr.tm
        self._loose_route = ksr.rr.loose_route
        self._proves = keys.proves
        self._carry_out = gateway.carry_out
        self._events = events

    def pass_on(self, values: Sequence[str]) -> bool:
        """Take one by its values (`DIALOG_READ`); False where it proves nothing."""
        method, call_id, from_tag, to_tag, token = values
        if not self._proves(token, call_id, from_tag, to_tag):
            return False
        self._ksr.maxfwd.process_maxfwd(HOP_LIMIT)
        if method == "ACK":
            if self._tm.t_check_trans() != 0:
                self._follow_route(UNKNOWN_ACK, LOST_ACK)
        elif self._follow_route(NO_SUCH_DIALOG, UNSENDABLE) and self._events.are_kept:
            self._events.hung_up(call_id, from_tag, to_tag)
        return True

    def _follow_route(self, otherwise: Reply | Discard, unsendable: Reply | Discard) -> bool:
        if self._loose_route() <= 0:
            self._carry_out(otherwise)
            return False
        self._tm.t_set_disable_internal_reply(1)
        if self._tm.t_relay() < 0:
            self._carry_out(unsendable)
            return False
        return True
