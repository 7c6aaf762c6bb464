"""SIP URIs of the configuration: what is one, and what is said where one is not."""

import pytest

from inline_proxy.config.faults import Refused
from inline_proxy.config.sip_uri import sip_uri

GOOD = [
    "sip:a.example",
    "SIP:a.example",
    "sips:a.example:5061",
    "sip:192.0.2.1",
    "sip:192.0.2.1:5060;transport=udp",
    "sip:[2001:db8::1]:5060;transport=TCP",
    "sip:a.example;transport=tls;lr",
    "sip:+15551234567@a.example;user=phone",
    "sip:tg;a=1/2%23@a.example",
    "sips:a.example;transport=tcp",
]

BAD = [
    ("", "is not a SIP URI"),
    ("a.example", "is not a SIP URI"),
    ("192.0.2.1:5060", "is not a SIP URI"),
    ("sip:", "has a host that is neither a name nor an address"),
    ("sip:a b.example", "has a host that is neither a name nor an address"),
    ("sip:192.0.2.300", "has a host that is neither a name nor an address"),
    ("sip:-a.example", "has a host that is neither a name nor an address"),
    ("tel:+15551234567", "has a scheme other than sip and sips"),
    ("http://a.example", "has a scheme other than sip and sips"),
    ("sip:2001:db8::1", "has an IPv6 host, which stands in brackets"),
    ("sip:[2001:db8::zz]", "has a host in brackets that is not an IPv6 address"),
    ("sip:[]", "has a host in brackets that is not an IPv6 address"),
    ("sip:[192.0.2.1]", "has a host in brackets that is not an IPv6 address"),
    ("sip:[a.example]", "has a host in brackets that is not an IPv6 address"),
    ("sip:[fe80::1%eth0]", "has a zone, which SIP cannot carry"),
    ("sip:0.0.0.0", "is not the address of one host"),
    ("sip:a.example:", "has a port that is not a number from 1 to 65535"),
    ("sip:a.example:0", "has a port that is not a number from 1 to 65535"),
    ("sip:a.example:65536", "has a port that is not a number from 1 to 65535"),
    ("sip:a.example:sip", "has a port that is not a number from 1 to 65535"),
    ("sip:a.example:٥٠٦٠", "has a port that is not a number from 1 to 65535"),
    ("sip:a.example;transport=ws", "has a transport other than udp, tcp and tls"),
    ("sip:a.example;transport", "has a transport other than udp, tcp and tls"),
    ("sip:a.example;transport=udp;transport=tcp", "names its transport twice"),
    ("sips:a.example;transport=udp", "asks for TLS (sips) and for UDP at the same time"),
    ("sip:a.example?Replaces=1", "has a header part, which a route cannot have"),
    ("<sip:a.example>", "is not a SIP URI"),
    ("sip:a.example\n", "has a host that is neither a name nor an address"),
    ("sip:a.example;\n", "is not a SIP URI"),
    ('sip:a.example;x=$"', "is not a SIP URI"),
]


@pytest.mark.parametrize("uri", GOOD)
def test_sip_uri_is_kept_as_it_was_written(uri: str) -> None:
    """Nothing is normalised: the URI goes to the wire as the operator wrote it."""
    assert sip_uri(uri) == uri


@pytest.mark.parametrize(("uri", "wrong"), BAD)
def test_other_text_is_refused_with_what_is_wrong(uri: str, wrong: str) -> None:
    """Each kind of mistake has a sentence of its own."""
    with pytest.raises(Refused) as refused:
        sip_uri(uri)

    assert (refused.value.wrong or "is not a SIP URI") == wrong
