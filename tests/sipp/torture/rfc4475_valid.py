"""RFC 4475 §3.1.1: messages that look odd and are valid. Facts from there, words from here."""

from sipp.torture.message import (
    BAD_REQUEST,
    CALL,
    NOT_ALLOWED,
    NOT_UNDERSTOOD,
    OK,
    SILENCE,
    Torture,
    message,
)

CALLED = "sip:[number]@example.net"
VALID = (
    Torture(
        "wsinv",
        "3.1.1.1",
        "Folding, odd cases and white space in every place that allows it",
        NOT_UNDERSTOOD,
        message(
            "INVITE sip:[number]@example.net;unknownparam SIP/2.0",
            "TO :\r\n sip:[number]@example.net ",
            'from   : "J Rosenberg \\\\\\""       <sip:jdrosen@example.com>\r\n  ;\r\n'
            "  tag = 98asjd8",
            "MaX-fOrWaRdS: 0068",
            "Call-ID: [number]-wsinv",
            "Content-Length   : 0",
            "cseq: 0009\r\n  INVITE",
            "Via  : SIP  /   2.0\r\n /UDP\r\n    [sent-by];branch=z9hG4bK[number]",
            "s :",
            "NewFangledHeader:   newfangled value\r\n continued newfangled value",
            "UnknownHeaderWithUnusualValue: ;;,,;;,;",
            "Route:\r\n <sip:services.example.com;lr;unknownwith=value;unknown-no-value>",
            'm:"Quoted string \\"\\"" <sip:jdrosen@example.com> ; newparam =\r\n      newvalue'
            " ;\r\n  secondparam ; q = 0.33",
        ),
    ),
    Torture(
        "intmeth",
        "3.1.1.2",
        "A method and a URI of every character that they may have",
        NOT_UNDERSTOOD,
        message(
            "!interesting-Method0123456789_*+`.%indeed'~ "
            "sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*"
            ":&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@example.com SIP/2.0",
            'To: "BEL:\\\x07 NUL:\\\x00 DEL:\\\x7f" <sip:1_unusual.URI~(to-be!sure)&isn\'t+it$/cra'
            "zy?,/;;*@example.com>",
            "extensionHeader-!.%*+_`'~: \ufeff大停電",
        ),
    ),
    Torture(
        "esc01",
        "3.1.1.3",
        "A user part that is another URI, escaped",
        CALL,
        message("INVITE sip:sips%3A[number]%40example.com@example.net SIP/2.0"),
    ),
    Torture(
        "escnull",
        "3.1.1.4",
        "Escaped nulls in URIs",
        NOT_ALLOWED,
        message(
            "REGISTER sip:example.com SIP/2.0",
            "To: sip:null-%00-null@example.com",
            "From: sip:null-%00-null@example.com;tag=839923423",
            "Contact: <sip:%00@host5.example.com>, <sip:%00%00@host5.example.com>",
        ),
    ),
    Torture(
        "esc02",
        "3.1.1.5",
        "A method that would be REGISTER if escapes counted there",
        NOT_ALLOWED,
        message("RE%47IST%45R sip:registrar.example.com SIP/2.0"),
    ),
    Torture(
        "lwsdisp",
        "3.1.1.6",
        "No white space between a display name and its URI",
        OK,
        message(f"OPTIONS {CALLED} SIP/2.0", "From: caller<sip:caller@example.com>;tag=323"),
    ),
    Torture(
        "longreq",
        "3.1.1.7",
        "Long values wherever there are values",
        CALL,
        message(
            f"INVITE {CALLED} SIP/2.0",
            f'To: "{"I have a user name of " + "extreme" * 20} proportion" <sip:[number]@'
            f"example.net;unknownparam1={'very' * 30}longvalue;{'longparam' * 20}name=shortvalue;"
            f"very{'long' * 25}ParameterNameWithNoValue>",
            f"From: sip:{'amazinglylongcallername' * 10}@example.net;tag=12{'982' * 50}424"
            f";unknown{'header' * 20}paramname=unknown{'value' * 20}",
            f"Call-ID: [number]-long-{'really' * 30}-callid",
            f"Unknown-{'Long' * 20}-Name: unknown-{'long' * 20}-value; unknown-long-parameter-name"
            f" = {'long' * 40}",
            *(f"Via: SIP/2.0/TCP sip{n}.example.com" for n in range(33, 0, -1)),
            "Content-Type: application/sdp",
        ).replace(
            b"Via: SIP/2.0/TCP sip33.example.com",
            b"Via: SIP/2.0/UDP [sent-by];branch=z9hG4bK[number]",
        ),
    ),
    Torture(
        "dblreq",
        "3.1.1.8",
        "A request behind the end of another one, in its datagram",
        BAD_REQUEST,
        message("REGISTER sip:example.com SIP/2.0") + message(f"INVITE {CALLED} SIP/2.0"),
    ),
    Torture(
        "semiuri",
        "3.1.1.9",
        "A semicolon in the user part",
        OK,
        message("OPTIONS sip:user;par=u%40example.net@example.com SIP/2.0"),
    ),
    Torture(
        "transports",
        "3.1.1.10",
        "Transports in Via that are not known",
        OK,
        message(
            "OPTIONS sip:user@example.com SIP/2.0",
            "Via: SIP/2.0/UDP [sent-by];branch=z9hG4bK[number]",
            "Via: SIP/2.0/SCTP t2.example.com;branch=z9hG4bKklasjdhf",
            "Via: SIP/2.0/TLS t3.example.com;branch=z9hG4bK2980unddj",
            "Via: SIP/2.0/UNKNOWN t4.example.com;branch=z9hG4bKasd0f3en",
            "Via: SIP/2.0/TCP t5.example.com;branch=z9hG4bK0a9idfnee",
        ),
    ),
    Torture(
        "mpart01",
        "3.1.1.11",
        "A body of several parts, one of them binary",
        NOT_ALLOWED,
        message(
            f"MESSAGE {CALLED} SIP/2.0",
            "Content-Type: multipart/mixed;boundary=7a9cbec02ceef655",
            body=b"--7a9cbec02ceef655\r\nContent-Type: text/plain\r\n\r\nHello\r\n"
            b"--7a9cbec02ceef655\r\nContent-Type: application/octet-stream\r\n\r\n"
            + bytes(range(256))
            + b"\r\n--7a9cbec02ceef655--",
        ),
    ),
    Torture(
        "unreason",
        "3.1.1.12",
        "A response with a reason phrase in other letters than ASCII's",
        SILENCE,
        message("SIP/2.0 200 = 2**3 * 5**2 но сто девяносто девять - простое", "CSeq: 35 INVITE"),
    ),
    Torture(
        "noreason",
        "3.1.1.13",
        "A response with an empty reason phrase",
        SILENCE,
        message("SIP/2.0 100 ", "CSeq: 35 INVITE"),
    ),
)
