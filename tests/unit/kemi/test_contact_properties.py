"""What holds for every list of contacts that the grammar of RFC 3261 allows."""

from hypothesis import given
from hypothesis import strategies as st

from clearip_proxy.sip.contact import HIGHEST_Q, parse_contacts, target_set
from clearip_proxy.sip.message import parse_response
from unit.kemi.hostile_text import any_text
from unit.kemi.printed_redirects import Printed, redirects


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
