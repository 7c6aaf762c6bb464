"""Which of DMQ's messages a node takes from another: those that say something of their sender.

Kamailio itself would let a peer write any entry of any shared table, and add nodes to the group.
"""

import json
from collections.abc import Collection
from ipaddress import ip_address
from typing import NamedTuple

from clearip_proxy.sip.uri import parse_uri

METHOD = "KDMQ"
NEWS = "cluster"
"""Shared table, replicated: what each node tells, by its address."""
SET_CELL, TEXT = 2, 2
"""`HT_DMQ_SET_CELL` of Kamailio's htable module, and `AVP_VAL_STR`, the type of a text."""
SET_KEYS = {"action", "htname", "cname", "type", "strval", "mode"}


class Received(NamedTuple):
    """A message on the cluster's socket."""

    method: str
    channel: str
    """The user of the Request-URI: `htable`, or `notification_peer`."""
    sender: str
    body: str


def fault_in(received: Received, nodes: Collection[str], port: int) -> str:
    """Return why a message is not taken; empty for one that is.

    `nodes` are the addresses of the group, this node's among them.
    """
    if received.method != METHOD:
        return f"it is no {METHOD}"
    match received.channel:
        case "htable":
            return _fault_in_news(received)
        case "notification_peer":
            return _fault_in_list(received.body, nodes, port)
    return "it is for an unknown channel"


def _fault_in_news(received: Received) -> str:
    try:
        values = json.loads(received.body)
    except ValueError:
        return "it is no JSON"
    if not isinstance(values, dict) or not values.keys() <= SET_KEYS:
        return "it sets no entry"
    if (values.get("action"), values.get("type")) != (SET_CELL, TEXT):
        return "it sets no entry"
    if not isinstance(values.get("strval"), str):
        return "it sets no entry"
    if (values.get("htname"), values.get("cname")) != (NEWS, received.sender):
        return "it sets another entry than its sender's own"
    return ""


def _fault_in_list(body: str, nodes: Collection[str], port: int) -> str:
    """Judge a list of nodes: an address that is none would lock Kamailio 5.6.3 up for good."""
    for line in body.splitlines():
        try:
            uri = parse_uri(line)
            address = str(ip_address(uri.canonical_host.strip("[]")))
        except ValueError:
            return "it lists what is no address"
        if address not in nodes or uri.effective_port != port:
            return "it lists a node that is not in cluster.peers"
    return ""
