"""What holds for every flow, proved after each test."""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from jsonschema import Draft202012Validator

from inline_proxy.lab.message import Message
from inline_proxy.paths import ROOT
from sipp.clearip import SITE_PORTS, ClearIp
from sipp.role import Role

SOFTWARE = re.compile(
    r"kamailio|opensips|openser|python|kemi|inline-proxy"
    r"|/TM\)|/SL\)|terribly sorry|unfortunately error",  # the phrases of Kamailio's own answers
    re.IGNORECASE,
)
CLEARIP_HOSTS = re.compile(rf"clearip\.com|:(?:{'|'.join(map(str, SITE_PORTS))})\b", re.IGNORECASE)
TELLING_HEADERS = ("server", "user-agent", "warning")
RANDOM_HEADERS = ("identity", "x-identity")
"""Base64 of a key made for the run: any word of four letters turns up in it now and then."""
IN_DIALOG = re.compile(r";\s*tag=")


def prove_what_always_holds(cast: Iterable[Role], clearip: ClearIp) -> None:
    """Raise `AssertionError` when a flow broke what no flow may break."""
    for role in cast:
        redirections = [m.status for m in role.received() if 300 <= m.status < 400]
        assert not redirections, f"{role.name} was redirected: {redirections}"
    for who, message in _sent_by_proxy(cast, clearip):
        told = [line for line in _own_lines(message) if SOFTWARE.search(line)]
        assert not told, f"{who} was told about the software: {told}"
    for role in cast:
        for message in role.received():
            told = [line for line in _lines_for_others(message) if CLEARIP_HOSTS.search(line)]
            assert not told, f"{role.name} was told where ClearIP is: {told}"
            names = [name for name in TELLING_HEADERS if message.headers(name)]
            assert not names, f"{role.name} was told of the software in {names}"
    for message in clearip.received():
        assert message.method in {"INVITE", "ACK", "CANCEL"}, f"ClearIP got {message.method}"
        if message.method == "INVITE":
            assert not IN_DIALOG.search(message.header("to")), "ClearIP got an INVITE in a dialog"


def prove_records_are_valid(directory: Path) -> None:
    """Raise `AssertionError` for a record of a proxy below a directory that breaks the schema."""
    schema = Draft202012Validator(json.loads((ROOT / "docs/call-record.schema.json").read_text()))
    for file in sorted(directory.rglob("calls.jsonl*")):
        for line in file.read_text().splitlines():
            faults = [error.message for error in schema.iter_errors(json.loads(line))]
            assert not faults, f"{file}: {faults}: {line}"


def _sent_by_proxy(cast: Iterable[Role], clearip: ClearIp) -> Iterator[tuple[str, Message]]:
    for role in cast:
        yield from ((role.name, message) for message in role.received())
    yield from (("ClearIP", message) for message in clearip.received())


def _lines_for_others(message: Message) -> Iterator[str]:
    """The lines that a switch or a carrier gets, but for what it has said itself.

    A diversion host of ClearIP's reads its own name in the request that goes there.
    """
    own = message.start_line.partition("@")[2].partition(" ")[0].partition(":")[0]
    for line in _own_lines(message):
        if not own or own not in line:
            yield line


def _own_lines(message: Message) -> Iterator[str]:
    """The start line and the header lines, as far as the proxy may have written them."""
    yield message.start_line
    yield from (f"{name}: {value}" for name, value in message.fields if name not in RANDOM_HEADERS)
