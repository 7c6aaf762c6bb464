"""The password file of the status page, and the command that writes it."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from inline_proxy.cli import main
from inline_proxy.passwords import is_password, users_in, with_user


def test_password_is_known_again_and_no_other() -> None:
    """Only a hash is kept, and the same password twice looks different."""
    text = with_user(with_user("", "ann", "correct horse"), "bob", "correct horse")
    users = users_in(text)

    assert "horse" not in text
    assert users["ann"] != users["bob"]
    assert is_password("correct horse", users["ann"])
    assert not is_password("correct horse ", users["ann"])


@pytest.mark.parametrize("line", ["ann", "ann:secret", "ann:md5$00$00", ":scrypt$00$00", "a:b$c$d"])
def test_other_line_is_refused(line: str) -> None:
    """A password in the clear is no hash."""
    with pytest.raises(ValueError, match=r".*"):
        users_in(line)


def test_command_writes_the_file_and_keeps_other_users(tmp_path: Path) -> None:
    """The password is read, and never an argument; the file is no business of others."""
    file = tmp_path / "users"
    for user, password in (("ann", "one"), ("bob", "two"), ("ann", "three")):
        said = CliRunner().invoke(
            main, ["admin-password", user, str(file)], input=f"{password}\n{password}\n"
        )
        assert said.exit_code == 0, said.output

    users = users_in(file.read_text())
    assert list(users) == ["bob", "ann"]
    assert is_password("three", users["ann"])
    assert file.stat().st_mode & 0o007 == 0


def test_name_with_a_colon_is_refused(tmp_path: Path) -> None:
    """HTTP Basic could not send it (RFC 7617 §2)."""
    said = CliRunner().invoke(
        main, ["admin-password", "a:b", str(tmp_path / "users")], input="x\nx\n"
    )

    assert said.exit_code == 2
    assert not (tmp_path / "users").exists()
