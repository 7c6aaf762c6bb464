"""SIP, SIPS and tel URIs."""

import pytest
from hypothesis import example, given

from clearip_proxy.sip.uri import MalformedUri, parse_uri, same_destination
from unit.kemi.hostile_text import any_text


@pytest.mark.parametrize(
    ("text", "user", "host", "port"),
    [
        ("sip:192.0.2.1", None, "192.0.2.1", None),
        ("sip:carrier.example:5080", None, "carrier.example", 5080),
        ("sips:+14045550100@carrier.example", "+14045550100", "carrier.example", None),
        ("SIP:a@TG_1-x", "a", "TG_1-x", None),
        (
            "sip:+14045550100;rn=+14045550000;npdi@192.0.2.1:1",
            "+14045550100;rn=+14045550000;npdi",
            "192.0.2.1",
            1,
        ),
        ("sip:a?b,c/d&e=f$g@h:65535", "a?b,c/d&e=f$g", "h", 65535),
        ("sip:a%40b@h", "a%40b", "h", None),
        ("sip:a@[2001:db8::1]", "a", "[2001:db8::1]", None),
        ("sip:[::ffff:192.0.2.1]:5060", None, "[::ffff:192.0.2.1]", 5060),
    ],
)
def test_sip_uri_parts_are_to_the_letter(
    text: str, user: str | None, host: str, port: int | None
) -> None:
    """User with its parameters, host and port are as written, and so is the whole."""
    uri = parse_uri(text)

    assert (uri.user, uri.host, uri.port) == (user, host, port)
    assert uri.scheme == text.partition(":")[0].lower()
    assert uri.text == uri.without_headers() == text
    assert (uri.parameters, uri.headers, uri.faults) == ((), (), ())


def test_password_is_no_part_of_the_user() -> None:
    """The password stands apart, an empty one too; without a colon there is none."""
    assert (parse_uri("sip:a:b:c@h").user, parse_uri("sip:a:b:c@h").password) == ("a", "b:c")
    assert parse_uri("sip:a:@h").password == ""
    assert parse_uri("sip:a@h").password is None


def test_uri_parameters_keep_letter_and_order() -> None:
    """Values, flags and repeated names stay as they are; they are found in any case."""
    uri = parse_uri("sip:a@h:5070;Transport=TCP;lr;tag;x=1=2;x=3")

    assert uri.parameters == (
        ("Transport", "TCP"),
        ("lr", None),
        ("tag", None),
        ("x", "1=2"),
        ("x", "3"),
    )
    assert (uri.param("TAG"), uri.param("x"), uri.param("y")) == ("", "1=2", None)
    assert uri.transport == "tcp"


@pytest.mark.parametrize("text", ["sip:a@h", "sip:a@h;transport", "sip:a@h;transport="])
def test_transport_without_value_is_none(text: str) -> None:
    """Where no transport is named there is none."""
    assert parse_uri(text).transport is None


def test_user_parameters_are_found() -> None:
    """Parameters of the user part are told from those of the URI."""
    uri = parse_uri("sip:+14045550100;tgrp=TG1;Trunk-Context=x.example;npdi@h;tgrp=no")

    assert uri.user_param("TGRP") == "TG1"
    assert uri.user_param("npdi") == ""
    assert uri.user_param("trunk-context") == "x.example"
    assert uri.user_param("rn") is None
    assert parse_uri("sip:h").user_param("rn") is None


def test_embedded_headers_are_decoded_and_cut_off() -> None:
    """Headers after the question mark are percent-decoded; a plus sign is no blank."""
    text = (
        "sip:+1404@192.0.2.1;user=phone?Identity=a.b.c%3Binfo=%3Chttps://x/%2C%3e;ppt=shaken"
        "&P-Asserted-Identity=%22%5BV%5D%20Zo%C3%AB%22%20%3Csip:+1404%40h%3E&X%2DId=%FF"
    )

    uri = parse_uri(text)

    assert uri.without_headers() == "sip:+1404@192.0.2.1;user=phone"
    assert uri.headers == (
        ("Identity", "a.b.c;info=<https://x/,>;ppt=shaken"),
        ("P-Asserted-Identity", '"[V] Zoë" <sip:+1404@h>'),
        ("X-Id", "\udcff"),
    )
    assert uri.parameters == (("user", "phone"),)
    assert uri.faults == ()


def test_embedded_header_that_cannot_be_sent_is_left_out() -> None:
    """Nameless headers and those that would break a line are faults; the others stay."""
    uri = parse_uri("sip:h?a&=b&c%20d=e&X=1%0d%0aRoute:%20x&&Y=%00&Z=2")

    assert uri.headers == (("Z", "2"),)
    assert uri.faults == (
        "embedded header 1: no name",
        "embedded header 2: no name",
        "embedded header 3: no name",
        "embedded header 4: control character",
        "embedded header 5: control character",
    )


def test_question_mark_alone_embeds_nothing() -> None:
    """A question mark with nothing behind it is cut off without a fault."""
    uri = parse_uri("sip:a@h?")

    assert (uri.without_headers(), uri.headers, uri.faults) == ("sip:a@h", (), ())


