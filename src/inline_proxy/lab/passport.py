"""PASSporTs signed as ClearIP's authentication service signs them, with a key of the lab's own."""

import re
import time
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from inline_proxy.lab.message import Message

ALGORITHM: Final = "ES256"
CERTIFICATE_URL: Final = (
    "https://certificates.clearip.example/"
    "6f1e2b0a-93c4-4c1d-8c55-0d3f4b7a9e21/b1946ac92492d2347c6235b4d2611184.pem"
)
PICTURE_URL: Final = "https://pictures.clearip.example/" + "0123456789abcdef" * 75 + ".png"
_NUMBER: Final = re.compile(r"(?:sips?|tel):\+?([0-9*#]+)[@;>]?")
_URI: Final = re.compile(r"(?:sips?|tel):[^;>\s]+")

Claims = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Signer:
    """Signs a call; the key is read once, because reading it costs more than signing."""

    key: ec.EllipticCurvePrivateKey

    @classmethod
    def from_file(cls, path: Path) -> "Signer":
        """Read a P-256 private key in PEM; raises `OSError` or `ValueError`."""
        key = load_pem_private_key(path.read_bytes(), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
            raise ValueError(f"{path}: {ALGORITHM} needs a P-256 key")
        return cls(key)

    def identity(self, invite: Message, kind: str = "shaken") -> str:
        """Give an Identity header value for an INVITE (RFC 8224 §4).

        `kind` is one of `KINDS`: shaken (RFC 8588), div (RFC 8946) or rcd (RFC 9795; about 2 kB).
        """
        token = jwt.encode(
            _CLAIMS[kind](invite),
            self.key,
            algorithm=ALGORITHM,
            headers={"typ": "passport", "ppt": kind, "x5u": CERTIFICATE_URL},
        )
        return f"{token};info=<{CERTIFICATE_URL}>;alg={ALGORITHM};ppt={kind}"


def _shaken(invite: Message) -> Claims:
    """Give the claims of a fully attested call."""
    return _basic(invite) | {"attest": "A", "origid": str(uuid.uuid4())}


def _div(invite: Message) -> Claims:
    """Give the claims of a diverted call: who was called before."""
    return _basic(invite) | {"div": {"tn": "14045550199"}}


def _rcd(invite: Message) -> Claims:
    """Give claims with a name and a picture, for a header of some 2 kB."""
    return _basic(invite) | {"rcd": {"nam": "Lab Caller", "icn": PICTURE_URL}}


_CLAIMS: Final = {"shaken": _shaken, "div": _div, "rcd": _rcd}
KINDS: Final = tuple(_CLAIMS)


def _basic(invite: Message) -> Claims:
    """Give the claims that every PASSporT has (RFC 8225 §5)."""
    caller = invite.header("p-asserted-identity") or invite.header("from")
    called = _telephone_or_uri(invite.header("to"))
    return {
        "dest": {name: [value] for name, value in called.items()},
        "iat": int(time.time()),
        "orig": _telephone_or_uri(caller),
    }


def _telephone_or_uri(address: str) -> dict[str, str]:
    """Give who an address is: digits as `tn` (RFC 8224 §8.3), everything else as `uri`."""
    if number := _NUMBER.search(address):
        return {"tn": number[1]}
    uri = _URI.search(address)
    return {"uri": uri[0] if uri else address}
