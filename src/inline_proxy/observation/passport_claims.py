"""What PASSporTs say, decoded and never verified: that is the task of who is called."""

import json
import re
import string
from binascii import a2b_base64
from collections.abc import Mapping
from functools import lru_cache
from json.encoder import encode_basestring_ascii as quoted
from typing import Any, NamedTuple

import jwt
from jwt import get_unverified_header
from jwt.api_jwt import decode_complete  # not yet at the top level in Debian 12's version

MOST_HEADERS = 500
"""JOSE headers that are remembered: a signer has one, until its certificate is renewed."""
NULL = "null"
_TEXT = r'"[ !#-\[\]-~]*"'
"""A text in JSON that is its own content, quoted again."""
_CANONICAL = re.compile(
    rf'{{"attest":({_TEXT}),"dest":{{"tn":\[({_TEXT}(?:,{_TEXT})*)\]}},'
    rf'"iat":(0|[1-9][0-9]{{,14}}),"orig":{{"tn":(?!"")({_TEXT})}},"origid":({_TEXT})}}'
)
"""Claims in the order and the form of RFC 8225 §9, as RFC 8588 has them."""
_AFTER_HEADER = re.compile(r"([A-Za-z0-9]+)\.[A-Za-z0-9_-]+(?:;|\Z)")
_OF_BASE64URL = (string.ascii_letters + string.digits + "-_").encode()
_TO_BASE64 = bytes.maketrans(b"-_", b"+/")


class Signer(NamedTuple):
    """What a record needs of a JOSE header."""

    ppt: str | None
    members: str
    """`ppt` and `x5u`, as members of a JSON object."""


class Passport(NamedTuple):
    """What a record keeps of one Identity value (RFC 8225, RFC 8588)."""

    ppt: str | None
    attest: str | None
    text: str
    """All of it, in JSON; `error` says why there are no claims, which the compact form has not."""


def passport_of(identity: str) -> Passport:
    """Return what an Identity value says."""
    canonical = _canonical(identity)
    if canonical is not None:
        return canonical
    token = identity.partition(";")[0].strip()
    try:
        signer, claims = _decoded(token)
    except (jwt.PyJWTError, ValueError, RecursionError) as error:
        ppt = _parameter(identity, "ppt")
        return Passport(ppt, None, json.dumps({"ppt": ppt, "error": str(error)}))
    attest, origid = _text(claims.get("attest")), _text(claims.get("origid"))
    iat = claims.get("iat")
    text = (  # what has the type that RFC 8225 gives it: who signs may have put anything there
        f'{{{signer.members},"attest":{_quoted(attest)},'
        f'"orig":{_quoted(_number(claims.get("orig")))},"dest":[{_numbers(claims.get("dest"))}],'
        f'"iat":{iat if type(iat) is int else NULL},"origid":{_quoted(origid)}}}'
    )
    return Passport(signer.ppt, attest, text)


def _canonical(identity: str) -> Passport | None:
    """Read claims that stand as the standard has them, with nothing in between; None for others."""
    header, _, rest = identity.partition(".")
    signer, found = _known_signer(header), _AFTER_HEADER.match(rest)
    if signer is None or found is None:
        return None
    try:
        payload = a2b_base64(found[1] + "==").decode()
    except ValueError:
        return None
    claims = _CANONICAL.fullmatch(payload)
    if claims is None:
        return None
    attest, dest, iat, orig, origid = claims.groups()
    text = (
        f'{{{signer.members},"attest":{attest},"orig":{orig},"dest":[{dest}],"iat":{iat},'
        f'"origid":{origid}}}'
    )
    return Passport(signer.ppt, attest[1:-1], text)


@lru_cache(MOST_HEADERS)
def _known_signer(encoded: str) -> Signer | None:
    """Return what a JOSE header in base64url says; None for any other."""
    raw = encoded.encode(errors="replace")
    if not raw or raw.translate(None, _OF_BASE64URL):
        return None
    try:
        return _signer(raw)
    except jwt.PyJWTError:
        return None


def _decoded(token: str) -> tuple[Signer, Mapping[str, Any]]:
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
        claims = json.loads(a2b_base64(payload.translate(_TO_BASE64) + b"==").decode())
    except (ValueError, RecursionError):
        return _decoded_by_library(token)
    if not isinstance(claims, dict):
        return _decoded_by_library(token)
    return _signer(header), claims


@lru_cache(MOST_HEADERS)
def _signer(encoded: bytes) -> Signer:
    """Return what a JOSE header says; raises `PyJWTError` where it is none."""
    return _signer_in(get_unverified_header(f"{encoded.decode()}.e30.e30"))


def _signer_in(header: Mapping[str, Any]) -> Signer:
    ppt, x5u = _text(header.get("ppt")), _text(header.get("x5u"))
    return Signer(ppt, f'"ppt":{_quoted(ppt)},"x5u":{_quoted(x5u)}')


def _decoded_by_library(token: str) -> tuple[Signer, Mapping[str, Any]]:
    # Without the signature, no claim is checked either.
    decoded = decode_complete(token, options={"verify_signature": False})
    return _signer_in(decoded["header"]), decoded["payload"]


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _quoted(text: str | None) -> str:
    return NULL if text is None else quoted(text)


def _number(orig: object) -> str | None:
    """Return the number or the URI of `orig` (RFC 8225 §5.2.1)."""
    return _text(orig.get("tn") or orig.get("uri")) if isinstance(orig, dict) else None


def _numbers(dest: object) -> str:
    """Return the numbers and URIs of `dest`."""
    found: list[str] = []
    if isinstance(dest, dict):
        for each in (dest.get("tn"), dest.get("uri")):
            items = each if isinstance(each, list) else (each,)
            found.extend([quoted(item) for item in items if isinstance(item, str)])
    return ",".join(found)


def _parameter(identity: str, name: str) -> str | None:
    for parameter in identity.split(";")[1:]:
        key, _, value = parameter.partition("=")
        if key.strip().lower() == name:
            return value.strip().strip('"')
    return None
