"""Contacts of a redirect, one by one, and the target set made of them."""

import pytest

from clearip_proxy.sip.contact import (
    MAX_CONTACT_LENGTH,
    MAX_CONTACTS,
    Contact,
    ParsedContacts,
    parse_contacts,
    target_set,
)


def only(parsed: ParsedContacts) -> Contact:
    """Return the one contact that was parsed without a fault."""
    assert parsed.faults == ()
    assert len(parsed.contacts) == 1
    return parsed.contacts[0]


def texts(contacts: tuple[Contact, ...]) -> list[str]:
    """Return the URIs of contacts, to the letter."""
    return [contact.uri_text for contact in contacts]


@pytest.mark.parametrize(
    ("value", "uri_text", "display_name"),
    [
        ("<sip:a@h>", "sip:a@h", ""),
        (" < sip:a@h > ", "sip:a@h", ""),
        ("sip:a@h", "sip:a@h", ""),
        ("Carrier One <sip:a@h>", "sip:a@h", "Carrier One"),
        ('"A, \\"B\\" <sip:no@x>; q=0" <sip:a@h>', "sip:a@h", 'A, "B" <sip:no@x>; q=0'),
        ('"" <sip:a@h>', "sip:a@h", ""),
        ('"Zoë \udcff"<sip:a@h>', "sip:a@h", "Zoë \udcff"),
        ("<sip:a,b;c=d,e@[2001:db8::1]:5070;x;y=z>", "sip:a,b;c=d,e@[2001:db8::1]:5070;x;y=z", ""),
        ("<sip:+1404;rn=+1;npdi@192.0.2.1;transport=tcp>", None, ""),
        ("<tel:+14045550100;npdi>", "tel:+14045550100;npdi", ""),
    ],
)
def test_contact_uri_is_to_the_letter(value: str, uri_text: str | None, display_name: str) -> None:
    """Brackets, display name and blanks round the URI go; the URI itself stays as it is."""
    contact = only(parse_contacts([value]))

    assert contact.uri_text == (uri_text or value.strip("<>"))
    assert contact.uri.text == contact.uri_text
    assert contact.display_name == display_name
    assert (contact.q, contact.params, contact.position) == (1000, (), 1)


def test_uri_longer_than_kamailio_reads_is_kept() -> None:
    """A URI of thousands of characters, embedded headers or not, is one contact."""
    long_uri = "sip:" + "9" * 5000 + "@h;x=" + "y" * 5000

    contact = only(parse_contacts([f"<{long_uri}?Identity={'a' * 5000}>;q=0.5"]))

    assert contact.uri_text == long_uri
    assert contact.embedded_headers == (("identity", "a" * 5000),)
    assert contact.q == 500


def test_parameters_in_brackets_belong_to_the_uri() -> None:
    """A q inside the brackets is no preference; the one outside is."""
    contact = only(parse_contacts(['<sip:a@h;q=0.1>;expires=60 ; Q = 0.7;note="x;q=1"']))

    assert contact.uri.parameters == (("q", "0.1"),)
    assert contact.params == (("expires", "60"), ("Q", "0.7"), ("note", '"x;q=1"'))
    assert contact.q == 700


@pytest.mark.parametrize(
    ("value", "uri_text", "params"),
    [
        ("sip:a@h;transport=tcp;q=0.5", "sip:a@h", (("transport", "tcp"), ("q", "0.5"))),
        ("sip:h ;q=0.5", "sip:h", (("q", "0.5"),)),
        ("sip:+1404;npdi@h;q=0.5", "sip:+1404;npdi@h", (("q", "0.5"),)),
        ('sip:h;q=0.5;note="a@b"', "sip:h", (("q", "0.5"), ("note", '"a@b"'))),
    ],
)
def test_parameters_without_brackets_belong_to_the_header(
    value: str, uri_text: str, params: tuple[tuple[str, str | None], ...]
) -> None:
    """Behind an address without brackets every parameter is the header's."""
    contact = only(parse_contacts([value]))

    assert (contact.uri_text, contact.params, contact.q) == (uri_text, params, 500)
    assert contact.uri.parameters == ()


@pytest.mark.parametrize(
    ("q", "thousandths"),
    [
        ("0", 0),
        ("0.", 0),
        ("0.5", 500),
        ("0.05", 50),
        ("0.999", 999),
        ("1", 1000),
        ("1.", 1000),
        ("1.000", 1000),
    ],
)
def test_q_is_read_in_thousandths(q: str, thousandths: int) -> None:
    """Every form of the grammar is read exactly."""
    assert only(parse_contacts([f"<sip:a@h>;q={q}"])).q == thousandths


@pytest.mark.parametrize(
    ("q", "thousandths"),
    [
        ("=.5", 500),
        ("=0.98765", 987),
        ("=1.0000", 1000),
        ("=1.5", 0),
        ("=1.001", 0),
        ("=2", 0),
        ("=00.5", 0),
        ("=-0.5", 0),
        ("=0,5", 0),
        ("=high", 0),
        ('="0.5"', 0),
        ("=\u0660.5", 0),
        ("=", 0),
        ("", 0),
    ],
)
def test_malformed_q_is_a_fault_and_never_preferred(q: str, thousandths: int) -> None:
    """The contact stays: with the value that is plainly meant, or as the last choice."""
    parsed = parse_contacts([f"<sip:a@h>;q{q}".replace(",", "\\x")])

    assert parsed.faults == ("contact 1: malformed q",)
    assert [contact.q for contact in parsed.contacts] == [thousandths]


