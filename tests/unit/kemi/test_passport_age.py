"""How old a PASSporT is."""

from base64 import urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearip_proxy.passport_age import is_stale, issued_at
from clearip_proxy.response_context import HeaderChanges


def identity(claims: str) -> str:
    """An Identity value whose PASSporT has these claims."""
    encoded = urlsafe_b64encode(claims.encode()).decode().rstrip("=")
    return f"aGVhZA.{encoded}.c2ln;info=<https://x>;alg=ES256"


def test_issue_time_is_read() -> None:
    """The iat claim, in seconds."""
    assert issued_at(identity('{"iat": 1471375418, "attest": "A"}')) == 1_471_375_418


@pytest.mark.parametrize(
    "value",
    [
        "..c2ln;info=<https://x>",
        "nonsense",
        "a.b.c",
        "a.\u00fc.c",
        identity("[]"),
        identity('{"iat": "soon"}'),
        identity("{}"),
        identity("[" * 100_000),
    ],
)
def test_unreadable_passport_has_no_issue_time(value: str) -> None:
    """A compact form or nonsense is passed on, not judged."""
    assert issued_at(value) is None


@given(st.text())
def test_no_text_raises(value: str) -> None:
    """Whatever stands in Identity, the call goes on."""
    issued_at(value)


def test_staleness_counts_added_passports_alone() -> None:
    """One old PASSporT is enough; other header fields do not count."""
    old = identity('{"iat": 100}')
    fresh = identity('{"iat": 150}')

    assert is_stale(HeaderChanges(added=(("Identity", fresh), ("Identity", old))), 60, 161)
    assert not is_stale(HeaderChanges(added=(("Identity", old),)), 60, 160)
    assert not is_stale(HeaderChanges(added=(("Call-Info", old),)), 60, 9_999)
