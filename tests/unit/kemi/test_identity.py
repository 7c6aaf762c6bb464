"""Identity header field values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clearip_proxy.sip.identity import (
    MAX_IDENTITIES,
    MAX_IDENTITY_LENGTH,
    IdentityMode,
    merge_identities,
    parse_identities,
    ppt_of,
)
from unit.kemi.hostile_text import any_text

SHAKEN = "aaa.bbb.ccc;info=<https://cert.example/a.pem>;alg=ES256;ppt=shaken"
OTHER_SHAKEN = 'ddd.eee.fff;info=<https://cert.example/d,e;f.pem>;alg=ES256;ppt="shaken"'
DIV = "ggg.hhh.iii;info=<https://cert.example/g.pem>;alg=ES256;ppt=div"
PLAIN = "jjj.kkk.lll;info=<https://cert.example/j.pem>"
OTHER_PLAIN = "..mmm;info=<https://cert.example/m.pem>;alg=ES256"


@pytest.mark.parametrize(
    ("received", "values"),
    [
        ([], ()),
        ([""], ()),
        ([SHAKEN], (SHAKEN,)),
        ([SHAKEN, DIV, SHAKEN], (SHAKEN, DIV, SHAKEN)),
        ([f"{OTHER_SHAKEN} , {DIV}", PLAIN], (OTHER_SHAKEN, DIV, PLAIN)),
        ([f"{SHAKEN},\r\n {DIV}"], (SHAKEN, DIV)),
    ],
)
def test_lines_and_joined_values_become_one_list(
    received: list[str], values: tuple[str, ...]
) -> None:
    """Repeated lines and joined values are taken in order, each to the letter."""
    parsed = parse_identities(received)

    assert (parsed.values, parsed.faults) == (values, ())


def test_value_of_the_greatest_length_is_kept() -> None:
    """The bound itself is allowed, and no name in the grammar shortens it."""
    value = SHAKEN + ";x=" + "a" * (MAX_IDENTITY_LENGTH - len(SHAKEN) - 3)

    assert parse_identities([value]).values == (value,)


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        ("a" * (MAX_IDENTITY_LENGTH + 1), f"longer than {MAX_IDENTITY_LENGTH} characters"),
        ("aaa\r.bbb", "character that no Identity may hold"),
        ("aaa\n.bbb", "character that no Identity may hold"),
        ("aaa\0.bbb", "character that no Identity may hold"),
        ("aaa\x7f.bbb", "character that no Identity may hold"),
        ("aaa.é", "character that no Identity may hold"),
        ("aaa.\udc80", "character that no Identity may hold"),
    ],
)
def test_unfit_value_is_refused_with_a_reason(bad: str, reason: str) -> None:
    """A value that is too long or could break a line is left out; its neighbours stay."""
    parsed = parse_identities([SHAKEN, bad, DIV])

    assert parsed.values == (SHAKEN, DIV)
    assert parsed.faults == (f"identity 2: {reason}",)


def test_more_values_than_the_bound_are_left_out() -> None:
    """Only the first values of a message that is full of them are taken."""
    received = [f"a{number}" for number in range(MAX_IDENTITIES + 5)]

    parsed = parse_identities([",".join(received)])

    assert parsed.values == tuple(received[:MAX_IDENTITIES])
    assert parsed.faults == (f"identities: more than {MAX_IDENTITIES}",)


@pytest.mark.parametrize(
    ("value", "ppt"),
    [
        (SHAKEN, "shaken"),
        (OTHER_SHAKEN, "shaken"),
        (DIV, "div"),
        ("a.b.c ; PPT = Shaken", "shaken"),
        (PLAIN, None),
        ("a.b.c;ppt=", None),
        ("a.b.c;info=<https://x/;ppt=div>", None),
    ],
)
def test_ppt_is_read_from_the_parameter(value: str, ppt: str | None) -> None:
    """The type is the parameter's, quoted or not, in lower case; inside info it is none."""
    assert ppt_of(value) == ppt


def test_default_ppt_counts_only_where_none_is_named() -> None:
    """Who asks with a default gets it for a value that names no type."""
    assert ppt_of(PLAIN, default="shaken") == "shaken"
    assert ppt_of(DIV, default="shaken") == "div"


@pytest.mark.parametrize(
    ("mode", "received", "from_clearip", "merged"),
    [
        ("replace", (SHAKEN,), (OTHER_SHAKEN,), (OTHER_SHAKEN,)),
        ("replace", (SHAKEN, DIV), (OTHER_SHAKEN,), (DIV, OTHER_SHAKEN)),
        ("replace", (SHAKEN, PLAIN), (DIV,), (SHAKEN, PLAIN, DIV)),
        ("replace", (PLAIN, SHAKEN), (OTHER_PLAIN,), (SHAKEN, OTHER_PLAIN)),
        ("replace", (SHAKEN,), (SHAKEN,), (SHAKEN,)),
        ("replace", (SHAKEN, DIV), (), (SHAKEN, DIV)),
        ("replace", (), (SHAKEN, DIV), (SHAKEN, DIV)),
        ("replace", (DIV, DIV), (SHAKEN, SHAKEN), (DIV, SHAKEN)),
        ("append", (SHAKEN,), (OTHER_SHAKEN,), (SHAKEN, OTHER_SHAKEN)),
        ("append", (SHAKEN, DIV), (SHAKEN,), (SHAKEN, DIV)),
        ("append", (), (), ()),
    ],
)
def test_merge_puts_kept_values_before_those_of_clearip(
    mode: IdentityMode,
    received: tuple[str, ...],
    from_clearip: tuple[str, ...],
    merged: tuple[str, ...],
) -> None:
    """With replace only the same ppt gives way, with append nothing; no value comes twice."""
    assert merge_identities(received, from_clearip, mode) == merged


identities = st.lists(st.sampled_from([SHAKEN, OTHER_SHAKEN, DIV, PLAIN, OTHER_PLAIN]))


@given(identities, identities, st.sampled_from(["replace", "append"]))
def test_merge_of_any_values_has_all_of_clearip_and_none_twice(
    received: list[str], from_clearip: list[str], mode: IdentityMode
) -> None:
    """ClearIP's values are always there, once; replace leaves no received one of their type."""
    merged = merge_identities(received, from_clearip, mode)

    assert len(set(merged)) == len(merged)
    assert set(from_clearip) <= set(merged) <= {*received, *from_clearip}
    if mode == "replace":
        types = {ppt_of(value) for value in from_clearip}
        assert {v for v in merged if ppt_of(v) in types} == set(from_clearip)


@given(st.lists(any_text))
def test_any_text_is_kept_to_the_letter_or_refused(texts: list[str]) -> None:
    """No text makes the parser raise, and nothing that is kept can break a line."""
    for value in parse_identities(texts).values:
        assert value.isascii()
        assert not set(value) & set("\r\n\0")
        assert ppt_of(value) != ""
