"""What holds for every answer of ClearIP, from its octets to what is sent."""

import re
from ipaddress import ip_address
from urllib.parse import quote

from hypothesis import given
from hypothesis import strategies as st

from clearip_proxy.answering import after_clearip
from clearip_proxy.decisions import Fork, Noted, Reply
from clearip_proxy.response_context import ResponseContext
from clearip_proxy.sip.message import parse_response
from clearip_proxy.sip.uri import parse_uri
from unit.kemi.answer_values import ASKED, PENDING, POLICY, step_after
from unit.kemi.fake_ksr import FakeKsr
from unit.kemi.hostile_text import any_text
from unit.kemi.printed_redirects import Printed, heads, printed_contacts
from unit.kemi.target_values import leg

COPIED = {"Identity", "P-Asserted-Identity"}
"""What the policy of these tests copies."""
SENT = re.compile(r"([A-Za-z-]+): ([^\x00-\x08\x0a-\x1f\x7f]*)\r\n")
"""One header line, and nothing that could begin another."""

pointers = st.sampled_from(
    [
        "sip:+15551234567@sip.clearip.com",
        "sip:any@outbound.SIP.clearip.com:5061",
        "sip:any@sip.clearip.com;transport=tls",
        "sips:+15551234567@sip.clearip.com",
    ]
)


def _is_of_one_host(contact: Printed) -> bool:
    """Tell a contact that is not at a multicast address, which nobody can be called at."""
    host = parse_uri(contact.uri_text).host.strip("[]")
    try:
        return not ip_address(host).is_multicast
    except ValueError:  # a name
        return True


@st.composite
def mixed(draw: st.DrawFn) -> tuple[list[Printed], str]:
    """Return the real routes of a 302, and the 302, in which pointers back stand among them."""
    contacts = draw(st.lists(printed_contacts().filter(_is_of_one_host), max_size=6))
    back = draw(st.lists(pointers.map(lambda uri: Printed(f"<{uri}>;q=1", uri, 1000)), max_size=3))
    standing = draw(st.permutations([*contacts, *back]))
    return [each for each in standing if each not in back], draw(heads(standing))


@given(mixed())
def test_any_302_leads_to_each_usable_target_once_in_order(
    redirect: tuple[list[Printed], str],
) -> None:
    """By descending q, ties as they stand; pointers back are never among them."""
    contacts, text = redirect
    by_q = sorted(contacts, key=lambda contact: -contact.q)
    expected = list(dict.fromkeys(contact.uri_text for contact in by_q))

    decision = step_after(parse_response(text))

    if not expected:
        assert isinstance(decision, Reply)
        return
    assert isinstance(decision, Fork)
    assert [decision.target, *(each.uri for each in decision.context.remaining)] == expected


octets = st.binary(max_size=80).map(lambda value: value.decode("utf-8", "surrogateescape"))
names = st.sampled_from(
    ["Identity", "y", "X-Identity", "P-Asserted-Identity", "Route", "From", "X-Other", "v"]
)
values = st.one_of(any_text, octets)


@given(st.lists(st.tuples(names, values), max_size=4), st.lists(st.tuples(names, octets)))
def test_any_octets_of_a_value_stay_in_their_header(
    fields: list[tuple[str, str]], embedded: list[tuple[str, str]]
) -> None:
    """In a header field or in a Contact: what is sent is whole lines of the names configured."""
    headers = "".join(f"{name}: {value}\r\n" for name, value in fields)
    inside = "&".join(
        f"{name}={quote(value.encode(errors='surrogateescape'), safe='')}"
        for name, value in embedded
    )
    text = f"SIP/2.0 302 Moved\r\nContact: <sip:1@192.0.2.1?{inside}>\r\n{headers}\r\n"

    decision = after_clearip(parse_response(text), PENDING, ASKED, POLICY)

    assert isinstance(decision, Noted)
    if isinstance(decision.decision, Fork):
        for line in _appended(decision.decision.context):
            found = SENT.fullmatch(line)
            assert found is not None, line
            assert found[1] in COPIED
            line.encode()  # Kamailio takes nothing else


def _appended(context: ResponseContext) -> list[str]:
    """What the branch to a target gets of header lines, in order."""
    ksr = FakeKsr(stored={"response_context": context.to_text()})
    leg(ksr).prepare_branch()
    return [call[1] for call in ksr.calls if call[0] == "append"]
