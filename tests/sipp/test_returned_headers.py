"""What ClearIP returns for the target: names, attestation and dates; once, in order, unbroken."""

import pytest

from sipp.clearip import HOST, ClearIp, token
from sipp.conftest import ProxyWith
from sipp.proxy import Proxy
from sipp.role import all_succeeded
from sipp.sipp import Sipp

DEFAULT_PORT = 9700
CALLERS_OWN = "<sip:+14045550100@192.0.2.1>"
RULES = [
    {"match": r"^\[V\] (.*)", "replace": r"\1 (verified)"},
    {"match": "^SPAM", "replace": "POSSIBLE SPAM"},
    {"match": "^NOBODY$", "replace": ""},
]


@pytest.mark.parametrize(
    "asserted",
    [
        '"[V] DOE, J" <sip:+14045550100@192.0.2.1;verstat=TN-Validation-Passed>',
        '"TRANSNEXUS" <sip:14047884802@192.168.1.89:3000>',
        "<sip:+14045550100;verstat=No-TN-Validation@192.0.2.1;user=phone>",
        '"\\"quoted\\" \\\\ <tricky>;a=b, c" <sip:+14045550100@192.0.2.1>;x="y,z"',
        '"José Ñandú 漢字 🙂" <sip:+14045550100@192.0.2.1>',
        "Two Tokens <sip:+14045550100@192.0.2.1>",
        '"[V] DOE" <tel:+14045550100;verstat=TN-Validation-Passed>',
        "tel:+14045550100;verstat=TN-Validation-Failed",
        "sip:+14045550100@192.0.2.1",
    ],
    ids=[
        "verified",
        "private-host",
        "verstat-of-user",
        "escapes",
        "utf-8",
        "tokens",
        "tel",
        "bare-tel",
        "bare-sip",
    ],
)
def test_asserted_identity_arrives_to_the_letter(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, asserted: str
) -> None:
    """Every form of P-Asserted-Identity, on every attempt, in the caller's one's stead."""
    first, second = sipp.play("target-final"), sipp.play("target-200")
    scheme = "tel" if "tel:" in asserted else "sip"
    own = "<tel:+14045550199>" if scheme == "tel" else CALLERS_OWN
    clearip.redirects_to(
        first.at(), second.at(), headers=[f"P-Asserted-Identity: {asserted}", f"Date: {asserted}"]
    )

    caller = sipp.play("uac-answered", to=proxy, headers=f"\r\nP-Asserted-Identity: {own}")

    assert all_succeeded(caller, first, second)
    for target in (first, second):
        assert target.invite.headers("p-asserted-identity") == [asserted]
        assert target.invite.headers("date") == [asserted]


@pytest.mark.parametrize(
    ("returned", "expected"),
    [
        (["<sip:+1@a>"], ["<sip:+1@a>", "<tel:+14045550199>"]),
        (["<tel:+1>"], ["<tel:+1>", CALLERS_OWN]),
        (["<sip:+1@a>, <tel:+1>"], ["<sip:+1@a>", "<tel:+1>"]),
        (["<tel:+1>", "<sip:+1@a>"], ["<tel:+1>", "<sip:+1@a>"]),
        (["<sip:+1@a>", "<sip:+1@a>"], ["<sip:+1@a>", "<tel:+14045550199>"]),
        ([], [f"{CALLERS_OWN}, <tel:+14045550199>"]),
    ],
    ids=["sip", "tel", "joined", "two", "twice", "none"],
)
def test_asserted_identity_of_the_other_scheme_stays(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, returned: list[str], expected: list[str]
) -> None:
    """A caller may assert a sip and a tel URI; ClearIP replaces the one that it returns."""
    target = sipp.play("target-200")
    clearip.redirects_to(
        target.at(), headers=[f"P-Asserted-Identity: {value}" for value in returned]
    )

    caller = sipp.play(
        "uac-answered",
        to=proxy,
        headers=f"\r\nP-Asserted-Identity: {CALLERS_OWN}, <tel:+14045550199>",
    )

    assert all_succeeded(caller, target)
    assert target.invite.headers("p-asserted-identity") == expected


