"""How the files are written: all of them or none, private, and the same each time."""

import json
import os
import re
import stat
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

import jinja2
import pytest

from inline_proxy import paths, rendering
from inline_proxy.certificates import self_signed
from inline_proxy.config import parse_config
from inline_proxy.kamailio_version import KamailioVersion
from inline_proxy.listeners import Listener
from inline_proxy.rendering import CannotRender, Host, quoted, render
from inline_proxy.template_environment import template_environment

HOST = Host((Listener("udp", ip_address("127.0.0.1"), 5060),), KamailioVersion(5, 6, 3))
DIALOG_KEYS = "dialog-keys"
OWN_PAIR = {"proxy-certificate.pem", "proxy-private-key.pem"}


@pytest.fixture
def _no_authorities(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host without ca-certificates."""
    monkeypatch.setenv("SSL_CERT_FILE", "/nonexistent")
    monkeypatch.setattr(rendering, "SYSTEM_CA_FILES", ("/nonexistent",))


@pytest.fixture(autouse=True)
def authorities(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The host's bundle of authorities."""
    bundle = tmp_path_factory.mktemp("host") / "bundle.pem"
    bundle.touch()
    monkeypatch.setenv("SSL_CERT_FILE", str(bundle))
    return bundle


def files(directory: Path) -> Iterator[tuple[str, Path]]:
    """Every file below the directory, by its name relative to it."""
    for path in sorted(directory.rglob("*")):
        if path.is_file():
            yield str(path.relative_to(directory)), path


def contents(directory: Path) -> dict[str, bytes]:
    """What every file below the directory holds."""
    return {name: path.read_bytes() for name, path in files(directory)}


def test_rendering_writes_every_file_that_kamailio_needs(tmp_path: Path) -> None:
    """The directory is complete: the routing script lies beside its policy."""
    render(parse_config(""), HOST, tmp_path / "new" / "directory")

    package = (paths.KEMI / "clearip_proxy").rglob("*.py")
    script = {str(path.relative_to(paths.KEMI)) for path in package}
    assert set(contents(tmp_path / "new" / "directory")) == script | OWN_PAIR | {
        DIALOG_KEYS,
        "kamailio.cfg",
        "modparams.cfg",
        "modules.cfg",
        "packet-filter.nft",
        "policy-generation",
        "proxy.json",
        "proxy.py",
        "tls.cfg",
        "tls.sha256",
    }


def test_static_files_are_copied_as_they_are(tmp_path: Path) -> None:
    """What is the same at every site is no template."""
    render(parse_config(""), HOST, tmp_path)

    for name in ("modules.cfg", "modparams.cfg"):
        assert (tmp_path / name).read_bytes() == (paths.KAMAILIO / name).read_bytes()
    assert (tmp_path / "proxy.py").read_bytes() == (paths.KEMI / "proxy.py").read_bytes()
    core = paths.KEMI / "clearip_proxy" / "routing.py"
    assert (tmp_path / "clearip_proxy" / "routing.py").read_bytes() == core.read_bytes()


def test_rendered_files_are_readable_by_their_owner_alone(tmp_path: Path) -> None:
    """They say who is trusted; only the own certificate is for everybody."""
    render(parse_config(""), HOST, tmp_path)

    modes = {name: stat.S_IMODE(path.stat().st_mode) for name, path in files(tmp_path)}
    assert modes.pop("proxy-certificate.pem") == 0o644
    assert set(modes.values()) == {0o600}


def test_rendering_again_changes_nothing(tmp_path: Path) -> None:
    """Not a byte, and the certificate that the proxy has made stays."""
    render(parse_config(""), HOST, tmp_path)
    before = contents(tmp_path)

    render(parse_config(""), HOST, tmp_path)

    assert contents(tmp_path) == before


def test_state_directory_keeps_the_certificate_from_run_to_run(tmp_path: Path) -> None:
    """The private directory of a run is a new one each time."""
    (tmp_path / "state").mkdir()

    for run in ("one", "other"):
        render(parse_config(""), HOST, tmp_path / run, tmp_path / "state")

    one, other = ((tmp_path / run / "tls.cfg").read_text() for run in ("one", "other"))
    assert set(contents(tmp_path / "state")) == OWN_PAIR | {DIALOG_KEYS}
    assert contents(tmp_path / "one")[DIALOG_KEYS] == contents(tmp_path / "state")[DIALOG_KEYS]
    assert not OWN_PAIR & set(contents(tmp_path / "one"))
    assert one == other
    assert f'certificate = "{tmp_path / "state" / "proxy-certificate.pem"}"' in one


@pytest.mark.usefixtures("_no_authorities")
def test_host_without_authorities_is_refused_and_nothing_is_written(tmp_path: Path) -> None:
    """Not even the own certificate."""
    with pytest.raises(CannotRender, match=r"clearip\.tls\.ca_file: .* install ca-certificates"):
        render(parse_config(""), HOST, tmp_path / "new")

    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("_no_authorities")
def test_configured_authorities_need_none_of_the_host(tmp_path: Path, authorities: Path) -> None:
    """`ca_file` with a path."""
    authorities.write_bytes(self_signed(["authority"]).certificate)
    config = parse_config(f"clearip: {{tls: {{ca_file: {authorities}}}}}")

    render(config, HOST, tmp_path)

    assert f'ca_list = "{authorities}"' in (tmp_path / "tls.cfg").read_text()


def test_authorities_of_the_system_are_found_where_the_distribution_keeps_them(
    tmp_path: Path, authorities: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When OpenSSL itself has no file."""
    monkeypatch.setenv("SSL_CERT_FILE", "/nonexistent")
    monkeypatch.setattr(rendering, "SYSTEM_CA_FILES", ("/nonexistent", str(authorities)))

    render(parse_config(""), HOST, tmp_path)

    assert f'ca_list = "{authorities}"' in (tmp_path / "tls.cfg").read_text()


def test_path_too_long_for_the_control_socket_is_refused_and_nothing_is_written(
    tmp_path: Path,
) -> None:
    """Kamailio would end with a riddle; the longest that works is written."""
    fits = rendering.LONGEST_SOCKET_PATH - len(f"{tmp_path}//{rendering.CONTROL_SOCKET}")

    render(parse_config(""), HOST, tmp_path / ("x" * fits))
    with pytest.raises(CannotRender, match="the path is 1 bytes too long for Kamailio's control"):
        render(parse_config(""), HOST, tmp_path / ("x" * fits + "y"))

    assert len(list(tmp_path.iterdir())) == 1


def test_damaged_keys_of_the_dialogs_are_a_reason_with_its_file(tmp_path: Path) -> None:
    """The proxy does not start with other keys than those that have signed."""
    (tmp_path / "dialog-keys").write_text("abc\n")

    with pytest.raises(CannotRender, match="dialog-keys: names a file with a line that is not 64"):
        render(parse_config(""), HOST, tmp_path)


def test_directory_that_cannot_be_made_is_an_error_with_its_name(tmp_path: Path) -> None:
    """A file is in the way, say."""
    (tmp_path / "file").touch()

    with pytest.raises(OSError, match="file") as refused:
        render(parse_config(""), HOST, tmp_path / "file" / "directory")

    assert refused.value.filename == str(tmp_path / "file" / "directory")


def test_interrupted_writing_leaves_whole_files_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each file is replaced in one step: a reader sees the old one or the new one."""
    render(parse_config(""), HOST, tmp_path)
    before = contents(tmp_path)

    def full(_descriptor: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left on device"):
        render(parse_config("clearip: {keepalive_s: 99}"), HOST, tmp_path)

    assert contents(tmp_path) == before


def test_undefined_name_in_a_template_is_an_error(tmp_path: Path) -> None:
    """A misspelt name must not become an empty text."""
    (tmp_path / "a.j2").write_text("port {{ prot }}")

    with pytest.raises(jinja2.UndefinedError, match="prot"):
        template_environment(tmp_path).get_template("a.j2").render(port=5060)


def test_path_with_blanks_and_quotes_is_written_so_that_kamailio_reads_it() -> None:
    """Both of its languages know these two escapes."""
    assert quoted(Path('/a b/"c"/d\\e')) == '"/a b/\\"c\\"/d\\\\e"'


@pytest.mark.parametrize(
    ("config", "seconds"),
    [
        ("", 2),
        ("clearip: {response_timeout_ms: 2001}", 3),
        ("{clearip: {response_timeout_ms: 9000}, targets: {no_response_timeout_ms: 900}}", 1),
    ],
)
def test_connecting_takes_no_longer_than_the_shorter_wait(
    tmp_path: Path, config: str, seconds: int
) -> None:
    """In whole seconds, as Kamailio counts."""
    render(parse_config(config), HOST, tmp_path)

    assert f"\ntcp_connect_timeout={seconds}\n" in (tmp_path / "kamailio.cfg").read_text()


def listen_lines(*listeners: Listener, directory: Path) -> list[str]:
    """The lines that open sockets."""
    render(parse_config(""), HOST._replace(listeners=listeners), directory)
    lines = (directory / "kamailio.cfg").read_text().splitlines()
    return [line for line in lines if line.startswith("listen=")]


def test_socket_that_alone_advertises_something_needs_no_name(tmp_path: Path) -> None:
    """Record-Route leads back to it anyway."""
    inside, outside = ip_address("10.9.0.1"), ip_address("192.0.2.1")

    assert listen_lines(
        Listener("udp", inside, 5060),
        Listener("udp", outside, 5060, "203.0.113.7"),
        Listener("tcp", outside, 5060, "203.0.113.7"),
        directory=tmp_path,
    ) == [
        "listen=udp:10.9.0.1:5060",
        "listen=udp:192.0.2.1:5060 advertise 203.0.113.7:5060",
        "listen=tcp:192.0.2.1:5060 advertise 203.0.113.7:5060",
    ]


def test_sockets_that_advertise_the_same_have_names_that_stay(tmp_path: Path) -> None:
    """A dialog outlives a restart after which there are more sockets; no address is told."""
    inside, outside = (
        Listener("udp", ip_address(address), 5060, "203.0.113.7")
        for address in ("10.9.0.1", "192.0.2.1")
    )
    new = Listener("udp", ip_address("10.8.0.1"), 5060, "203.0.113.7")

    before = listen_lines(inside, outside, directory=tmp_path)
    after = listen_lines(new, inside, outside, directory=tmp_path)

    names = [line.rpartition(" name ")[2] for line in after]
    assert after[1:] == before
    assert len(set(names)) == 3
    assert all(re.fullmatch('"[0-9a-f]{8}"', name) for name in names)


def test_policy_is_json(tmp_path: Path) -> None:
    """Code is never rendered; values are."""
    render(parse_config("clearip: {partition: outbound}"), HOST, tmp_path)

    policy = json.loads((tmp_path / "proxy.json").read_text())
    assert policy["clearip"]["partition"] == "outbound"


@pytest.mark.parametrize(("passes_over", "mhomed"), [(False, "yes"), (True, "no")])
def test_kernel_chooses_among_addresses_that_it_prefers(
    tmp_path: Path, mhomed: str, *, passes_over: bool
) -> None:
    """Where it prefers another, Kamailio would find no socket to send from."""
    opened = tuple(Listener("udp", ip_address(f"192.0.2.{last}"), 5060) for last in (5, 6))
    host = HOST._replace(listeners=opened, kernel_passes_over=passes_over)

    render(parse_config(""), host, tmp_path)

    assert f"\nmhomed={mhomed}\n" in (tmp_path / "kamailio.cfg").read_text()
