"""Where somebody is reached: an address, a port and a transport."""

from dataclasses import dataclass
from typing import Literal, Protocol

Transport = Literal["udp", "tcp", "tls"]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a role is reached."""

    host: str
    port: int
    transport: Transport = "udp"

    @property
    def host_port(self) -> str:
        """As a URI and a Via hold it: IPv6 in brackets."""
        return f"{bracketed(self.host)}:{self.port}"

    @property
    def endpoint(self) -> tuple[str, int]:
        """As a socket wants it."""
        return self.host, self.port

    @property
    def sent_by(self) -> str:
        """Transport and host of a Via."""
        return f"{self.transport.upper()} {self.host_port}"

    def uri(self, user: str) -> str:
        """A URI of a user there."""
        parameter = "" if self.transport == "udp" else f";transport={self.transport}"
        return f"sip:{user}@{self.host_port}{parameter}"


class Callee(Protocol):
    """Whom a caller sends its requests to."""

    def place(self, transport: Transport, *, ipv6: bool) -> Place:
        """Where it listens for a transport, in one family of addresses."""


def bracketed(host: str) -> str:
    """An address as a URI holds it."""
    return f"[{host}]" if ":" in host else host