def test_every_header_of_the_default_list_is_copied_and_no_other(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """In the order returned, several of one name too; in the stead of those of the caller."""
    first, second = sipp.play("target-final"), sipp.play("target-200")
    returned = [
        ("x-asserted-identity", '"[V] DOE" <sip:+14045550100@192.0.2.1>'),
        ("call-info", "<https://pictures.example/a.png>;purpose=icon"),
        ("call-info", "<https://pictures.example/b.vcf>;purpose=card, <https://c>;purpose=info"),
        ("date", "Mon, 23 Nov 2026 03:00:00 GMT"),
        ("p-attestation-indicator", "A"),
        ("p-origination-id", "6f1e2b0a-93c4-4c1d-8c55-0d3f4b7a9e21"),
    ]
    left_behind = ["Reason: SIP;cause=302", "X-Data: 1", "Subject: s", "Server: s", "Via: x"]
    lines = [f"{name.upper()}: {value}" for name, value in returned]
    clearip.redirects_to(first.at(), second.at(), headers=[*lines, *left_behind])

    caller = sipp.play("uac-answered", to=proxy, headers="\r\nDate: yesterday\r\nX-Data: mine")

    assert all_succeeded(caller, first, second)
    names = {name for name, _ in returned}
    for target in (first, second):
        assert [field for field in target.invite.fields if field[0] in names] == returned
        assert target.invite.headers("x-data") == ["mine"]
        for name in ("reason", "subject", "server"):
            assert not target.invite.headers(name)


def test_headers_to_copy_are_configurable(
    proxy_with: ProxyWith, clearip: ClearIp, sipp: Sipp
) -> None:
    """`headers.copy` is the whole list; a name is found in any case."""
    proxy = proxy_with(headers={"copy": ["X-Carrier-Data", "Identity"]})
    target, identity = sipp.play("target-200"), token()
    clearip.redirects_to(
        target.at(),
        identities=[identity],
        headers=["x-CARRIER-data: one", "X-Carrier-Data: two", "P-Asserted-Identity: <sip:1@x>"],
    )

    caller = sipp.play("uac-answered", to=proxy, headers=f"\r\nP-Asserted-Identity: {CALLERS_OWN}")

    assert all_succeeded(caller, target)
    assert target.invite.headers("x-carrier-data") == ["one", "two"]
    assert target.invite.headers("p-asserted-identity") == [CALLERS_OWN]
    assert target.invite.headers("identity") == [identity]


def test_received_identity_is_added_to_where_configured(
    proxy_with: ProxyWith, clearip: ClearIp, sipp: Sipp
) -> None:
    """`headers.identity: append` keeps those of the same `ppt` as well; none comes twice."""
    proxy = proxy_with(headers={"identity": "append"})
    first, second = sipp.play("target-final"), sipp.play("target-200")
    received, signed, diverted = token(), token(), token("div")
    clearip.redirects_to(first.at(), second.at(), identities=[signed, received, diverted, signed])

    caller = sipp.play("uac-answered", to=proxy, headers=f"\r\nIdentity: {received}")

    assert all_succeeded(caller, first, second)
    for target in (first, second):
        assert target.invite.headers("identity") == [received, signed, diverted]


@pytest.mark.parametrize("ppt", ["shaken", "div", "rcd", "rph"])
def test_identity_of_every_type_takes_the_place_of_its_own_type(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, ppt: str
) -> None:
    """Of four received ones, three stay in order, and ClearIP's comes last."""
    target, signed = sipp.play("target-200"), token(ppt)
    received = {each: token(each) for each in ("shaken", "div", "rcd", "rph")}
    clearip.redirects_to(target.at(), identities=[signed])

    caller = sipp.play(
        "uac-answered",
        to=proxy,
        headers="".join(f"\r\nIdentity: {value}" for value in received.values()),
    )

    assert all_succeeded(caller, target)
    kept = [value for each, value in received.items() if each != ppt]
    assert target.invite.headers("identity") == [*kept, signed]


def test_identity_of_another_name_comes_as_identity(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """X-Identity counts like Identity, and one that comes under both names comes once."""
    first, second = sipp.play("target-final"), sipp.play("target-200")
    one, other = token(), token("div")
    clearip.redirects_to(
        first.at(), second.at(), headers=[f"X-Identity: {one}", f"y: {other}", f"Identity: {one}"]
    )

    caller = sipp.play("uac-answered", to=proxy)

    assert all_succeeded(caller, first, second)
    for target in (first, second):
        assert target.invite.headers("identity") == [other, one]
        assert not target.invite.headers("x-identity")


@pytest.mark.parametrize(
    ("returned", "expected"),
    [
        ('"[V] DOE, J" <sip:1@x>', '"DOE, J (verified)" <sip:1@x>'),
        ('"SPAM \\"X\\"" <sip:1@x>;y', '"POSSIBLE SPAM \\"X\\"" <sip:1@x>;y'),
        ('"NOBODY" <tel:+1>', "<tel:+1>"),
        ('"PLAIN [V] NAME" <sip:[V]@x>', '"PLAIN [V] NAME" <sip:[V]@x>'),
        ("sip:[V]@x", "sip:[V]@x"),
        (f'"[V] {"N" * 70}" <sip:1@x>', f'"[V] {"N" * 70}" <sip:1@x>'),
    ],
    ids=["rewritten", "escapes", "emptied", "not-matched", "no-name", "too-long"],
)
def test_display_names_are_rewritten_by_the_rules(
    proxy_with: ProxyWith, clearip: ClearIp, sipp: Sipp, returned: str, expected: str
) -> None:
    """In P-Asserted-Identity and X-Asserted-Identity; the caller's own stays as it is."""
    proxy = proxy_with(headers={"display_names": RULES})
    target = sipp.play("target-200")
    names = ("P-Asserted-Identity", "X-Asserted-Identity", "Call-Info")
    clearip.redirects_to(target.at(), headers=[f"{name}: {returned}" for name in names])

    caller = sipp.play("uac-answered", to=proxy, caller='"[V] ME" <sip:+14045550100@192.0.2.1>')

    assert all_succeeded(caller, target)
    values = [target.invite.headers(name.lower())[0] for name in names]
    assert values == [expected, expected, returned]
    assert target.invite.header("from").startswith('"[V] ME" ')


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ('P-Asserted-Identity: "JOS\udcc9" <sip:1@x>', "P-Asserted-Identity: no UTF-8"),
        ("P-Asserted-Identity: <sip:1@x>\rX-Evil: 1", "control character in P-Asserted-Identity"),
        ("P-Asserted-Identity: <sip:1@x>\0", "control character in P-Asserted-Identity"),
        (f"P-Asserted-Identity: <sip:{'1' * 9000}@x>", "longer than 8192 characters"),
        (f"Identity: {'a' * 17_000}", "identity 1: longer than 16384 characters"),
        ("Identity: a.b.c\x7f", "control character in Identity"),
        ("Identity: ümlaut", "identity 1: character that no Identity may hold"),
        ("P-Asserted-Identity <sip:1@x>", "no field name"),
    ],
    ids=["latin-1", "cr", "nul", "size", "identity-size", "del", "identity-utf-8", "no-colon"],
)
def test_value_that_cannot_be_sent_on_is_left_out(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, line: str, why: str
) -> None:
    """The call goes on with what else ClearIP returned and the caller sent; the log says so."""
    target, identity = sipp.play("target-200"), token("div")
    clearip.moved(line, f"Contact: {target.at()}", f"Identity: {identity}")
    received = token()

    caller = sipp.play(
        "uac-answered",
        to=proxy,
        headers=f"\r\nP-Asserted-Identity: {CALLERS_OWN}\r\nIdentity: {received}",
    )

    assert all_succeeded(caller, target)
    assert target.invite.headers("p-asserted-identity") == [CALLERS_OWN]
    assert target.invite.headers("identity") == [received, identity]
    assert not target.invite.headers("x-evil")
    proxy.wait_for_log(sipp.number, why)


