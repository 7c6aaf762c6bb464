"""The files that Kamailio reads, byte by byte, for two configurations.

Each folder of `golden/` holds a config.yaml and what it renders to. After a change that is
meant to change them, write them anew and read the difference before it is committed:

    GOLDEN=write .venv/bin/python -m pytest tests/unit/operator/test_golden_files.py
    git diff tests/unit/operator/golden
"""

import os
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from ipaddress import ip_address
from pathlib import Path

import pytest

from inline_proxy import __version__
from inline_proxy.certificates import self_signed
from inline_proxy.config import ProxyConfig, parse_config
from inline_proxy.kamailio_version import KamailioVersion
from inline_proxy.listeners import listeners
from inline_proxy.rendering import Host, render

GOLDEN = Path(__file__).with_name("golden")
RENDERED = ("kamailio.cfg", "tls.cfg", "proxy.json", "packet-filter.nft")
INTERFACES = {"lo": (ip_address("127.0.0.1"), ip_address("::1"))}
KAMAILIO = {"minimal": KamailioVersion(5, 6, 3), "everything": KamailioVersion(6, 0, 1)}
PLACEHOLDER = "/DIRECTORY"


def configuration(case: str, directory: Path) -> ProxyConfig:
    """The configuration of a case; the files that it names lie in the directory."""
    for name in ("switch-facing", "client"):
        self_signed([name]).write(directory / f"{name}.pem", directory / f"{name}.key")
    (directory / "dialog-keys").write_text("ab" * 32)
    (directory / "admin-users").write_text(f"operator:scrypt$00${'ab' * 32}\n")
    (directory / "authorities.pem").write_bytes((directory / "client.pem").read_bytes())
    text = (GOLDEN / case / "config.yaml").read_text()
    return parse_config(text.replace(PLACEHOLDER, str(directory)))


@pytest.fixture(params=sorted(KAMAILIO))
def case(request: pytest.FixtureRequest) -> str:
    """The name of a folder."""
    name: str = request.param
    return name


def test_rendered_files_are_the_golden_ones(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each byte, apart from the directory and the release."""
    config = configuration(case, tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "authorities.pem"))  # "system" means this

    render(config, Host(listeners(config.listen, INTERFACES), KAMAILIO[case]), tmp_path)

    for name in RENDERED:
        text = (tmp_path / name).read_text()
        text = text.replace(str(tmp_path), PLACEHOLDER)
        text = text.replace(f"inline-proxy {__version__}", "inline-proxy RELEASE")
        golden = GOLDEN / case / name
        if os.environ.get("GOLDEN") == "write":
            golden.write_text(text)
        assert text == golden.read_text(), name


def keys_at_default(value: object, default: object, path: str = "") -> Iterator[str]:
    """The keys of a part that have their default."""
    if is_dataclass(value) and is_dataclass(default):
        for field in fields(value):
            yield from keys_at_default(
                getattr(value, field.name), getattr(default, field.name), f"{path}.{field.name}"
            )
    elif value == default:
        yield path.removeprefix(".")


def test_everything_leaves_no_key_at_its_default(tmp_path: Path) -> None:
    """So a new key cannot be forgotten here."""
    assert set(keys_at_default(configuration("everything", tmp_path), ProxyConfig())) == set()
