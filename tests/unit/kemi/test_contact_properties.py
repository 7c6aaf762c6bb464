"""What holds for every list of contacts that the grammar of RFC 3261 allows."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from hypothesis import given
from hypothesis import strategies as st

from clearip_proxy.contact import HIGHEST_Q, parse_contacts, target_set
from clearip_proxy.message import parse_response
from unit.kemi.hostile_text import any_text

NAME_CHARACTERS = "abcXYZ019-.!%*_+`'~"


@dataclass(frozen=True)
class Printed:
    """A contact in one of its legal forms, and what must come back from it."""

    text: str
    uri_text: str
    q: int


def joined(*parts: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Return texts made of one text of each strategy, in order."""
    return st.tuples(*parts).map("".join)


def optional(text: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Return texts of the strategy, or nothing."""
    return st.just("") | text


tokens = st.text(NAME_CHARACTERS, min_size=1, max_size=8)
escapes = st.sampled_from(["%20", "%2c", "%3E", "%C3%AB", "%0D%0A"])
users = st.lists(
    st.text("aZ09-_.!~*'()&=+$,;?/", min_size=1, max_size=6) | escapes, min_size=1, max_size=4
).map("".join)
hosts = st.one_of(
    st.integers(0, 2**32 - 1).map(lambda number: str(IPv4Address(number))),
    st.integers(0, 2**128 - 1).map(lambda number: f"[{IPv6Address(number)}]"),
    st.sampled_from(["h", "carrier.example", "A-1.Carrier.EXAMPLE.", "xn--nxasmq6b.example"]),
)
ports = st.integers(1, 65535).map(lambda port: f":{port}")
uri_parameters = st.lists(
    joined(st.just(";"), tokens, optional(joined(st.just("="), tokens))), max_size=3
).map("".join)
embedded = joined(st.just("?"), tokens, st.just("="), optional(escapes), optional(tokens))
addresses = joined(
    st.sampled_from(["sip:", "sips:", "SIP:"]),
    optional(joined(users, optional(st.just(":secret")), st.just("@"))),
    hosts,
    optional(ports),
    uri_parameters,
)
quoted_names = st.text('aZ é漢\udc80\t,;<>"\\=*', max_size=12).map(
    lambda name: '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
)
token_names = st.lists(tokens, min_size=1, max_size=3).map(" ".join)
blanks = st.sampled_from(["", " ", "\t", "  ", "\r\n ", " \r\n\t"])


@st.composite
def qs(draw: st.DrawFn) -> tuple[str, int]:
    """Return a q parameter in one of its forms, and its thousandths; none is the highest."""
    if draw(st.booleans()):
        return "", HIGHEST_Q
    thousandths = draw(st.integers(0, 1000))
    exact = f"{thousandths / 1000:.3f}"
    text = draw(st.sampled_from([exact, exact.rstrip("0")]))
    name = draw(st.sampled_from(["q", "Q"]))
    return joined_with_blanks(draw, [";", name, "=", text]), thousandths


def joined_with_blanks(draw: st.DrawFn, parts: list[str]) -> str:
    """Return parts with blanks or folds before each of them."""
    return "".join(draw(blanks) + part for part in parts)


@st.composite
def printed_contacts(draw: st.DrawFn) -> Printed:
    """Return a contact with or without brackets, display name and parameters."""
    uri_text = draw(addresses)
    q_text, q = draw(qs())
    if not set(uri_text) & set(",;?") and draw(st.booleans()):
        return Printed(uri_text + q_text, uri_text, q)
    name = draw(st.just("") | quoted_names | token_names)
    text = joined_with_blanks(draw, [name, f"<{uri_text}{draw(optional(embedded))}>"])
    other = draw(optional(st.sampled_from([";expires=60", ';note="a,b;q=0<\\">"'])))
    return Printed(text + other + q_text, uri_text, q)


@st.composite
def heads(draw: st.DrawFn, contacts: list[Printed]) -> str:
    """Return a 302 with the contacts spread over header fields, long and compact."""
    lines = ["SIP/2.0 302 Moved Temporarily"]
    remaining = list(contacts)
    while remaining:
        count = draw(st.integers(1, len(remaining)))
        name = draw(st.sampled_from(["Contact", "CONTACT", "m", "M"]))
        elements = [contact.text for contact in remaining[:count]]
        value = ",".join(joined_with_blanks(draw, [element, ""]) for element in elements)
        lines.append(name + draw(st.sampled_from([":", ": ", " :\t"])) + value)
        lines.append("X-Other: <sip:no@x>")
        remaining = remaining[count:]
    return draw(st.sampled_from(["\r\n", "\n"])).join([*lines, "", ""])


@st.composite
def redirects(draw: st.DrawFn) -> tuple[list[Printed], str]:
    """Return contacts and a 302 that carries them."""
    contacts = draw(st.lists(printed_contacts(), max_size=6))
    return contacts, draw(heads(contacts))


@given(redirects())
def test_contacts_in_any_legal_form_parse_back(redirect: tuple[list[Printed], str]) -> None:
    """However a list of contacts is printed, the same URIs and q come back in order."""
    contacts, text = redirect

    response = parse_response(text)
    parsed = parse_contacts(response.values("Contact"))

    assert response.faults == ()
    assert [(contact.uri_text, contact.q) for contact in parsed.contacts] == [
        (contact.uri_text, contact.q) for contact in contacts
    ]
    assert [contact.position for contact in parsed.contacts] == list(range(1, len(contacts) + 1))


few_contacts = st.lists(
    st.tuples(st.sampled_from("abcdef"), st.integers(0, 4)).map(
        lambda pair: f"<sip:{pair[0]}@h>;q=0.{pair[1]}"
    ),
    max_size=20,
)


@given(few_contacts)
def test_target_set_holds_every_uri_once_by_descending_q(values: list[str]) -> None:
    """Every URI is one target, q never increases, and of equals the earlier stays first."""
    contacts = parse_contacts(values).contacts

    targets = target_set(contacts)

    assert len({target.uri_text for target in targets}) == len(targets)
    assert {target.uri_text for target in targets} == {contact.uri_text for contact in contacts}
    order = [(-target.q, target.position) for target in targets]
    assert order == sorted(order)


@given(few_contacts)
def test_target_set_takes_each_uri_at_its_highest_q(values: list[str]) -> None:
    """No contact of a target's URI would have come earlier than the one that was taken."""
    contacts = parse_contacts(values).contacts

    for target in target_set(contacts):
        same = [contact for contact in contacts if contact.uri_text == target.uri_text]
        assert target.q == max(contact.q for contact in same)


@given(st.lists(any_text))
def test_any_text_is_contacts_and_faults(values: list[str]) -> None:
    """No text makes the parser raise, and no URI that comes back can break a line."""
    parsed = parse_contacts(values)

    for contact in parsed.contacts:
        assert contact.uri_text.isascii()
        assert contact.uri_text.isprintable()
        assert not set(contact.display_name) & set("\r\n\0")
        assert 0 <= contact.q <= HIGHEST_Q
    assert all(fault.isascii() and fault.isprintable() for fault in parsed.faults)