@pytest.mark.parametrize("name", ["P-Asserted-Identity", "Identity", "X-Anything", "Subject"])
def test_name_of_the_caller_in_another_encoding_costs_no_call(
    proxy: Proxy, clearip: ClearIp, sipp: Sipp, name: str
) -> None:
    """Octets that are no UTF-8 pass where nothing takes their place."""
    target, value = sipp.play("target-200"), '"JOS\udcc9" <sip:+14045550100@192.0.2.1>'
    clearip.redirects_to(target.at())

    caller = sipp.play("uac-answered", to=proxy, headers=f"\r\n{name}: {value}")

    assert all_succeeded(caller, target)
    assert target.invite.headers(name.lower()) == [value]
    assert clearip.invite.headers(name.lower()) == [value]


def test_headers_of_an_answer_without_route_go_to_the_default_route(
    proxy_with: ProxyWith, clearip: ClearIp, sipp: Sipp
) -> None:
    """A 404 that brings a name and a signature loses neither."""
    proxy = proxy_with(
        clearip={"on_no_route": "default_route"}, default_route=[f"sip:{HOST}:{DEFAULT_PORT}"]
    )
    target, identity = sipp.play("target-200", port=DEFAULT_PORT), token()
    asserted = '"[V] DOE" <sip:+14045550100@192.0.2.1>'
    clearip.says(
        404, "Not Found", f"Identity: {identity}", f"P-Asserted-Identity: {asserted}", "Date: now"
    )

    caller = sipp.play("uac-answered", to=proxy, headers="\r\nP-Asserted-Identity: <sip:1@x>")

    assert all_succeeded(caller, target)
    assert target.invite.headers("identity") == [identity]
    assert target.invite.headers("p-asserted-identity") == [asserted]
    assert target.invite.headers("date") == ["now"]
