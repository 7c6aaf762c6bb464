"""`inline-proxy packet-filter`: show the rules for nftables."""

from pathlib import Path

import click

from inline_proxy.commands.configuration import config_argument, load_or_exit
from inline_proxy.commands.preparation import explained
from inline_proxy.listeners import interface_addresses, listeners
from inline_proxy.packet_filter import packet_filter, service_user_id


@click.command("packet-filter")
@config_argument
def packet_filter_command(config_path: Path) -> None:
    """Print the packet filter that belongs to CONFIG, as `nft -f -` reads it."""
    config = load_or_exit(config_path)
    with explained(config_path):
        opened = listeners(config.listen, interface_addresses())
        click.echo(packet_filter(config, opened, service_user_id()), nl=False)
