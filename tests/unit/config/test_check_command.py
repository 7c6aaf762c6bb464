"""`inline-proxy check`, as a person or a playbook calls it."""

from pathlib import Path

import pytest

from inline_proxy import __version__
from inline_proxy.cli import main

Output = pytest.CaptureFixture[str]


def exit_code_of(*arguments: str) -> object:
    """The exit code of the command with these arguments."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    return ended.value.code


def test_valid_configuration_ends_with_zero_and_one_line(tmp_path: Path, capsys: Output) -> None:
    """An empty file is valid."""
    path = tmp_path / "config.yaml"
    path.touch()

    exit_code = exit_code_of("check", str(path))

    assert (exit_code, *capsys.readouterr()) == (0, f"{path}: valid\n", "")


def test_invalid_configuration_ends_with_two_and_a_line_per_fault(
    tmp_path: Path, capsys: Output
) -> None:
    """The faults go to stderr, and nothing to stdout."""
    path = tmp_path / "config.yaml"
    path.write_text("clearip:\n  keepalive_s: 0\nadmn: {}\n")

    exit_code = exit_code_of("check", str(path))

    out, err = capsys.readouterr()
    first, second = err.splitlines()
    assert (exit_code, out) == (2, "")
    assert first.startswith("clearip.keepalive_s: is not a time that works (found 0); allowed: ")
    assert first.endswith(" [line 2]")
    assert second == "admn: unknown key; did you mean admin? [line 3]"


def test_missing_file_ends_with_two(tmp_path: Path, capsys: Output) -> None:
    """The file is named."""
    path = tmp_path / "config.yaml"

    exit_code = exit_code_of("check", str(path))

    assert exit_code == 2
    assert capsys.readouterr().err == f"{path}: cannot be read: No such file or directory\n"


def test_version_is_that_of_the_package(capsys: Output) -> None:
    """`--version` says which release this is."""
    exit_code = exit_code_of("--version")

    assert exit_code == 0
    assert capsys.readouterr().out == f"inline-proxy, version {__version__}\n"
