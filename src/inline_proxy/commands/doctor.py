"""`inline-proxy doctor`: what on this host, or on the way to ClearIP, would keep calls away."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click
from cryptography import x509

from inline_proxy.busy_ports import busy, held_by_the_proxy
from inline_proxy.commands.configuration import config_argument, load_or_exit
from inline_proxy.config.model import ProxyConfig
from inline_proxy.finding import Finding, fault, well
from inline_proxy.kamailio_version import KamailioMissing, installed_version
from inline_proxy.lab.screen import Screen
from inline_proxy.listeners import (
    NoSuchListener,
    cluster_listeners,
    interface_addresses,
    listeners,
)
from inline_proxy.path_mtu import check_targets
from inline_proxy.site_check import SOON_DAYS, check_site

SOMETHING_IS_WRONG = 1


@click.command("doctor")
@config_argument
@click.option("--json", "as_json", is_flag=True, help="For machines: one JSON object.")
def doctor_command(config_path: Path, *, as_json: bool) -> None:
    """Check this host and the way to ClearIP for CONFIG; say what to do about each fault."""
    config = load_or_exit(config_path)
    found: list[Finding] = []
    screen = Screen.of_this_process()
    for finding in findings(config):
        found.append(finding)
        if not as_json:
            _show(finding, screen)
    faults = sum(not finding.is_well for finding in found)
    if as_json:
        click.echo(
            json.dumps({"version": 1, "findings": [each._asdict() for each in found]}, indent=1)
        )
    else:
        said = "1 fault" if faults == 1 else f"{faults or 'no'} faults"
        screen.line(f"{said} in {len(found)} checks", bold=True)
    raise SystemExit(SOMETHING_IS_WRONG if faults else 0)


def _show(finding: Finding, screen: Screen) -> None:
    """Show what a check has found at once: the next one may take seconds."""
    if finding.is_well:
        mark = click.style("ok   ", fg="green") if screen.colour else "ok   "
        screen.line(f"{mark} {finding.text}")
        return
    mark = click.style("FAULT", fg="red", bold=True) if screen.colour else "FAULT"
    screen.line(f"{mark} {finding.text}; {finding.remedy}")


def findings(config: ProxyConfig) -> Iterator[Finding]:
    """Yield what every check has found, as soon as it has."""
    yield _kamailio()
    yield from _ports(config)
    yield from _own_certificate(config)
    partitions = [source.partition for source in config.trusted if source.partition]
    for site in config.clearip.sites:
        yield from check_site(site, config.clearip, partitions)
    yield from check_targets(config)


def _kamailio() -> Finding:
    try:
        return well(f"kamailio {installed_version()} is installed")
    except KamailioMissing as missing:
        return fault(str(missing), "install Debian's packages")


def _ports(config: ProxyConfig) -> Iterator[Finding]:
    try:
        opened = listeners(config.listen, interface_addresses())
        wanted = (*opened, *cluster_listeners(config.cluster))
    except NoSuchListener as none:
        yield fault(str(none), "change listen.addresses")
        return
    own = [each for each in wanted if held_by_the_proxy(each)]
    if own:
        yield well(f"the proxy runs, and has {len(own)} of the {len(wanted)} sockets of `listen`")
    others = [each for each in wanted if each not in own]
    taken = busy(others)
    for sentence in taken:
        what, _, remedy = sentence.partition("; ")
        yield fault(what, remedy)
    if not own and not taken:
        yield well("every port of `listen` is free")
    elif others and not taken:
        silent = ", ".join(each.socket for each in others)
        yield fault(
            f"nobody listens on {silent}: these came after the proxy started",
            "inline-proxy apply, which restarts it for them",
        )


def _own_certificate(config: ProxyConfig) -> Iterator[Finding]:
    """Look at a configured certificate, as nobody else will say that it ends."""
    path = config.listen.tls_certificate
    if path is None:
        return
    certificate = x509.load_pem_x509_certificate(path.read_bytes())
    ends: datetime | None = getattr(certificate, "not_valid_after_utc", None)
    left = (ends or certificate.not_valid_after.replace(tzinfo=UTC)) - datetime.now(UTC)
    text = f"listen.tls_certificate: {left.days} days left"
    yield Finding(left.days >= SOON_DAYS, text, "renew it")
