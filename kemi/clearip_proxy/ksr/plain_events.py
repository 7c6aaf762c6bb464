"""Telling of plain calls: the lines of `call_event.py`, put together with nothing in between."""

import time
from collections.abc import Sequence
from json.encoder import encode_basestring_ascii as quoted

from clearip_proxy.ksr.events import CALL_VARIABLE, CallEvents
from clearip_proxy.ksr.port import KsrPort
from clearip_proxy.policy import RoutingPolicy
from clearip_proxy.records.call_event import Kind
from clearip_proxy.verdict import Verdict

RESPONSE = f"$_s($rs $xavu({CALL_VARIABLE}))"
_NO_CALL = "<null>"
_ROUTE = Verdict.ROUTE.value
_BEGUN, _ASKED, _CLEARIP, _ATTEMPTED, _RANG, _ANSWERED, _HUNG_UP = (
    f'["{kind}"'
    for kind in (
        *(Kind.BEGUN, Kind.ASKED, Kind.CLEARIP, Kind.ATTEMPTED),
        *(Kind.RANG, Kind.ANSWERED, Kind.HUNG_UP),
    )
)


class PlainEvents:
    """Writes lines; what stands in them unquoted has been matched against a pattern."""

    def __init__(self, ksr: KsrPort, policy: RoutingPolicy, events: CallEvents) -> None:
        self.are_kept = events.spool is not None
        self._get = ksr.pv.get
        self._keep = ksr.pvx.xavu_sets
        self._trusted = policy.trusted
        if events.spool is not None:
            self._spool = events.spool

    def begun(self, invite: Sequence[str], hop: str) -> str:
        """Tell of an INVITE (`INVITE_READ`), and of the site that is asked; return the call's id.

        `hop` is "" where none can be asked at once.
        """
        address, size, uri, _, _, from_uri, from_tag, _, call_id, *_ = invite
        spool, clock_us = self._spool, time.monotonic_ns() // 1000
        call = spool.new_call_id(clock_us)
        self._keep(CALL_VARIABLE, call)
        source = self._trusted[address]
        name = quoted(source.name) if source is not None and source.name else "null"
        asked = f',{_ASKED},{clock_us},"{hop}"]' if hop else ""
        spool.write(
            f'["{call}",{spool.epoch_us},{_BEGUN},{clock_us},"{call_id}","{from_tag}",'
            f'"{from_uri}","{uri}","{address}",{name},{size},false,true]{asked}]\n',
            clock_us,
        )
        return call

    def redirected(  # noqa: PLR0913, PLR0917 - put together here, and an object for them costs more
        self,
        call: str,
        hop: str,
        phrase: str,
        targets: Sequence[str],
        identities: Sequence[str],
        added_bytes: int,
    ) -> None:
        """Tell of ClearIP's answer, and of the first target that is tried."""
        spool, clock_us = self._spool, time.monotonic_ns() // 1000
        epoch_us = spool.epoch_us if clock_us < spool.until_us else spool.turn(clock_us)
        signed = "true" if identities else "false"
        spool.write(
            f'["{call}",{epoch_us},{_CLEARIP},{clock_us},"{hop}",302,'
            f'{quoted(phrase)},[],"{_ROUTE}",{len(targets)},false,'
            f"[{','.join([quoted(value) for value in identities])}],[]],"
            f'{_ATTEMPTED},{clock_us},1,{quoted(targets[0])},"",{signed},{added_bytes}]]\n',
            clock_us,
        )

    def hung_up(self, call_id: str, from_tag: str, to_tag: str) -> None:
        """Tell of a BYE that passes."""
        spool, clock_us = self._spool, time.monotonic_ns() // 1000
        epoch_us = spool.epoch_us if clock_us < spool.until_us else spool.turn(clock_us)
        spool.write(
            f'["",{epoch_us},{_HUNG_UP},{clock_us},"{call_id}","{from_tag}","{to_tag}"]]\n',
            clock_us,
        )

    def responded(self) -> None:
        """Tell of a target's response, a provisional one or a 2xx.

        Of one to a call that was begun under another policy, nobody may want to know.
        """
        if not self.are_kept:
            return
        text = str(self._get(RESPONSE))
        status, call = text[:3], text[4:]
        if status == "100" or not "100" < status < "300" or call == _NO_CALL:
            return
        spool, clock_us = self._spool, time.monotonic_ns() // 1000
        epoch_us = spool.epoch_us if clock_us < spool.until_us else spool.turn(clock_us)
        kind = _RANG if status < "200" else _ANSWERED
        spool.write(f'["{call}",{epoch_us},{kind},{clock_us},{status}]]\n', clock_us)
