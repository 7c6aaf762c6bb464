"""The numbering plan, asked over TLS number by number."""

from unittest.mock import ANY

import pytest

from inline_proxy.lab.answer import Action, Answer, Means, TemplateError, check_places
from inline_proxy.lab.answers import PLAN, for_user, named
from inline_proxy.lab.numbered import Numbered
from unit.lab.talker import Talker

REPLIES = [entry for entry in PLAN if entry.answer.action is Action.REPLY]
SIGNED = [
    entry
    for entry in REPLIES
    if any(line.startswith(("Identity", "y:")) for line in entry.answer.headers)
]


def number_name(entry: Numbered) -> str:
    """Name a test case after the answer."""
    return entry.name


@pytest.mark.parametrize("entry", REPLIES, ids=number_name)
def test_number_called_gets_its_answer(clearip: Talker, entry: Numbered) -> None:
    """Status and phrase are those of the plan, with every place filled in."""
    reply = clearip.call(entry.number)
    while reply.status < 200:
        reply = clearip.hear()

    assert (reply.status, reply.reason_phrase) == (entry.answer.status, entry.answer.reason)
    assert not [value for _, value in reply.fields if "[" in value]
    assert len(reply.fields) == len(entry.answer.headers) + 7  # two Via and five more


@pytest.mark.parametrize("entry", SIGNED, ids=number_name)
def test_signed_answer_has_an_identity_of_real_size(clearip: Talker, entry: Numbered) -> None:
    """A real Identity takes 500 to 900 bytes; the large one 2 kB."""
    reply = clearip.call(entry.number)
    while reply.status < 200:
        reply = clearip.hear()
    sizes = [len(one) for value in reply.headers("identity") for one in value.split(", ")]

    assert sizes
    if entry.name == "identity-large":
        assert 1900 < sizes[0] < 2600
    else:
        assert all(500 < size < 900 for size in sizes)


def test_two_routes_descend_in_q(clearip: Talker) -> None:
    """One Contact header, as ClearIP writes it."""
    reply = clearip.call(named("two-routes").number)

    (contact,) = reply.headers("contact")
    assert contact.split(", ") == [
        "<sip:+14045550102@127.0.0.1:7001>;q=0.99",
        "<sip:+14045550102@127.0.0.1:7002>;q=0.98",
    ]


def test_twelve_routes_are_twelve_and_only_the_last_is_carrier_a(clearip: Talker) -> None:
    """As many as ClearIP ever gives."""
    (contact,) = clearip.call(named("twelve-routes").number).headers("contact")
    routes = contact.split(", ")

    assert ["127.0.0.1:7003" in route for route in routes] == [True] * 11 + [False]
    assert routes[-1].endswith("@127.0.0.1:7001>;q=0.88")
    assert len({route.partition(">")[0] for route in routes}) == 12


def test_several_contact_headers_are_several(clearip: Talker) -> None:
    """The better route stands in the second header."""
    reply = clearip.call(named("several-contact-headers").number)

    assert [value[-5:] for value in reply.headers("contact")] == ["q=0.1", "q=0.9"]


def test_identity_repeated_is_two_headers_and_joined_is_one(clearip: Talker) -> None:
    """Both carry a shaken and a div PASSporT."""
    repeated = clearip.call(named("identity-repeated").number).headers("identity")
    joined = clearip.call(named("identity-joined").number).headers("identity")

    assert [value[-10:] for value in repeated] == ["ppt=shaken", ANY]
    assert repeated[1].endswith("ppt=div")
    assert len(joined) == 1
    assert joined[0].count("ppt=") == 2


def test_data_only_contact_repeats_the_to_uri(clearip: Talker) -> None:
    """The form that ClearIP documents for CNAM without routing."""
    reply = clearip.call(named("data-only").number)

    assert reply.headers("contact") == ["<sip:+14045550131@192.0.2.1>;q=0.99"]


def test_compact_names_stand_on_the_wire(means: Means) -> None:
    """Reading turns m and y into their long forms, so the template is looked at."""
    lines = named("compact-headers").answer.headers

    assert [line.partition(":")[0] for line in lines[:2]] == ["m", "y"]
    assert means.carrier("A") == "127.0.0.1:7001"


@pytest.mark.parametrize("user", ["+14045559999", "alice", "", "102x5"])
def test_number_outside_the_plan_gets_one_route(user: str) -> None:
    """Whoever dials anything else gets through."""
    assert for_user(user) == named("one-route").answer


@pytest.mark.parametrize("user", ["141", "+14045550141", "14045550141;npdi;rn=102", "404-555-0141"])
def test_last_three_digits_decide(user: str) -> None:
    """A prefix, a missing country code or user parameters make no difference."""
    assert for_user(user) == named("blocked").answer


def test_plan_names_and_digits_are_unique() -> None:
    """Each number has one answer and each answer one number."""
    assert len({entry.digits for entry in PLAN}) == len(PLAN)
    assert len({entry.name for entry in PLAN}) == len(PLAN)


@pytest.mark.parametrize("entry", PLAN, ids=number_name)
def test_every_place_of_the_plan_can_be_filled(entry: Numbered) -> None:
    """No template has a misspelt place."""
    check_places(entry.answer)


@pytest.mark.parametrize(
    "place", ["[usr]", "[user:A]", "[carrier]", "[identity:nothing]", "[identity_escaped:x]"]
)
def test_unknown_place_is_refused(place: str) -> None:
    """A misspelt place is told before a call finds it."""
    with pytest.raises(TemplateError, match="is not known"):
        check_places(Answer(headers=(f"Contact: {place}",)))


@pytest.mark.parametrize("host", ["[::1]", "[fd00::1]", "[2001:db8::7]"])
def test_ipv6_address_is_no_place(host: str) -> None:
    """Brackets belong to IPv6 as well."""
    check_places(Answer(headers=(f"Contact: <sip:a@{host}>",)))
