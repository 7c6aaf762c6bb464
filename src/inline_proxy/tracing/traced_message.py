"""One message as a trace shows it, and what of it is not shown."""

import re
from dataclasses import dataclass
from typing import Any, Final, Self

from inline_proxy.number_mask import masked
from inline_proxy.tracing.hep import Copy

HIDDEN: Final = "*"
_LINES: Final = re.IGNORECASE | re.MULTILINE
_CALL_ID: Final = re.compile(r"^(?:call-id|i)[ \t]*:[ \t]*(?P<value>\S+)", _LINES)
_USERS: Final = re.compile(
    r"^(?:[A-Z]+ |(?:from|f|to|t|p-asserted-identity)[ \t]*:)[^\n]*?"
    r"(?:sips?:|tel:)(?P<user>[^@;>\s]+)",
    _LINES,
)
_CREDENTIALS: Final = re.compile(
    r"^(?P<name>(?:proxy-)?authorization[ \t]*:)(?P<secret>[^\r\n]*)", _LINES
)
_TOKEN: Final = re.compile(r"(?P<name>;[ \t]*dialog[ \t]*=)(?P<secret>[^;>,\s]+)", re.IGNORECASE)
_MEDIA_KEY: Final = re.compile(r"(?P<name>^a=crypto:.*?inline:|^k=)(?P<secret>\S+)", _LINES)
_CLAIMS: Final = re.compile(r"(?P<name>\beyJ[\w-]*\.)(?P<secret>[\w-]+)(?=\.)")
"""The middle part of a PASSporT: its claims (RFC 8225 §6), which hold both numbers."""


@dataclass(frozen=True, slots=True)
class TracedMessage:
    """A message that has passed, in either direction."""

    at_s: float
    """Since 1970."""
    source: str
    """Address and port."""
    destination: str
    transport: str
    """`udp`, `tcp` or `tls`; in TLS it was encrypted on its way, and is plain text here."""
    sender: str
    """`caller`, `proxy`, `ClearIP` or `target`."""
    receiver: str
    call_id: str
    text: str

    @classmethod
    def of(cls, copy: Copy, ends: tuple[str, str], *, mask_numbers: bool) -> Self:
        """Take a copy, and who its ends are; what is no UTF-8 becomes replacement characters."""
        text = shown(copy.payload.decode(errors="replace"), mask_numbers=mask_numbers)
        places = str(copy.source), str(copy.destination)
        return cls(copy.at_s, *places, copy.transport, *ends, call_id_of(text), text)

    def to_json(self) -> dict[str, Any]:
        """Return it as `from_json` reads it."""
        return {name: getattr(self, name) for name in self.__slots__}

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        """Read what `to_json` has written."""
        return cls(**stored)


def call_id_of(text: str) -> str:
    """Return the Call-ID; empty where there is none."""
    found = _CALL_ID.search(_head(text))
    return found["value"] if found else ""


def numbers_of(text: str) -> tuple[str, ...]:
    """Return who calls and who is called: the users of Request-URI, From, To and the like."""
    return tuple(found["user"] for found in _USERS.finditer(_head(text)))


def shown(text: str, *, mask_numbers: bool) -> str:
    """Return a message without what would let somebody in who reads it.

    Credentials are hidden, keys of media (RFC 4568, RFC 8866 §5.12), and the tokens by which the
    proxy knows its own dialogs. The signature in an Identity header is public. With `mask_numbers`
    numbers are hidden, in the claims of a PASSporT too; the Call-ID stays.
    """
    secrets = (_CREDENTIALS, _TOKEN, _MEDIA_KEY, *((_CLAIMS,) if mask_numbers else ()))
    for secret in secrets:
        text = secret.sub(_hide, text)
    if not mask_numbers:
        return text
    return "\n".join(line if _CALL_ID.match(line) else masked(line) for line in text.split("\n"))


def _hide(found: re.Match[str]) -> str:
    """Put as many asterisks, so that Content-Length stays true."""
    return found["name"] + HIDDEN * len(found["secret"])


def _head(text: str) -> str:
    return text.partition("\r\n\r\n")[0]
