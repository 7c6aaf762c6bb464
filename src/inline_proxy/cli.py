"""The operator's command `inline-proxy`; each of its commands is a module of `commands`."""

import click

from inline_proxy import __version__
from inline_proxy.commands.admin_password import admin_password_command
from inline_proxy.commands.apply import apply_command
from inline_proxy.commands.calls import calls_command
from inline_proxy.commands.check import check
from inline_proxy.commands.doctor import doctor_command
from inline_proxy.commands.drain import drain_command, undrain_command
from inline_proxy.commands.keepalived import keepalived_command
from inline_proxy.commands.log_level import log_level_command
from inline_proxy.commands.observe import observe_command
from inline_proxy.commands.packet_filter import packet_filter_command
from inline_proxy.commands.reload import plan_command, reload_command
from inline_proxy.commands.render import render_command
from inline_proxy.commands.run import run_command
from inline_proxy.commands.status import status_command
from inline_proxy.commands.support_bundle import support_bundle_command
from inline_proxy.commands.switch import switch
from inline_proxy.commands.trace import trace_command


@click.group()
@click.version_option(__version__, prog_name="inline-proxy")
def main() -> None:
    """Run and look after the in-line proxy for ClearIP."""


for command in (
    apply_command,
    calls_command,
    check,
    doctor_command,
    drain_command,
    keepalived_command,
    log_level_command,
    observe_command,
    packet_filter_command,
    plan_command,
    reload_command,
    render_command,
    run_command,
    status_command,
    admin_password_command,
    support_bundle_command,
    switch,
    trace_command,
    undrain_command,
):
    main.add_command(command)
