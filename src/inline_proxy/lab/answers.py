"""The lab's numbering plan: the last three digits of the number called choose ClearIP's answer."""

import re
from typing import Final

from inline_proxy.lab.answer import Action, Answer
from inline_proxy.lab.numbered import (
    IDENTITY,
    ON_A,
    Numbered,
    descending,
    redirect,
    route,
    signed,
)

_ANALYTICS_REASON: Final = (
    'Reason: SIP;cause=603;location=LN;text="v=analytics1;url=https://redress.clearip.example/call"'
)
_LAST_DIGITS: Final = re.compile(r"([0-9]{3})[^0-9]*$")


ROUTES: Final = (
    Numbered("101", "one-route", "One route: carrier A answers.", signed(route("A"))),
    Numbered(
        "102",
        "two-routes",
        "Two routes: carrier A answers, carrier B is never asked.",
        signed(*descending("AB")),
    ),
    Numbered(
        "103",
        "second-answers",
        "Carrier C refuses with 503, carrier B answers.",
        signed(*descending("CB")),
    ),
    Numbered(
        "104",
        "twelve-routes",
        "Eleven routes refuse with 503, the twelfth answers.",
        signed(*descending("C" * 11 + "A")),
    ),
    Numbered(
        "105",
        "equal-q",
        "Carriers C and A have the same q: C is asked first, A after it, never both at once.",
        signed(route("C", "0.5"), route("A", "0.5")),
    ),
    Numbered(
        "106",
        "no-q",
        "Carriers C and A come without q: tried in the order given.",
        signed(route("C", ""), route("A", "")),
    ),
    Numbered(
        "107",
        "several-contact-headers",
        "Two Contact headers, the better route in the second: carrier C refuses, A answers.",
        redirect(f"Contact: {route('A', '0.1')}", f"Contact: {route('C', '0.9')}", IDENTITY),
    ),
    Numbered(
        "108",
        "compact-headers",
        "Contact and Identity in their compact forms m and y; carrier A answers.",
        redirect(f"m: {route('A')}", "y: [identity]"),
    ),
    Numbered(
        "109",
        "folded-headers",
        "Contact and Identity folded over several lines: carrier C refuses, A answers.",
        redirect(f"Contact: {route('C')},\r\n  {route('A', '0.1')}", "Identity:\r\n [identity]"),
    ),
    Numbered(
        "110",
        "all-refuse",
        "Both routes refuse with 503: the caller gets the 503.",
        signed(*descending("CC")),
    ),
    Numbered(
        "111",
        "busy",
        "Carrier D is busy: the caller gets the 486 and carrier A is not asked.",
        signed(*descending("DA")),
    ),
    Numbered(
        "112",
        "silent-first",
        "Carrier F says nothing at all, then carrier A answers.",
        signed(*descending("FA")),
    ),
    Numbered(
        "113",
        "rings-first",
        "Carrier E rings and nobody picks up, then carrier A answers.",
        signed(*descending("EA")),
    ),
    Numbered(
        "114",
        "unreachable-first",
        "Nobody listens where the first route points, then carrier A answers.",
        signed("<sip:[user]@127.0.0.1:9;transport=tcp>;q=0.99", route("A", "0.98")),
    ),
)

SIGNATURES: Final = (
    Numbered(
        "121",
        "identity-repeated",
        "Two Identity headers, shaken and div; carrier A answers.",
        redirect(ON_A, IDENTITY, "Identity: [identity:div]"),
    ),
    Numbered(
        "122",
        "identity-joined",
        "Two signatures in one Identity header, joined by a comma; carrier A answers.",
        redirect(ON_A, "Identity: [identity], [identity:div]"),
    ),
    Numbered(
        "123",
        "identity-large",
        "An Identity of 2 kB; carrier A answers.",
        redirect(ON_A, "Identity: [identity:rcd]"),
    ),
    Numbered(
        "124",
        "x-identity",
        "The signature comes as X-Identity; carrier A answers.",
        redirect(ON_A, "X-Identity: [identity]"),
    ),
    Numbered(
        "125",
        "identity-in-contact",
        "The signature is embedded in the Contact URI; carrier A answers.",
        redirect("Contact: <sip:[user]@[carrier:A]?Identity=[identity_escaped]>;q=0.99"),
    ),
    Numbered("126", "unsigned", "A route and no signature; carrier A answers.", redirect(ON_A)),
    Numbered(
        "127",
        "identity-large-in-contact",
        "A signature of 2 kB in the Contact URI, with a name beside it; carrier A answers.",
        redirect(
            "Contact: <sip:[user]@[carrier:A]?Identity=[identity_escaped:rcd]"
            "&P-Asserted-Identity=%22%5BV%5D%20LAB%22%20%3Csip:[user]@lab.example%3E>;q=0.99"
        ),
    ),
    Numbered(
        "128",
        "hostile-contact",
        "A Contact that would add header fields of its own: they are left out, carrier A answers.",
        redirect(
            "Contact: <sip:[user]@[carrier:A]?Identity=x%0D%0AX-Evil:%201"
            "&Route=%3Csip:evil.example%3E&From=%3Csip:evil@evil.example%3E>;q=0.99",
            IDENTITY,
        ),
    ),
)

