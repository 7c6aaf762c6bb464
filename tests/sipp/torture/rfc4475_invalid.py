"""RFC 4475 §3.1.2: messages that no grammar allows. Facts from there, words from here."""

from sipp.torture.message import (
    BAD_REQUEST,
    CALL,
    NOT_ALLOWED,
    OK,
    SILENCE,
    Torture,
    message,
)

CALLED = "sip:[number]@example.net"
INVITE = f"INVITE {CALLED} SIP/2.0"
OPTIONS = f"OPTIONS {CALLED} SIP/2.0"
INVALID = (
    Torture(
        "badinv01",
        "3.1.2.1",
        "Separators without anything between them",
        SILENCE,
        message(
            INVITE,
            "Via: SIP/2.0/UDP [sent-by];;,;,,",
            'Contact: "Joe" <sip:joe@example.org>;;;;',
        ),
    ),
    Torture(
        "clerr",
        "3.1.2.2",
        "A Content-Length beyond the end of the datagram",
        BAD_REQUEST,
        message(INVITE, "Content-Length: 9999", body=b"v=0\r\n"),
    ),
    Torture(
        "ncl",
        "3.1.2.3",
        "A negative Content-Length",
        SILENCE,
        message(INVITE, "Content-Length: -999", body=b"v=0\r\n"),
    ),
    Torture(
        "scalar02",
        "3.1.2.4",
        "Numbers beyond what any field may hold",
        BAD_REQUEST,
        message(
            "REGISTER sip:example.com SIP/2.0",
            "CSeq: 36893488147419103232 REGISTER",
            "Max-Forwards: 300",
            "Expires: 10000000000000000000000000000000000000000",
            "Contact: <sip:user@host129.example.com>;expires=280297596632815",
        ),
    ),
    Torture(
        "scalarlg",
        "3.1.2.5",
        "A response with such numbers",
        SILENCE,
        message(
            "SIP/2.0 503 Service Unavailable",
            "CSeq: 9292394834772304023312 OPTIONS",
            "Retry-After: 949302838503028349304023988",
            'Warning: 1812 overture "In Progress"',
        ),
    ),
    Torture(
        "quotbal",
        "3.1.2.6",
        "A quoted string without an end",
        SILENCE,
        message(INVITE, 'To: "Mr. J. User <sip:[number]@example.net>'),
    ),
    Torture(
        "ltgtruri",
        "3.1.2.7",
        "A Request-URI in angle brackets",
        BAD_REQUEST,
        message(f"INVITE <{CALLED}> SIP/2.0"),
    ),
    Torture(
        "lwsruri",
        "3.1.2.8",
        "White space inside the Request-URI",
        SILENCE,
        message(f"INVITE {CALLED}; lr SIP/2.0"),
    ),
    Torture(
        "lwsstart",
        "3.1.2.9",
        "Two spaces where the start line has one",
        SILENCE,
        message(f"INVITE  {CALLED}  SIP/2.0"),
    ),
    Torture(
        "trws",
        "3.1.2.10",
        "Spaces behind the start line",
        OK,
        message(f"OPTIONS {CALLED} SIP/2.0  "),
    ),
    Torture(
        "escruri",
        "3.1.2.11",
        "Headers in the Request-URI",
        BAD_REQUEST,
        message("INVITE sip:[number]@example.net?Route=%3Csip:example.com%3E SIP/2.0"),
    ),
    Torture(
        "baddate",
        "3.1.2.12",
        "A Date of another time zone than GMT, which a proxy need not read",
        CALL,
        message(INVITE, "Date: Fri, 01 Jan 2010 16:00:00 EST"),
    ),
    Torture(
        "regbadct",
        "3.1.2.13",
        "A Contact with headers that stands in no angle brackets",
        NOT_ALLOWED,
        message(
            "REGISTER sip:example.com SIP/2.0",
            "Contact: sip:user@example.com?Route=%3Csip:sip.example.com%3E",
        ),
    ),
    Torture(
        "badaspec",
        "3.1.2.14",
        "Spaces inside the angle brackets of To",
        OK,
        message(OPTIONS, 'To: "Watson, Thomas" < sip:t.watson@example.org >'),
    ),
    Torture(
        "baddn",
        "3.1.2.15",
        "A display name with a comma and without quotes",
        OK,
        message(OPTIONS, "From:    Bell, Alexander <sip:a.g.bell@example.com>;tag=43"),
    ),
    Torture(
        "badvers",
        "3.1.2.16",
        "Another version of SIP",
        SILENCE,
        message(f"OPTIONS {CALLED} SIP/7.0", "Via: SIP/7.0/UDP [sent-by];branch=z9hG4bK[number]"),
    ),
    Torture(
        "mismatch01",
        "3.1.2.17",
        "A CSeq of another method",
        BAD_REQUEST,
        message(OPTIONS, "CSeq: 8 INVITE"),
    ),
    Torture(
        "mismatch02",
        "3.1.2.18",
        "An unknown method, and a CSeq of a known one",
        BAD_REQUEST,
        message(f"NEWMETHOD {CALLED} SIP/2.0", "CSeq: 8 INVITE"),
    ),
    Torture(
        "bigcode",
        "3.1.2.19",
        "A response with a status code of ten digits",
        SILENCE,
        message("SIP/2.0 4294967301 better not break the receiver", "CSeq: 8 INVITE"),
    ),
)
