"""What the ClearIP stand-in says to one INVITE: a template, and the call it is filled in for."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from urllib.parse import quote

from inline_proxy.lab.message import Message
from inline_proxy.lab.passport import KINDS, Signer

_PLACE: Final = re.compile(r"\[([a-z]+(?:_[a-z]+)*)(?::([A-Za-z][A-Za-z0-9_-]*))?\]")
_USER: Final = re.compile(r"sips?:([^@>]*)@")
_ADDRESS: Final = re.compile(r"<([^>]*)>|([^;\s]+)")
_PLAIN: Final = ("user", "to", "domain")


class Action(StrEnum):
    """What happens on the wire once the time of the answer has come."""

    REPLY = "reply"
    SILENCE = "silence"
    CLOSE = "close"
    CUT = "cut"
    RESET = "reset"


class TemplateError(ValueError):
    """An answer asks for something that this stand-in does not have."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A final response and how it is given.

    `headers` are whole lines with places to fill in: `[user]` and `[domain]` of the Request-URI,
    `[to]` the URI in To, `[carrier:A]` where a carrier listens, `[identity]` or `[identity:div]`
    or `[identity:rcd]` a fresh signature, `[identity_escaped]` the same as part of a URI.
    `trying` sends a 100 at once, `ringing` a 180 after it. `delay_ms` passes before `action`,
    which may be to send half of the message and close (`cut`), or to send none of it.
    """

    status: int = 200
    reason: str = "OK"
    headers: tuple[str, ...] = ()
    trying: bool = False
    ringing: bool = False
    delay_ms: int = 0
    action: Action = Action.REPLY


@dataclass(frozen=True, slots=True)
class Means:
    """What a stand-in has to fill in answers: its key and where the carriers are."""

    signer: Signer | None = None
    carriers: Mapping[str, str] = field(default_factory=dict)

    def headers(self, answer: Answer, invite: Message) -> list[str]:
        """Give the lines of an answer for one INVITE; raises `TemplateError`."""
        filling = _Filling(self, invite)
        return [_PLACE.sub(filling.value, line) for line in answer.headers]

    def carrier(self, name: str) -> str:
        """Give host, port and parameters of a carrier: its URI without the scheme."""
        try:
            return self.carriers[name].partition(":")[2]
        except KeyError:
            raise TemplateError(f"carrier {name} is not set") from None

    def identity(self, invite: Message, kind: str) -> str:
        """Sign one INVITE."""
        if self.signer is None:
            raise TemplateError("an Identity needs a signing key")
        return self.signer.identity(invite, kind)


@dataclass(frozen=True, slots=True)
class _Filling:
    """The values of the places in an answer to one INVITE."""

    means: Means
    invite: Message

    def value(self, place: re.Match[str]) -> str:
        """Give the text for one place."""
        name, argument = place[1], place[2] or ""
        match name:
            case "user":
                return called_user(self.invite)
            case "domain":
                return host_port(self.invite.request_uri)
            case "to":
                return address(self.invite.header("to"))
            case "carrier":
                return self.means.carrier(argument)
            case "identity":
                return self.means.identity(self.invite, argument or "shaken")
            case "identity_escaped":
                return quote(self.means.identity(self.invite, argument or "shaken"), safe="")
        raise TemplateError(f"{place[0]} is not known")


def check_places(answer: Answer) -> None:
    """Refuse an answer with a place that nothing can ever fill; raises `TemplateError`."""
    for place in (found for line in answer.headers for found in _PLACE.finditer(line)):
        name, argument = place[1], place[2]
        known = (
            (name in _PLAIN and argument is None)
            or (name == "carrier" and argument is not None)
            or (name in {"identity", "identity_escaped"} and argument in {None, *KINDS})
        )
        if not known:
            raise TemplateError(f"{place[0]} is not known")


def called_user(invite: Message) -> str:
    """Give the user part of the Request-URI, its parameters included."""
    found = _USER.match(invite.request_uri)
    return found[1] if found else ""


def host_port(uri: str) -> str:
    """Give host and port of a SIP URI."""
    return uri.partition(":")[2].rpartition("@")[2].partition(";")[0]


def address(header: str) -> str:
    """Give the URI of a From, To or Contact value."""
    found = _ADDRESS.search(re.sub(r'"(?:\\.|[^"\\])*"', "", header))
    return (found[1] or found[2] or "") if found else ""
