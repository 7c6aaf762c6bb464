"""Has a request leave from the address that its destination can reach."""

from clearip_proxy.ksr.port import KsrPort
from clearip_proxy.location.next_hop import is_udp
from clearip_proxy.location.sending import SendingPolicy
from clearip_proxy.sip.uri import Uri, parse_uri

SOCKET = "$fs"


class KsrSockets:
    """Chooses the socket of each branch; leaves the choice to Kamailio where there is none."""

    def __init__(self, ksr: KsrPort, policy: SendingPolicy) -> None:
        self._ksr = ksr
        self._policy = policy
        self.are_several = bool(policy.addresses)
        self._hosts: dict[str, str] = {}
        """The hosts of ClearIP's addresses, which are few."""

    def towards_clearip(self, hop: str) -> None:
        """Choose the socket to one of ClearIP's addresses, a SIP URI."""
        if not self.are_several:
            return
        host = self._hosts.get(hop)
        if host is None:
            host = self._hosts[hop] = parse_uri(hop).canonical_host
        self._choose("tls", host)

    def towards(self, destination: Uri) -> None:
        """Choose the socket to a target."""
        if self.are_several:
            self._choose(_transport(destination), destination.target_host)

    def _choose(self, transport: str, host: str) -> None:
        """Forget the socket of the branch before too."""
        chosen = self._policy.socket_towards(transport, host)
        if chosen:
            self._ksr.pv.sets(SOCKET, chosen)
        else:
            self._ksr.pv.unset(SOCKET)


def _transport(uri: Uri) -> str:
    if is_udp(uri):
        return "udp"
    return "tls" if uri.scheme == "sips" or uri.transport == "tls" else "tcp"
