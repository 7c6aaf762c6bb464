"""The proof that a request belongs to a dialog."""

import pytest

from clearip_proxy.dialog_token import DialogKeys, source_of, token_in

KEYS = DialogKeys((b"first", b"second"))
TOKEN = KEYS.token("call-1", "caller")


@pytest.mark.parametrize(("from_tag", "to_tag"), [("caller", "target"), ("target", "caller")])
def test_token_proves_the_requests_of_either_side(from_tag: str, to_tag: str) -> None:
    """The caller's tag stands in From or in To, by direction."""
    assert KEYS.proves(TOKEN, "call-1", from_tag, to_tag)


@pytest.mark.parametrize(
    ("call_id", "from_tag", "to_tag"),
    [
        ("call-2", "caller", "target"),
        ("call-1", "someone", "target"),
        ("call-1", "", ""),
        ("call-1\ncaller", "", "target"),
        ("", "call-1", "caller"),
    ],
)
def test_token_of_one_dialog_proves_no_other(call_id: str, from_tag: str, to_tag: str) -> None:
    """It is worth nothing under another Call-ID, or between other parties."""
    assert not KEYS.proves(TOKEN, call_id, from_tag, to_tag)


@pytest.mark.parametrize(
    "token", ["", ".", "0" * 20, TOKEN[:-1], f"{TOKEN}0", f"{TOKEN}.abc", TOKEN[:-1] + "g"]
)
def test_made_up_token_proves_nothing(token: str) -> None:
    """Neither cut, nor lengthened, nor with a source that was not signed."""
    assert not KEYS.proves(token, "call-1", "caller", "target")


def test_dialog_without_callers_tag_proves_itself_alone() -> None:
    """An emergency call may lack the From tag (RFC 3261 §12.1.1 takes it as empty)."""
    token = KEYS.token("call-1", "")

    assert KEYS.proves(token, "call-1", "", "target")
    assert not KEYS.proves(token, "call-2", "", "target")
    assert not KEYS.proves(token, "call-1", "someone", "target")
    assert not KEYS.proves(TOKEN, "call-1", "", "target")


def test_token_of_an_older_key_is_good_as_long_as_the_key_is_listed() -> None:
    """A new key is put before the old one, which is removed when its calls are over."""
    old, new = DialogKeys((b"old",)), DialogKeys((b"new", b"old"))
    token = old.token("call-1", "caller")

    assert new.proves(token, "call-1", "caller", "target")
    assert not DialogKeys((b"new",)).proves(token, "call-1", "caller", "target")
    assert new.token("call-1", "caller") != token


def test_without_keys_nothing_is_proven() -> None:
    """A proxy that has none lets nothing through."""
    assert not DialogKeys().proves(TOKEN, "call-1", "caller", "target")


def test_named_source_is_part_of_what_is_signed() -> None:
    """Nobody can let a call count for another source, or for none."""
    token = KEYS.token("call-1", "caller", "ab12")

    assert source_of(token) == "ab12"
    assert source_of(TOKEN) == ""
    assert KEYS.proves(token, "call-1", "caller", "target")
    assert not KEYS.proves(token.partition(".")[0], "call-1", "caller", "target")
    assert not KEYS.proves(token.replace("ab12", "ab13"), "call-1", "caller", "target")


def test_letters_in_another_case_are_the_same_token() -> None:
    """URI parameters compare without case (RFC 3261 §19.1.4)."""
    assert KEYS.proves(KEYS.token("c", "t", "ab").upper(), "c", "t", "")


@pytest.mark.parametrize(
    ("route", "token"),
    [
        ("<sip:192.0.2.1;lr=on;dialog=0a1b>", "0a1b"),
        ("<sip:192.0.2.1;transport=tcp;r2=on;lr=on;dialog=0a.1b;x=y>", "0a.1b"),
        ("<sip:192.0.2.1;lr;DIALOG=0A>,<sip:192.0.2.2;lr;dialog=9f>", "0A"),
        ("sip:192.0.2.1;lr=on;dialog=0a1b", "0a1b"),
        ("<sip:192.0.2.1;lr>, <sip:192.0.2.2;lr;dialog=9f>", ""),
        ("<sip:192.0.2.1;lr>;dialog=9f", ""),
        ("<sip:192.0.2.1;lr;mydialog=9f>", ""),
        ("<sip:192.0.2.1;dialog=>", ""),
        ("", ""),
    ],
)
def test_token_is_read_from_the_first_uri_alone(route: str, token: str) -> None:
    """Further routes are other proxies' business."""
    assert token_in(route) == token