def test_tel_uri_has_a_number_and_no_host() -> None:
    """A tel URI's number stands as its user, the rest are its parameters."""
    uri = parse_uri("TEL:+1-404-555-0100;rn=+1404;npdi")

    assert (uri.scheme, uri.user, uri.host, uri.port) == ("tel", "+1-404-555-0100", "", None)
    assert (uri.param("rn"), uri.param("npdi")) == ("+1404", "")
    assert uri.without_headers() == "TEL:+1-404-555-0100;rn=+1404;npdi"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no URI"),
        ("sip", "neither a SIP nor a tel URI"),
        ("tel", "neither a SIP nor a tel URI"),
        ("mailto:a@h", "neither a SIP nor a tel URI"),
        ("a@h", "neither a SIP nor a tel URI"),
        ("tel:", "no number"),
        ("tel:;x", "no number"),
        ("sip:", "malformed host or port"),
        ("sip:a@", "malformed host or port"),
        ("sip:a@h:", "malformed host or port"),
        ("sip:a@h:x", "malformed host or port"),
        ("sip:a@h:123456", "malformed host or port"),
        ("sip:a@h@i", "malformed host or port"),
        ("sip:+14045550100", "malformed host or port"),
        ("sip:a@h/", "malformed host or port"),
        ("sip:a@[::1", "malformed host or port"),
        ("sip:a@[fe80::1%25eth0]", "malformed host or port"),
        ("sip:a@[::1::]", "malformed IPv6 address"),
        ("sip:a@[192.0.2.1]", "malformed IPv6 address"),
        ("sip:a@h:0", "port out of range"),
        ("sip:a@h:65536", "port out of range"),
        ("sip:@h", "empty user"),
        ("sip::p@h", "empty user"),
        ("sip:a b@h", "character that no URI may hold"),
        ("sip:a@h\r\n", "character that no URI may hold"),
        ("sip:a\0@h", "character that no URI may hold"),
        ("sip:é@h", "character that no URI may hold"),
        ("sip:\udc80@h", "character that no URI may hold"),
        ("sip:<a@h", "character that no URI may hold"),
        ('sip:"a"@h', "character that no URI may hold"),
    ],
)
def test_malformed_uri_is_refused_with_a_reason(text: str, why: str) -> None:
    """Each kind of fault has its sentence, which never repeats the URI."""
    with pytest.raises(MalformedUri, match=f"^{why}$"):
        parse_uri(text)


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("sip:Carrier.EXAMPLE.", "carrier.example"),
        ("sip:192.0.2.1", "192.0.2.1"),
        ("sip:[2001:DB8:0:0::01]", "[2001:db8::1]"),
        ("tel:+1404", ""),
    ],
)
def test_host_has_one_canonical_form(text: str, host: str) -> None:
    """Case, a root dot and the many spellings of an IPv6 address make no difference."""
    assert parse_uri(text).canonical_host == host


@pytest.mark.parametrize(
    ("text", "port"),
    [
        ("sip:h", 5060),
        ("sip:h;transport=TCP", 5060),
        ("sip:h;transport=TLS", 5061),
        ("sips:h", 5061),
        ("sips:h:5070", 5070),
    ],
)
def test_port_defaults_by_scheme_and_transport(text: str, port: int) -> None:
    """TLS has a default port of its own."""
    assert parse_uri(text).effective_port == port


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("sip:a@H.example", "sip:a@h.EXAMPLE:5060"),
        ("sip:%61@h", "sip:a@h"),
        ("sip:%ff@h", "sip:%FF@h"),
        ("sip:h", "sip:h;x=y?z=1"),
        ("sips:a@h", "sip:a@h;transport=tls"),
        ("sip:a:secret@h", "sip:a@h"),
        ("sip:a@[::1]", "sip:a@[0:0::1]:5060"),
        ("tel:+1-404-555.0100", "tel:+1(404)5550100;npdi"),
    ],
)
def test_other_spelling_of_a_place_is_the_same_destination(one: str, other: str) -> None:
    """Case of the host, escapes, defaults, parameters and headers hide no loop."""
    assert same_destination(parse_uri(one), parse_uri(other))
    assert same_destination(parse_uri(other), parse_uri(one))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("sip:a@h", "sip:A@h"),
        ("sip:a@h", "sip:h"),
        ("sip:a@h", "sip:a@i"),
        ("sip:a@h", "sip:a@h:5061"),
        ("sip:a@h", "sips:a@h"),
        ("sip:1404@h", "sip:1404;npdi@h"),
        ("tel:+1404", "sip:+1404@h"),
        ("tel:+1404", "tel:1404"),
    ],
)
def test_other_user_or_place_is_another_destination(one: str, other: str) -> None:
    """The user counts to the letter; so do host and port."""
    assert not same_destination(parse_uri(one), parse_uri(other))


@given(any_text.map(lambda text: "sip:" + text))
@example("sip:[:]")
@example("sip:a@[.]")
def test_any_text_is_a_uri_or_malformed(text: str) -> None:
    """Nothing but MalformedUri is raised, and a URI can stand in a request line."""
    try:
        uri = parse_uri(text)
    except MalformedUri:
        return
    assert uri.text == text
    assert text.isascii()
    assert text.isprintable()
    assert " " not in text
    assert same_destination(uri, uri)
    assert not any(set(value) & set("\r\n\0") for _, value in uri.headers)


def test_maddr_is_where_requests_are_sent() -> None:
    """RFC 3261 §19.1.1; the host keeps its name."""
    uri = parse_uri("sip:1@GW.example.net;maddr=[2001:DB8:0::1]")

    assert uri.target_host == "[2001:db8::1]"
    assert uri.canonical_host == "gw.example.net"


def test_host_is_where_requests_are_sent_without_maddr() -> None:
    """The usual case."""
    uri = parse_uri("sip:1@GW.example.net.")

    assert uri.target_host == uri.canonical_host == "gw.example.net"


@pytest.mark.parametrize("maddr", ["", "=", "=a b", "=[::1", "=[zz::1]", '="192.0.2.1"', "=a%41"])
def test_malformed_maddr_is_refused(maddr: str) -> None:
    """Nobody knows where such a request should go."""
    with pytest.raises(MalformedUri):
        parse_uri(f"sip:1@gw.example.net;maddr{maddr}")
