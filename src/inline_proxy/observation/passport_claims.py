"""What PASSporTs say, decoded and never verified: that is the task of who is called."""

import json
import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import jwt
from jwt import get_unverified_header
from jwt.api_jwt import decode_complete  # not yet at the top level in Debian 12's version
from jwt.utils import base64url_decode

CLAIMS = ("attest", "orig", "dest", "iat", "origid")
_COMPLETE = re.compile(r"([\w-]+)\.([\w-]+)\.[\w-]+", re.ASCII)
"""The three parts of a token (RFC 7515 §7.1)."""
MOST_HEADERS = 500
"""JOSE headers that are remembered: a signer has one, until its certificate is renewed."""


def claims_of(identity: str) -> dict[str, Any]:
    """Return the claims of one Identity value (RFC 8225, RFC 8588) that a record keeps.

    `error` says why there are none: the compact form has none (RFC 8225 §7), say.
    """
    token = identity.partition(";")[0].strip()
    try:
        header, payload = _decoded(token)
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        return {"ppt": _parameter(identity, "ppt"), "error": str(error)}
    claims = {name: payload.get(name) for name in CLAIMS}
    return {"ppt": header.get("ppt"), "x5u": header.get("x5u"), **_typed(claims)}


def _decoded(token: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Return JOSE header and claims; raises `PyJWTError`, `ValueError` or `RecursionError`.

    The library takes a token apart anew for each, and checks what no record needs; that was half
    of what a record cost. So it reads a signer's header once, and claims in plain base64url alone.
    """
    parts = _COMPLETE.fullmatch(token)
    if parts is None:
        return _decoded_by_library(token)
    try:
        payload = json.loads(base64url_decode(parts[2]))
    except (ValueError, RecursionError):
        return _decoded_by_library(token)
    if not isinstance(payload, dict):
        return _decoded_by_library(token)
    return _header(parts[1]), payload


@lru_cache(MOST_HEADERS)
def _header(encoded: str) -> Mapping[str, Any]:
    """Return a JOSE header; raises `PyJWTError` where it is none."""
    return get_unverified_header(f"{encoded}.e30.e30")


def _decoded_by_library(token: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    # Without the signature, no claim is checked either.
    decoded = decode_complete(token, options={"verify_signature": False})
    return decoded["header"], decoded["payload"]


def _typed(claims: Mapping[str, Any]) -> dict[str, Any]:
    """Keep what has the type that RFC 8225 gives it: whoever signs may have put anything there."""
    return {
        "attest": _text(claims["attest"]),
        "orig": _number(claims["orig"]),
        "dest": _numbers(claims["dest"]),
        "iat": claims["iat"] if type(claims["iat"]) is int else None,
        "origid": _text(claims["origid"]),
    }


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _number(orig: object) -> str | None:
    """Return the number or the URI of `orig` (RFC 8225 §5.2.1)."""
    return _text(orig.get("tn") or orig.get("uri")) if isinstance(orig, dict) else None


def _numbers(dest: object) -> list[str]:
    """Return the numbers and URIs of `dest`."""
    if not isinstance(dest, dict):
        return []
    found = [dest.get("tn"), dest.get("uri")]
    flat = [item for each in found for item in (each if isinstance(each, list) else [each])]
    return [item for item in flat if isinstance(item, str)]


def _parameter(identity: str, name: str) -> str | None:
    for parameter in identity.split(";")[1:]:
        key, _, value = parameter.partition("=")
        if key.strip().lower() == name:
            return value.strip().strip('"')
    return None
