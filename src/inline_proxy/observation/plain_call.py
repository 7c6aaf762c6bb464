"""The short way to the record of a plain call, which is what most calls are.

ClearIP was asked once and has redirected, and the first target that was tried has answered. What
is written and counted of such a call is taken from its events as they stand, with none of the
objects that `SetUp` makes of them (docs/adr/0049). Any other call, and any event of an older or a
newer release, goes the general way; a test holds both to the same text and the same counts.
"""

from collections.abc import Sequence
from json.encoder import encode_basestring_ascii as quoted
from typing import Final, NamedTuple

from inline_proxy.observation.call_record import (
    NULL,
    VERSION,
    OpenRecord,
    moment,
    ms,
    number_of,
    number_or_null,
)
from inline_proxy.observation.call_set_up import Event, is_large, sent_bytes, transport_of
from inline_proxy.observation.disposition import Disposition, where_it_went
from inline_proxy.observation.passport_claims import Passport, passport_of

REDIRECTED: Final = 302
FIRST_ATTEMPT: Final = "1"


class PlainCall(NamedTuple):
    """What is counted of a plain call, and what its dialog is known by."""

    call_id: str
    from_tag: str
    disposition: Disposition
    source: str | None
    status: int
    """The target's."""
    site: str
    latency_us: int
    """ClearIP's."""
    own_delay_us: int
    ring_us: int | None
    target: str
    transport: str
    is_large: bool
    passports: Sequence[Passport]


def plain_call(
    call: str, epoch_us: int, events: Sequence[Event]
) -> tuple[PlainCall, OpenRecord] | None:
    """Return what is counted of an answered call, and its record; None where it is not plain.

    Raises `AttributeError`, `TypeError` or `ValueError` where a value is none of its kind, as the
    general way does.
    """
    try:
        begun, asked, clearip, attempted, *rang, answered = events
        _, begun_us, call_id, from_tag, caller, called, address, source, size, *way = begun
        second, asked_us, asked_site = asked
        third, heard_us, site, code, phrase, reasons, verdict, contacts, *carried = clearip
        is_diverted, identities, asserted = carried
        fourth, tried_us, _, target, hop, signed, added = attempted
        last, end_us, status = answered
    except ValueError:  # another number of events, or of values
        return None
    if (
        last != "answered"
        or fourth != "attempted"
        or third != "clearip"
        or second != "asked"
        or way != [False, True]
        or verdict != "route"
        or code != REDIRECTED
        or is_diverted is not False
        or asked_site != site
        or reasons != []
        or asserted != []
        or hop != ""
        or type(status) is not int
    ):
        return None
    ring_us = None
    for event in rang:
        if event[0] != "rang" or type(event[1]) is not int:
            return None
        if ring_us is None:
            ring_us = _span_us(event[1], end_us)
    latency_us = _span_us(asked_us, heard_us)
    tried_after_us = _span_us(begun_us, tried_us)
    delay_us = _span_us(begun_us + latency_us, tried_us)
    disposition = where_it_went(is_diverted=False, is_signed=signed, is_routed=contacts)
    transport, size_bytes = transport_of(target), sent_bytes(size, added)
    over = is_large(size_bytes)
    passports = [passport_of(identity) for identity in identities]
    text = (
        f'{{"version":{VERSION},"id":{quoted(call)},"begun_at":"{moment(epoch_us + begun_us)}",'
        f'"call_id":{quoted(call_id)},"source":{NULL if source is None else quoted(source)},'
        f'"source_address":{quoted(address)},"from":{quoted(number_of(caller))},'
        f'"to":{quoted(number_of(called))},"disposition":"{disposition}","status":{status},'
        f'"phrase":"","canceled":false,"clearip":[{{"site":{quoted(site)},"status":{code},'
        f'"phrase":{quoted(phrase)},"reasons":[],"verdict":"route",'
        f'"latency_ms":{ms(latency_us)}}}],"contacts":{number_or_null(contacts)},'
        f'"attempts":[{{"target":{quoted(target)},"next_hop":null,"transport":"{transport}",'
        f'"at_ms":{ms(tried_after_us)},"ms":{ms(_span_us(tried_us, end_us))},"result":"answered",'
        f'"status":{status},"signed":{"true" if signed else "false"},"bytes":{size_bytes},'
        f'"over_1300_bytes":{"true" if over else "false"}}}],"answered_by":{FIRST_ATTEMPT},'
        f'"setup_ms":{ms(_span_us(begun_us, end_us))},"ring_ms":{ms(ring_us)},'
        f'"own_delay_ms":{ms(delay_us)},"request_bytes":{number_or_null(size)},'
        f'"passports":[{",".join([each.text for each in passports])}],"verstat":null'
    )
    counted = PlainCall(
        call_id,
        from_tag,
        disposition,
        source,
        status,
        site,
        latency_us,
        delay_us,
        ring_us,
        target,
        transport,
        over,
        passports,
    )
    return counted, OpenRecord(call, text)


def _span_us(since_us: int, until_us: int) -> int:
    """A clock that goes back makes no negative time."""
    return until_us - since_us if until_us > since_us else 0
