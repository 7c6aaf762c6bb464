"""What a person needs to use a lab that keeps running: addresses, ports and numbers."""

from collections.abc import Iterator
from pathlib import Path

from inline_proxy.lab.answers import PLAN
from inline_proxy.lab.stage import Ports
from inline_proxy.listeners import in_uri, interface_addresses


def invitation(ports: Ports, directory: Path) -> Iterator[str]:
    """Yield the lines to show while the lab runs; `directory` is where it writes."""
    yield "Point a phone or a switch at one of these, without registration or password:"
    for address in _addresses():
        yield f"   {address}   port {ports.sip} (UDP, TCP) or {ports.sips} (TLS)"
    yield "Calls are taken from private addresses. The carriers answer without any sound."
    yield f"Point a browser at http://127.0.0.1:{ports.admin}/ for calls, ladders and charts."
    yield ""
    yield "Dial"
    width = max(len(entry.name) for entry in PLAN)
    for entry in PLAN:
        yield f"   {entry.number}   {entry.name:<{width}}   {entry.meaning}"
    yield "The last three digits are enough. Any other number is answered like the first."
    yield ""
    yield f"What everybody writes is in {directory}"
    yield "Ctrl-C ends the lab."


def _addresses() -> list[str]:
    """Give this host's addresses, loopback last."""
    found = [address for group in interface_addresses().values() for address in group]
    return [in_uri(address) for address in sorted(found, key=lambda each: each.is_loopback)]
