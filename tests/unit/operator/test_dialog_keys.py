"""The keys that sign dialogs: where they lie, and that nobody else can read them."""

from pathlib import Path

import pytest

from inline_proxy.config.dialog import Dialog
from inline_proxy.config.faults import Refused
from inline_proxy.dialog_keys import dialog_keys, kept_for_the_user, key_file


def test_missing_key_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    """As long as a digest that nobody can guess."""
    file = key_file(Dialog(), tmp_path)

    keys = dialog_keys(file)

    assert len(bytes.fromhex(keys)) == 32
    assert file.stat().st_mode & 0o777 == 0o600


def test_key_that_is_there_stays(tmp_path: Path) -> None:
    """Calls that it has signed may still be up."""
    file = key_file(Dialog(), tmp_path)

    assert dialog_keys(file) == dialog_keys(file)
    assert dialog_keys(file) != dialog_keys(tmp_path / "other")


def test_configured_file_is_read_in_its_order(tmp_path: Path) -> None:
    """The first key signs; comments and empty lines may stand between."""
    file = tmp_path / "shared"
    file.write_text(f"# new\n{'AB' * 32}\n\n# old\n  {'cd' * 32}\n")

    assert key_file(Dialog(file), tmp_path / "state") == file
    assert dialog_keys(file) == f"{'ab' * 32}\n{'cd' * 32}\n"


def test_damaged_file_is_refused(tmp_path: Path) -> None:
    """A key is never made in its place: calls would be cut without a word."""
    file = tmp_path / "dialog-keys"
    file.write_text("abc\n")

    with pytest.raises(Refused, match="not 64 hexadecimal digits"):
        dialog_keys(file)
    assert file.read_text() == "abc\n"


def test_proxy_without_state_directory_keeps_its_key_with_the_user(tmp_path: Path) -> None:
    """So a proxy that is started by hand knows its dialogs again."""
    kept = kept_for_the_user(Dialog(), {"XDG_STATE_HOME": str(tmp_path)})
    at_home = kept_for_the_user(Dialog(), {"HOME": str(tmp_path)})

    assert kept.key_file == tmp_path / "inline-proxy" / "dialog-keys"
    assert at_home.key_file == tmp_path / ".local/state/inline-proxy/dialog-keys"
    assert at_home.key_file.parent.stat().st_mode & 0o777 == 0o700


def test_configured_key_is_not_overridden(tmp_path: Path) -> None:
    """What is configured counts."""
    configured = Dialog(tmp_path / "shared")

    assert kept_for_the_user(configured, {"HOME": str(tmp_path)}) == configured


@pytest.mark.parametrize("home", ["", "/proc/nowhere", "relative"])
def test_without_a_place_to_keep_it_the_key_ends_with_the_proxy(home: str) -> None:
    """No reason not to start."""
    assert kept_for_the_user(Dialog(), {"XDG_STATE_HOME": home, "HOME": "x"}) == Dialog()