def test_first_of_two_q_counts() -> None:
    """A second q changes nothing."""
    assert only(parse_contacts(["<sip:a@h>;q=0.2;q=0.9"])).q == 200


def test_embedded_headers_come_with_the_contact() -> None:
    """Embedded headers are decoded; one that could break a line is left out as a fault."""
    parsed = parse_contacts(["<sip:a@h;tag?Identity=a%3Bb&Subject=x%0D%0ARoute%3A%20y>;q=0.3"])

    (contact,) = parsed.contacts
    assert contact.uri_text == "sip:a@h;tag"
    assert contact.embedded_headers == (("identity", "a;b"),)
    assert parsed.faults == ("contact 1: embedded header 2: control character",)


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        ("*", "a wildcard names no target"),
        ("<sip:a@h", "character that no URI may hold"),
        ("<>", "no URI"),
        ("<mailto:a@h>", "neither a SIP nor a tel URI"),
        ("<sip:a@h> <sip:b@h>", "text after the angle brackets"),
        ("<sip:a\rb@h>", "control character"),
        ('"a\0b" <sip:a@h>', "control character"),
        ("<sip:a@h>;x=\x7f", "control character"),
        ("<sip:a b@h>", "character that no URI may hold"),
        ("<sip:\udc80@h>", "character that no URI may hold"),
        ("<sip:a@h:99999>", "port out of range"),
    ],
)
def test_malformed_contact_is_a_fault_and_the_others_stay(bad: str, why: str) -> None:
    """The fault names the position and the reason; the contacts round it keep theirs."""
    parsed = parse_contacts(["<sip:first@h>", bad, "<sip:last@h>"])

    assert texts(parsed.contacts) == ["sip:first@h", "sip:last@h"]
    assert [contact.position for contact in parsed.contacts] == [1, 3]
    assert parsed.faults == (f"contact 2: {why}",)


def test_open_quote_costs_only_its_own_header() -> None:
    """What follows an unclosed quote in one value is lost; other values are not."""
    parsed = parse_contacts(['<sip:a@h>, "b <sip:b@h>, <sip:c@h>', "<sip:d@h>"])

    assert texts(parsed.contacts) == ["sip:a@h", "sip:d@h"]
    assert parsed.faults == ("contact 2: character that no URI may hold",)


def test_no_contact_is_no_fault() -> None:
    """Nothing, empty values and stray commas yield nothing."""
    assert parse_contacts([]) == parse_contacts(["", " , ,"]) == ParsedContacts((), ())


def test_contacts_beyond_the_bound_are_left_out() -> None:
    """A response with too many contacts keeps the first ones and a fault."""
    values = [f"<sip:{number}@h>" for number in range(MAX_CONTACTS)]

    assert parse_contacts([",".join(values)]).faults == ()
    parsed = parse_contacts([",".join(values), "<sip:extra@h>", "<sip:more@h>"])

    assert len(parsed.contacts) == MAX_CONTACTS
    assert parsed.contacts[-1].uri_text == f"sip:{MAX_CONTACTS - 1}@h"
    assert parsed.faults == (f"contacts: more than {MAX_CONTACTS}",)


def test_value_beyond_the_length_bound_is_left_out() -> None:
    """A value that does not fit the room left is not read, and a fault says so."""
    fitting = "<sip:a@h>".ljust(MAX_CONTACT_LENGTH)

    assert parse_contacts([fitting]).faults == ()
    parsed = parse_contacts([fitting, "<sip:b@h>"])

    assert texts(parsed.contacts) == ["sip:a@h"]
    assert parsed.faults == (f"contacts: more than {MAX_CONTACT_LENGTH} characters",)


def test_targets_go_by_q_and_equal_q_keeps_header_order() -> None:
    """The highest q comes first; of equals the one given first; missing q counts as one."""
    parsed = parse_contacts(
        ["<sip:a@h>;q=0.5, <sip:b@h>;q=0.9", "<sip:c@h>;q=0.5,<sip:d@h>,<sip:e@h>;q=1.0"]
    )

    targets = target_set(parsed.contacts)

    assert texts(targets) == ["sip:d@h", "sip:e@h", "sip:b@h", "sip:a@h", "sip:c@h"]


def test_repeated_uri_is_one_target_at_its_best_place() -> None:
    """A URI that comes again is not searched again, whatever headers are embedded in it."""
    parsed = parse_contacts(
        ["<sip:a@h>;q=0.1,<sip:b@h>;q=0.5,<sip:a@h?X=1>;q=0.9,<sip:A@h>;q=0.5,<sip:b@h>;q=0.5"]
    )

    targets = target_set(parsed.contacts)

    assert [(target.uri_text, target.position) for target in targets] == [
        ("sip:a@h", 3),
        ("sip:b@h", 2),
        ("sip:A@h", 4),
    ]
