"""Claims are read in a cheaper way than the library's own, and are the same."""

import json
from collections.abc import Callable

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jwt.utils import base64url_encode

from inline_proxy.observation import passport_claims
from inline_proxy.observation.passport_claims import passport_of

ODD_TEXT = 'aé"\\\x7f~>?{\U0001f600'
NUMBER = st.text("1+*#", max_size=4) | st.text(ODD_TEXT, max_size=4)
PLAIN = st.none() | st.booleans() | st.integers(-9, 2**40) | st.text(max_size=8)
CLAIMS = st.dictionaries(
    st.sampled_from(["attest", "orig", "dest", "iat", "origid", "other"]),
    PLAIN | st.dictionaries(st.sampled_from(["tn", "uri"]), PLAIN | st.lists(PLAIN, max_size=2)),
)
HEADERS = st.dictionaries(st.sampled_from(["ppt", "x5u", "typ"]), st.text(max_size=8))


def claims_of(identity: str) -> dict[str, object]:
    """What a record holds of an Identity value."""
    claims: dict[str, object] = json.loads(passport_of(identity).text)
    return claims


def part(value: object) -> str:
    """One part of a token."""
    return base64url_encode(json.dumps(value).encode()).decode()


def by_the_library(identity: str) -> dict[str, object]:
    """The claims, every token taken apart by the library as a whole."""
    by_library = passport_claims._decoded_by_library  # noqa: SLF001 - the one to compare with
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(passport_claims, "_canonical", lambda _: None)
        patched.setattr(passport_claims, "_decoded", by_library)
        return claims_of(identity)


@given(HEADERS, CLAIMS)
def test_claims_are_what_the_library_says(
    headers: dict[str, str], claims: dict[str, object]
) -> None:
    """Whoever has signed, and whatever."""
    token = f"{part({'alg': 'ES256', **headers})}.{part(claims)}.c2lnbmF0dXJl"

    assert claims_of(f"{token};ppt=shaken") == by_the_library(f"{token};ppt=shaken")


@given(
    st.lists(NUMBER, min_size=1, max_size=2),
    NUMBER,
    st.text(ODD_TEXT, max_size=4),
    st.text(ODD_TEXT, max_size=4),
    st.integers(-1, 2**60),
    st.sampled_from(["c2ln", "", "c2ln.", "c2 n", "c2ln=", " c2ln "]),
    st.sampled_from([str, str.strip, lambda text: text.replace(":", ": "), lambda text: text[:-1]]),
)
def test_canonical_claims_are_what_the_library_says(  # noqa: PLR0913, PLR0917 - each drawn apart
    dest: list[str],
    orig: str,
    attest: str,
    origid: str,
    iat: int,
    signature: str,
    spoilt: Callable[[str], str],
) -> None:
    """Claims in the form of RFC 8225 §9, and what is nearly that."""
    claims = {"attest": attest, "dest": {"tn": dest}, "iat": iat, "orig": {"tn": orig}}
    text = json.dumps({**claims, "origid": origid}, separators=(",", ":"))
    payload = base64url_encode(spoilt(text).encode()).decode()
    identity = f"{part({'alg': 'ES256', 'ppt': 'shaken'})}.{payload}.{signature};ppt=shaken"

    assert claims_of(identity) == by_the_library(identity)


@pytest.mark.parametrize(
    "claims",
    [
        '{"attest":"A","dest":{"tn":["1"]},"iat":1,"orig":{"tn":"2"},"origid":"a-b"}',
        '{"attest":"A","dest":{"tn":["1","2"]},"iat":0,"orig":{"tn":"2"},"origid":""}',
    ],
)
def test_canonical_claims_need_no_library(claims: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor a reader of JSON: most are of this form."""
    monkeypatch.setattr(passport_claims, "_decoded", None)
    token = f"{part({'alg': 'ES256'})}.{base64url_encode(claims.encode()).decode()}.c2ln"

    assert claims_of(token)["dest"] == json.loads(claims)["dest"]["tn"]


@pytest.mark.parametrize(
    "token",
    ["", "a", "a.b.c", "..", "W10.e30.e30", f"{part({'alg': 'ES256'})}.W10.e30"],
)
def test_fault_is_what_the_library_says(token: str) -> None:
    """A token that is none has its reason in the record."""
    assert "error" in claims_of(f"{token};ppt=div")
    assert claims_of(f"{token};ppt=div") == by_the_library(f"{token};ppt=div")


def test_every_token_has_its_own_claims() -> None:
    """What is remembered of a signer is the header alone."""
    tokens = [jwt.encode({"attest": attest}, "k" * 32, headers={"ppt": "x"}) for attest in "AB"]

    assert [claims_of(token)["attest"] for token in tokens] == ["A", "B"]
