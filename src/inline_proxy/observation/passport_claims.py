"""What PASSporTs say, decoded and never verified: that is the task of who is called."""

import json
import string
from binascii import a2b_base64
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

import jwt
from jwt import get_unverified_header
from jwt.api_jwt import decode_complete  # not yet at the top level in Debian 12's version

MOST_HEADERS = 500
"""JOSE headers that are remembered: a signer has one, until its certificate is renewed."""
_OF_BASE64URL = (string.ascii_letters + string.digits + "-_").encode()
_TO_BASE64 = bytes.maketrans(b"-_", b"+/")


class Decoded(NamedTuple):
    """What a record needs of a token."""

    ppt: Any
    x5u: Any
    claims: Mapping[str, Any]


def claims_of(identity: str) -> dict[str, Any]:
    """Return the claims of one Identity value (RFC 8225, RFC 8588) that a record keeps.

    `error` says why there are none: the compact form has none (RFC 8225 §7), say.
    """
    token = identity.partition(";")[0].strip()
    try:
        ppt, x5u, claims = _decoded(token)
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        return {"ppt": _parameter(identity, "ppt"), "error": str(error)}
    attest, iat, origid = claims.get("attest"), claims.get("iat"), claims.get("origid")
    return {  # what has the type that RFC 8225 gives it: who signs may have put anything there
        "ppt": ppt,
        "x5u": x5u,
        "attest": attest if isinstance(attest, str) else None,
        "orig": _number(claims.get("orig")),
        "dest": _numbers(claims.get("dest")),
        "iat": iat if type(iat) is int else None,
        "origid": origid if isinstance(origid, str) else None,
    }


def _decoded(token: str) -> Decoded:
    """Return what a token says; raises `PyJWTError`, `ValueError` or `RecursionError`.

    The library takes a token apart anew for each, and checks what no record needs; that was half
    of what a record cost. So it reads a signer's header once, and claims in plain base64url alone.
    """
    raw = token.encode(errors="replace")
    if raw.translate(None, _OF_BASE64URL) != b"..":
        return _decoded_by_library(token)
    header, payload, signature = raw.split(b".")
    if not header or not signature:
        return _decoded_by_library(token)
    try:
        claims = json.loads(a2b_base64(payload.translate(_TO_BASE64) + b"=="))
    except (ValueError, RecursionError):
        return _decoded_by_library(token)
    if not isinstance(claims, dict):
        return _decoded_by_library(token)
    return Decoded(*_header(header), claims)


@lru_cache(MOST_HEADERS)
def _header(encoded: bytes) -> tuple[Any, Any]:
    """Return `ppt` and `x5u` of a JOSE header; raises `PyJWTError` where it is none."""
    header = get_unverified_header(f"{encoded.decode()}.e30.e30")
    return header.get("ppt"), header.get("x5u")


def _decoded_by_library(token: str) -> Decoded:
    # Without the signature, no claim is checked either.
    decoded = decode_complete(token, options={"verify_signature": False})
    header = decoded["header"]
    return Decoded(header.get("ppt"), header.get("x5u"), decoded["payload"])


def _number(orig: object) -> str | None:
    """Return the number or the URI of `orig` (RFC 8225 §5.2.1)."""
    found = orig.get("tn") or orig.get("uri") if isinstance(orig, dict) else None
    return found if isinstance(found, str) else None


def _numbers(dest: object) -> list[str]:
    """Return the numbers and URIs of `dest`."""
    found: list[str] = []
    if isinstance(dest, dict):
        for each in (dest.get("tn"), dest.get("uri")):
            items = each if isinstance(each, list) else (each,)
            found.extend(item for item in items if isinstance(item, str))
    return found


def _parameter(identity: str, name: str) -> str | None:
    for parameter in identity.split(";")[1:]:
        key, _, value = parameter.partition("=")
        if key.strip().lower() == name:
            return value.strip().strip('"')
    return None
