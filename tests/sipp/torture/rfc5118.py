"""RFC 5118: what IPv6 addresses do to parsers. Facts from there, words from here."""

from sipp.torture.message import BAD_REQUEST, CALL, NOT_ALLOWED, OK, Torture, message

CALLED = "sip:[number]@[2001:db8::10]"
INVITE = f"INVITE {CALLED} SIP/2.0"
REGISTER = "REGISTER sip:[2001:db8::10] SIP/2.0"
MORE_VIA = "Via: SIP/2.0/UDP [2001:db8::9:1];received=[2001:db8::9:255];branch=z9hG4bKas3-111"
SDP = (
    b"v=0\r\no=assistant 971731711378798081 0 IN IP6 2001:db8::20\r\ns=Live video feed\r\n"
    b"c=IN IP6 2001:db8::20\r\nt=3338481189 3370017201\r\nm=audio 6000 RTP/AVP 2\r\n"
)
TWO_ADDRESSES = SDP + b"m=video 6024 RTP/AVP 107\r\nc=IN IP6 ::ffff:192.0.2.10\r\n"
IPV6 = (
    Torture("ipv6-good", "4.1", "An IPv6 reference", NOT_ALLOWED, message(REGISTER)),
    Torture(
        "ipv6-bad",
        "4.2",
        "An IPv6 address without brackets",
        BAD_REQUEST,
        message("REGISTER sip:2001:db8::10 SIP/2.0"),
    ),
    Torture(
        "port-ambiguous",
        "4.3",
        "What was meant as the port is the last group of the address",
        NOT_ALLOWED,
        message("REGISTER sip:[2001:db8::10:5070] SIP/2.0"),
    ),
    Torture(
        "port-unambiguous",
        "4.4",
        "A port outside the brackets",
        NOT_ALLOWED,
        message("REGISTER sip:[2001:db8::10]:5070 SIP/2.0"),
    ),
    Torture(
        "via-received-param-with-delim",
        "4.5",
        "An address in brackets as received parameter",
        OK,
        message(
            f"OPTIONS {CALLED} SIP/2.0",
            "Via: SIP/2.0/UDP [sent-by];received=[2001:db8::9:255];branch=z9hG4bK[number]",
            MORE_VIA,
        ),
    ),
    Torture(
        "via-received-param-no-delim",
        "4.5",
        "The same without brackets",
        OK,
        message(
            f"OPTIONS {CALLED} SIP/2.0",
            "Via: SIP/2.0/UDP [sent-by];branch=z9hG4bK[number]",
            MORE_VIA.replace("[2001:db8::9:255]", "2001:db8::9:255"),
        ),
    ),
    Torture(
        "ipv6-in-sdp",
        "4.6",
        "Addresses without brackets in the body",
        CALL,
        message(INVITE, "Content-Type: application/sdp", body=SDP),
    ),
    Torture(
        "mult-ip-in-header",
        "4.7",
        "Both families in one message",
        CALL,
        message(
            INVITE,
            "Via: SIP/2.0/UDP [sent-by];branch=z9hG4bK[number]",
            MORE_VIA,
            "Via: SIP/2.0/UDP 192.0.2.1;received=192.0.2.1;branch=z9hG4bKjhja8781hjuaij65144",
        ),
    ),
    Torture(
        "mult-ip-in-sdp",
        "4.8",
        "Both families in one body",
        CALL,
        message(INVITE, "Content-Type: application/sdp", body=TWO_ADDRESSES),
    ),
    Torture(
        "ipv4-mapped-ipv6",
        "4.9",
        "IPv4 addresses written as IPv6",
        CALL,
        message(
            "INVITE sip:[number]@[::ffff:192.0.2.10] SIP/2.0",
            "Via: SIP/2.0/UDP [sent-by];branch=z9hG4bK[number]",
            "Via: SIP/2.0/UDP [::ffff:192.0.2.2]:5060;branch=z9hG4bKas3-111",
            "Contact: <sip:user@[::ffff:192.0.2.2]>",
        ),
    ),
    Torture(
        "ipv6-bug-abnf-3-colons",
        "4.10",
        "Three colons, as an error in RFC 3261's grammar allowed",
        OK,
        message("OPTIONS sip:user@[2001:db8:::192.0.2.1] SIP/2.0"),
    ),
)
