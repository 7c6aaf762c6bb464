"""Which header fields a branch loses and gets."""

import re

import pytest

from clearip_proxy.clearip import CarriedHeaders
from clearip_proxy.header_changes import ReceivedHeaders, header_changes
from clearip_proxy.policy import DisplayNameRule, HeaderPolicy
from clearip_proxy.response_context import HeaderChanges

NOTHING = CarriedHeaders()
POLICY = HeaderPolicy(("Identity", "P-Asserted-Identity", "Call-Info"))
PAI = "P-Asserted-Identity"


def test_returned_header_takes_the_place_of_the_received_one() -> None:
    """Removed by name, then appended in order."""
    response = CarriedHeaders(others=((PAI, "<sip:1@x>"), ("Call-Info", "<http://y>")))

    assert header_changes(response, NOTHING, ReceivedHeaders(), POLICY) == HeaderChanges(
        (PAI, "Call-Info"), ((PAI, "<sip:1@x>"), ("Call-Info", "<http://y>"))
    )


def test_embedded_header_takes_the_place_of_the_responses() -> None:
    """What a contact says of itself is the more specific."""
    response = CarriedHeaders(others=((PAI, "<sip:general@x>"), ("Call-Info", "<http://y>")))
    embedded = CarriedHeaders(others=((PAI, "<sip:special@x>"),))

    changes = header_changes(response, embedded, ReceivedHeaders(), POLICY)

    assert changes.added == (("Call-Info", "<http://y>"), (PAI, "<sip:special@x>"))


def test_passports_add_up_and_none_comes_twice() -> None:
    """The same PASSporT in the response and in the contact is one."""
    response = CarriedHeaders(identities=("a.b.c;ppt=shaken", "d.e.f;ppt=rcd"))
    embedded = CarriedHeaders(identities=("a.b.c;ppt=shaken", "g.h.i;ppt=div"))

    changes = header_changes(response, embedded, ReceivedHeaders(), POLICY)

    assert [value for _, value in changes.added] == [
        "a.b.c;ppt=shaken",
        "d.e.f;ppt=rcd",
        "g.h.i;ppt=div",
    ]


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("replace", ["o.l.d;ppt=div", "n.e.w;ppt=shaken"]), ("append", None)],
)
def test_received_passports_follow_the_configured_mode(
    mode: str, expected: list[str] | None
) -> None:
    """Replace goes by ppt; append keeps all."""
    received = ReceivedHeaders(("o.l.d;ppt=shaken", "o.l.d;ppt=div"))
    policy = HeaderPolicy(("Identity",), "append" if mode == "append" else "replace")

    changes = header_changes(
        CarriedHeaders(identities=("n.e.w;ppt=shaken",)), NOTHING, received, policy
    )

    assert changes.removed == ("Identity",)
    assert [value for _, value in changes.added] == (
        expected or ["o.l.d;ppt=shaken", "o.l.d;ppt=div", "n.e.w;ppt=shaken"]
    )


def test_asserted_identity_of_the_other_scheme_is_kept() -> None:
    """A tel URI beside the sip URI that ClearIP named (RFC 3325 §9.1)."""
    received = ReceivedHeaders(asserted_identities=("<tel:+1>", '"OLD" <sip:1@x>'))
    response = CarriedHeaders(others=((PAI, '"[V] NAME" <sip:1@x>;verstat=TN-Validation-Passed'),))

    changes = header_changes(response, NOTHING, received, POLICY)

    assert changes.added == (
        (PAI, '"[V] NAME" <sip:1@x>;verstat=TN-Validation-Passed'),
        (PAI, "<tel:+1>"),
    )


def test_asserted_identities_in_one_line_are_told_apart() -> None:
    """RFC 3325 §9.1 joins a sip and a tel URI with a comma; each is replaced or kept alone."""
    received = ReceivedHeaders(asserted_identities=('"OLD, ONE" <sip:1@x>, <tel:+1>',))
    response = CarriedHeaders(others=((PAI, '"NEW" <sip:1@x>'),))

    changes = header_changes(response, NOTHING, received, POLICY)

    assert changes.added == ((PAI, '"NEW" <sip:1@x>'), (PAI, "<tel:+1>"))


def test_both_asserted_identities_of_clearips_take_the_place_of_the_received_ones() -> None:
    """Joined by ClearIP, on two lines from the caller."""
    received = ReceivedHeaders(asserted_identities=("<tel:+1>", "<sip:1@x>"))
    response = CarriedHeaders(others=((PAI, '"N" <sip:1@x>, "N" <tel:+1>'),))

    changes = header_changes(response, NOTHING, received, POLICY)

    assert changes.added == ((PAI, '"N" <sip:1@x>'), (PAI, '"N" <tel:+1>'))


def test_asserted_identity_that_clearip_leaves_alone_is_not_touched() -> None:
    """Nothing returned, nothing removed."""
    received = ReceivedHeaders(asserted_identities=("<tel:+1>",))

    assert header_changes(NOTHING, NOTHING, received, POLICY) == HeaderChanges()


def test_display_name_is_rewritten_in_the_headers_that_name_the_caller() -> None:
    """A rule for names does not reach into other header fields."""
    policy = HeaderPolicy(display_names=(DisplayNameRule(re.compile(r"\[V\] "), ""),))
    response = CarriedHeaders(
        others=((PAI, '"[V] NAME" <sip:1@x>'), ("X-Note", '"[V] NAME" <sip:1@x>'))
    )

    changes = header_changes(response, NOTHING, ReceivedHeaders(), policy)

    assert changes.added == ((PAI, '"NAME" <sip:1@x>'), ("X-Note", '"[V] NAME" <sip:1@x>'))
