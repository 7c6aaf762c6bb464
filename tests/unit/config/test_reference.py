"""The page `docs/configuration.md`."""

import runpy
import sys
from dataclasses import replace
from ipaddress import ip_network

import pytest

from inline_proxy.config import ProxyConfig, parse_config
from inline_proxy.config.reference import as_yaml, reference
from inline_proxy.config.trusted import TrustedSource
from inline_proxy.paths import ROOT
from unit.config.reading import declared_keys


def test_committed_page_is_the_generated_one() -> None:
    """`python3 -m inline_proxy.config.reference > docs/configuration.md` brings it up to date."""
    committed = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")

    assert committed == reference()


def test_page_is_printed_by_the_module(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command that the page names."""
    monkeypatch.delitem(sys.modules, reference.__module__)

    runpy.run_module(reference.__module__, run_name="__main__")

    assert capsys.readouterr().out == reference()


def test_page_has_a_heading_for_every_key() -> None:
    """No key is left out."""
    headings = {line.lstrip("# ") for line in reference().splitlines() if line.startswith("#")}

    assert {f"`{key.path}`" for key in declared_keys()} <= headings


def test_defaults_on_the_page_are_the_default_configuration() -> None:
    """The block can be copied into a file and changed from there."""
    block = reference().partition("```yaml\n")[2].partition("```")[0]

    assert parse_config(block) == ProxyConfig()


@pytest.mark.parametrize(
    "source",
    [
        TrustedSource(ip_network("2001:db8::/32")),
        TrustedSource(ip_network("192.0.2.1/32"), name="switch-a", partition="inbound"),
    ],
)
def test_typed_value_is_written_as_it_would_be_read(source: TrustedSource) -> None:
    """What `as_yaml` writes, the model reads."""
    config = parse_config(f"trusted: {as_yaml((source,))}")

    assert config == replace(ProxyConfig(), trusted=(source,))
