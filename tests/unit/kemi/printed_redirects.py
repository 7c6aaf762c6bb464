"""Any 302 that the grammar of RFC 3261 allows, and what must come back from it."""

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address

from hypothesis import strategies as st

from clearip_proxy.sip.contact import HIGHEST_Q

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
