"""`inline-proxy render`, as a person or a playbook calls it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from inline_proxy.cli import main

Output = pytest.CaptureFixture[str]
InstallFake = Callable[[str], Path]
VERSION = 'print("version: kamailio 5.6.3 (x86_64/linux)")'


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """An empty configuration, which is a valid one."""
    path = tmp_path / "config.yaml"
    path.write_text("listen: {addresses: [127.0.0.1]}\n")
    return path


def exit_code_of(*arguments: str | Path) -> object:
    """The exit code of the command with these arguments."""
    with pytest.raises(SystemExit) as ended:
        main(list(map(str, arguments)))
    return ended.value.code


def test_valid_configuration_is_rendered_and_said_so(
    install_kamailio: InstallFake, config: Path, tmp_path: Path, capsys: Output
) -> None:
    """For the Kamailio that is installed; the directory is made."""
    install_kamailio(VERSION)

    assert exit_code_of("render", config, "-o", tmp_path / "out") == 0
    assert tuple(capsys.readouterr()) == (f"{tmp_path}/out: rendered for kamailio 5.6.3\n", "")
    assert (tmp_path / "out" / "kamailio.cfg").exists()


def test_invalid_configuration_writes_nothing_at_all(
    install_kamailio: InstallFake, config: Path, tmp_path: Path, capsys: Output
) -> None:
    """Not even the directory; the faults are those of `check`."""
    install_kamailio(VERSION)
    config.write_text("listen: {udp: 0}\n")

    assert exit_code_of("render", config, "-o", tmp_path / "out") == 2
    assert not (tmp_path / "out").exists()
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("listen.udp: is not a port (found 0)")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("listen: {addresses: [nosuch0]}", "listen.addresses: no interface nosuch0 with an addr"),
        ("listen: {addresses: [127.0.0.1]}", "kamailio -v says no version, but ''; install"),
    ],
)
def test_host_that_lacks_something_is_said_so_and_nothing_is_written(
    install_kamailio: InstallFake, config: Path, capsys: Output, text: str, sentence: str
) -> None:
    """The configuration is valid; this host is not ready for it."""
    install_kamailio("")
    config.write_text(text)
    directory = config.with_name("out")

    assert exit_code_of("render", config, "-o", directory) == 2
    assert not directory.exists()
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(sentence)
    assert err.count("\n") == 1


def test_directory_that_cannot_be_made_is_named(
    install_kamailio: InstallFake, config: Path, tmp_path: Path, capsys: Output
) -> None:
    """One line, no traceback."""
    install_kamailio(VERSION)
    (tmp_path / "file").touch()

    assert exit_code_of("render", config, "-o", tmp_path / "file" / "out") == 2
    assert capsys.readouterr().err == (f"{tmp_path}/file/out: cannot be written: Not a directory\n")


def test_output_directory_must_be_given(config: Path, capsys: Output) -> None:
    """Click says so; 2 as for every other misuse."""
    assert exit_code_of("render", config) == 2
    assert "Missing option '-o' / '--output'" in capsys.readouterr().err