NO_ROUTE: Final = (
    Numbered(
        "131",
        "data-only",
        "A signature but no route: the Contact repeats the To URI.",
        redirect("Contact: <[to]>;q=0.99", IDENTITY),
    ),
    Numbered(
        "132",
        "data-only-clearip",
        "A signature but no route: the Contact points back to ClearIP.",
        redirect("Contact: <sip:[user]@[domain]>;q=0.99", IDENTITY),
    ),
    Numbered("133", "no-route-404", "Nothing to add and no route.", Answer(404, "Not Found")),
    Numbered(
        "134",
        "no-route-503",
        "The same, for an account that is set to 503.",
        Answer(503, "Service Unavailable"),
    ),
    Numbered("135", "no-contact", "A 302 without any Contact.", redirect(IDENTITY)),
    Numbered(
        "136",
        "malformed-contact",
        "A 302 whose Contact cannot be read.",
        redirect('Contact: "no end <sip:[user]@[carrier:A]', IDENTITY),
    ),
)

BLOCKED: Final = (
    Numbered("141", "blocked", "Blocked as fraud: 603 Decline.", Answer(603, "Decline")),
    Numbered(
        "142",
        "blocked-by-analytics",
        "Blocked by analytics, with the notice that the FCC asks for (603+).",
        Answer(
            603,
            "Network Blocked",
            (_ANALYTICS_REASON,),
        ),
    ),
    Numbered("143", "unwanted", "Unwanted by the called person: 607.", Answer(607, "Unwanted")),
    Numbered(
        "144",
        "rejected",
        "Rejected by an analytics engine, with a contact for redress: 608 (RFC 8688).",
        Answer(
            608,
            "Rejected",
            ("Call-Info: <https://redress.clearip.example/card.jws>;purpose=jwscard",),
        ),
    ),
    Numbered(
        "145",
        "captcha",
        "Suspicious: diverted to captcha.clearip.com, which is carrier G here.",
        redirect("Contact: <sip:[user]@captcha.clearip.com>;q=0.99"),
    ),
)

FAULTS: Final = (
    Numbered("151", "unknown-source", "This proxy has no account.", Answer(403, "Forbidden")),
    Numbered("152", "too-large", "The INVITE is too large.", Answer(413, "Request Too Large")),
    Numbered(
        "153",
        "number-incomplete",
        "The number has the wrong length.",
        Answer(484, "Address Incomplete"),
    ),
    Numbered(
        "154",
        "ringing-first",
        "A 180, which no redirect server should send, then the route; carrier A answers.",
        Answer(302, "Moved Temporarily", (ON_A, IDENTITY), ringing=True),
    ),
    Numbered(
        "155",
        "accepted",
        "ClearIP accepts the call, which no redirect server should do: the caller gets a 502.",
        Answer(200, "OK", ("Contact: <sip:[user]@[domain]>",)),
    ),
    Numbered(
        "161",
        "slow",
        "100 at once, the route after 1.5 seconds; carrier A answers.",
        Answer(302, "Moved Temporarily", (ON_A, IDENTITY), trying=True, delay_ms=1500),
    ),
    Numbered(
        "162",
        "trying-then-silence",
        "100, and then nothing.",
        Answer(trying=True, action=Action.SILENCE),
    ),
    Numbered("163", "silence", "Nothing at all.", Answer(action=Action.SILENCE)),
    Numbered(
        "164",
        "cut",
        "Half of a 302, then the connection is closed.",
        Answer(302, "Moved Temporarily", (ON_A, IDENTITY), action=Action.CUT),
    ),
    Numbered("165", "closed", "The connection is closed.", Answer(action=Action.CLOSE)),
    Numbered("166", "reset", "The connection is reset.", Answer(action=Action.RESET)),
)

PLAN: Final = (*ROUTES, *SIGNATURES, *NO_ROUTE, *BLOCKED, *FAULTS)
"""Every number of the plan; any other number is answered as the first one."""

_BY_DIGITS: Final = {entry.digits: entry for entry in PLAN}
_BY_NAME: Final = {entry.name: entry for entry in PLAN}


def for_user(user: str) -> Answer:
    """Give the answer for the user part of a Request-URI; its parameters do not count."""
    found = _LAST_DIGITS.search(user.partition(";")[0])
    entry = _BY_DIGITS.get(found[1], PLAN[0]) if found else PLAN[0]
    return entry.answer


def named(name: str) -> Numbered:
    """Give the entry of that name; raises `KeyError`."""
    return _BY_NAME[name]
