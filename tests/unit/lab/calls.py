"""Passages of made-up calls, with as much of each message as the lab looks at."""

from inline_proxy.lab.message import Message
from inline_proxy.lab.passage import Passage


def passage(  # noqa: PLR0913 - a message has that many parts
    ms: float,
    way: str,
    start: str,
    *,
    branch: str = "",
    identity: tuple[str, ...] = (),
    cseq: str = "",
    to_tag: str = "",
) -> Passage:
    """Give a passage: `way` is "sender > receiver", `start` a method with URI or a status line.

    A response is one to an INVITE unless `cseq` says otherwise.
    """
    sender, receiver = way.split(" > ")
    is_response = start[0].isdecimal()
    method = "INVITE" if is_response else start.split(" ", maxsplit=1)[0]
    lines = [
        f"SIP/2.0 {start}" if is_response else f"{start} SIP/2.0",
        f"Via: SIP/2.0/UDP 127.0.0.1;branch={branch or '-'.join(sorted((sender, receiver)))}",
        f"To: <sip:1@proxy>;tag={to_tag}",
        "Call-ID: one",
        f"CSeq: {cseq or f'1 {method}'}",
        *(f"Identity: {value}" for value in identity),
    ]
    text = "\r\n".join([*lines, "", ""])
    return Passage(1000 + ms / 1000, sender, receiver, Message.parse(text))


SIGNED = ("token;ppt=shaken",)


def answered_call() -> list[Passage]:
    """A call that carrier A refuses and carrier B answers."""
    return [
        passage(0, "switch > proxy", "INVITE sip:1@proxy"),
        passage(1, "proxy > switch", "100 Trying"),
        passage(3, "proxy > ClearIP", "INVITE sip:1@clearip"),
        passage(14.4, "ClearIP > proxy", "302 Moved Temporarily", identity=SIGNED),
        passage(15, "proxy > ClearIP", "ACK sip:1@clearip"),
        passage(15, "proxy > carrier A", "INVITE sip:1@a", identity=SIGNED),
        passage(18, "carrier A > proxy", "503 Service Unavailable"),
        passage(18, "proxy > carrier A", "ACK sip:1@a"),
        passage(20, "proxy > carrier B", "INVITE sip:1@b", identity=SIGNED),
        passage(29, "carrier B > proxy", "200 OK"),
        passage(30, "proxy > switch", "200 OK"),
        passage(31, "switch > proxy", "ACK sip:1@b", branch="ack"),
        passage(32, "proxy > carrier B", "ACK sip:1@b", branch="ack-b"),
        passage(1032, "carrier B > proxy", "BYE sip:1@switch", branch="bye"),
        passage(1033, "proxy > switch", "BYE sip:1@switch", branch="bye-s"),
        passage(1034, "switch > proxy", "200 OK", branch="bye-s", cseq="1 BYE"),
        passage(1035, "proxy > carrier B", "200 OK", branch="bye", cseq="1 BYE"),
    ]
