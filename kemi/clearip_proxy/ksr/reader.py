"""Kamailio to values: what arrived, as the decisions need it."""

import time
from collections.abc import Callable

from clearip_proxy.answering import BEGINNING, Pending
from clearip_proxy.branch_outcome import BranchOutcome, Canceled, NoResponse
from clearip_proxy.header_changes import ReceivedHeaders
from clearip_proxy.ksr.port import KsrPort
from clearip_proxy.moment import Moment
from clearip_proxy.plain.memory import context_of
from clearip_proxy.response_context import ResponseContext
from clearip_proxy.routing import Request
from clearip_proxy.sip.grammar import is_utf8
from clearip_proxy.sip.message import MalformedMessage, SipResponse, is_framed, parse_response
from clearip_proxy.sites.lost_calls import MARK, PLANTED, Waiting

CONTEXT_VARIABLE = "response_context"
HOP_LIMIT = 70
"""The Max-Forwards of a request that came without one (RFC 3261 §16.6)."""
MAX_RECEIVED_VALUES = 16
SERVICE_UNAVAILABLE = 503


class KsrReader:
    """Reads the message and the transaction that a callback is about."""

    def __init__(self, ksr: KsrPort, now: Callable[[], Moment]) -> None:
        self._ksr = ksr
        self.now = now

    def request(self) -> Request:
        """Read the request that arrived, as far as one of its kind is looked at."""
        ksr = self._ksr
        method, to_tag = self.text("$rm"), self.text("$tt")
        is_new = not to_tag and method != "ACK"
        return Request(
            arrived_us=time.monotonic_ns() // 1000,
            method=method,
            uri=self.text("$ru"),
            source_address=self.text("$si"),
            call_id=self.text("$ci"),
            from_tag=self.text("$ft"),
            to_tag=to_tag,
            route=(self.header("Route") or "") if to_tag else "",
            hops_left=ksr.maxfwd.process_maxfwd(HOP_LIMIT) > 0,
            proxy_require=None if method == "ACK" else self.header("Proxy-Require"),
            is_well_formed=not is_new or self._is_well_formed(method),
            now=self.now() if is_new else BEGINNING,
        )

    def _is_well_formed(self, method: str) -> bool:
        if self._ksr.sanity.sanity_check_defaults() <= 0:
            return False
        return method != "INVITE" or is_framed(self.message())

    def pending(self) -> Pending:
        """Read what the rest of a call attempt needs of the request it began with."""
        return Pending(
            called_uri=self.text("$ou"),
            to_uri=self.text("$tu"),
            received=ReceivedHeaders(
                self._received_values("Identity"), self._received_values("P-Asserted-Identity")
            ),
            now=self.now(),
        )

    def branch_outcome(self) -> BranchOutcome:
        """Read, in a failure route, how the branches ended."""
        if self.is_canceled():
            return Canceled()
        raw = self.text("$T_rpl($mb)")
        if not raw:  # Kamailio made the response up
            return NoResponse()
        try:
            response = parse_response(raw)
        except MalformedMessage:  # such as a 700, which Kamailio takes for an answer
            return NoResponse()
        return self._unless_lost(response)

    def _unless_lost(self, response: SipResponse) -> BranchOutcome:
        """Tell the leg's own word that a connection is gone, or that a response was planted.

        The former comes without TLS, as nothing of ClearIP's does; the latter has taken the place
        of a response that came in any way.
        """
        marks = response.values(MARK) if response.status == SERVICE_UNAVAILABLE else ()
        if PLANTED in marks:
            return NoResponse(was_planted=True)
        is_lost = marks and self.text("$T_rpl($proto)").lower() != "tls"
        return NoResponse() if is_lost else response

    def transaction(self) -> str:
        """Return what tells the transaction at hand from every other one."""
        return f"{self.text('$T(id_index)')}:{self.text('$T(id_label)')}"

    def waiting(self, context: ResponseContext) -> Waiting | None:
        """Return a query that is being sent; None where the request holds other than UTF-8."""
        request, _, _ = self.message().partition("\r\n\r\n")  # a body may hold any octets
        if not is_utf8(request):
            return None
        index, _, _ = context.transaction.partition(":")
        attempts = len(context.asked) + context.tried
        return Waiting(context.connection, int(index or 0), attempts, request)

    def context(self) -> ResponseContext:
        """Read the response context of the transaction."""
        text = self._ksr.pvx.xavu_get(CONTEXT_VARIABLE)
        return context_of(str(text)) if text else ResponseContext()

    def record_routes(self) -> tuple[str, ...]:
        """Read the Record-Route fields of a message, the topmost first."""
        return self._received_values("Record-Route")

    def status(self) -> int:
        """Return the status of the response that a callback is about."""
        return int(self._ksr.pv.get("$rs") or 0)

    def connection(self) -> int:
        """Return the id of the connection that a message came on; 0 for none."""
        return int(self._ksr.pv.get("$conid") or 0)

    def message(self) -> str:
        """Return the whole message as it was received."""
        return self.text("$mb")

    def _received_values(self, name: str) -> tuple[str, ...]:
        values: list[str] = []
        while len(values) < MAX_RECEIVED_VALUES:
            value = self.header(name, len(values))
            if value is None:
                break
            values.append(value)
        return tuple(values)

    def text(self, pseudo_variable: str) -> str:
        """Return the value of a pseudo-variable; "" for none."""
        try:
            value = self._ksr.pv.get(pseudo_variable)
        except UnicodeDecodeError:
            return self._value_of_octets(pseudo_variable)
        return "" if value is None else str(value)

    def header(self, name: str, index: int = 0) -> str | None:
        """Return a header field of a name, the first unless told otherwise; None without it."""
        try:
            value = self._ksr.hdr.get_idx(name, index)
        except UnicodeDecodeError:
            return self._value_of_octets(f"$hdr({name})[{index}]")
        return None if value is None else str(value)

    def _value_of_octets(self, pseudo_variable: str) -> str:
        """Return a value that is no UTF-8, its other octets as lone surrogates.

        Kamailio hands texts to Python as UTF-8; these take the way through hexadecimal digits.
        """
        digits = self._ksr.pv.get(f"$({pseudo_variable[1:]}{{s.encode.hexa}})")
        return bytes.fromhex(str(digits or "")).decode("utf-8", "surrogateescape")

    def size_bytes(self) -> int:
        """Return the size of the request as it arrived."""
        return int(self._ksr.pv.get("$ml") or 0)

    def is_canceled(self) -> bool:
        """Tell whether the caller has given up."""
        return self._ksr.tm.t_is_canceled() > 0
