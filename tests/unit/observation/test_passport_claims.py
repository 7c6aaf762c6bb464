"""Claims are read in a cheaper way than the library's own, and are the same."""

import json

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jwt.utils import base64url_encode

from inline_proxy.observation import passport_claims
from inline_proxy.observation.passport_claims import passport_of

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
        patched.setattr(passport_claims, "_decoded", by_library)
        return claims_of(identity)


@given(HEADERS, CLAIMS)
def test_claims_are_what_the_library_says(
    headers: dict[str, str], claims: dict[str, object]
) -> None:
    """Whoever has signed, and whatever."""
    token = f"{part({'alg': 'ES256', **headers})}.{part(claims)}.c2lnbmF0dXJl"

    assert claims_of(f"{token};ppt=shaken") == by_the_library(f"{token};ppt=shaken")


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
