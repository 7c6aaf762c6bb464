"""Those who are not trusted: not answered, counted by network, logged without flooding the log."""

from ipaddress import ip_address, ip_network

from clearip_proxy.ksr.log import KsrLog
from clearip_proxy.ksr.memory import KsrMemory
from clearip_proxy.ksr.port import KsrPort
from clearip_proxy.policy import RoutingPolicy

STRANGERS = "strangers"
"""Shared table: requests that were turned away in the last ten minutes, by network."""
TURNED_AWAY = "requests_turned_away"
NETWORKS = "networks"
"""The key under which the networks in the table are counted."""
OTHER_NETWORKS = "other networks"
MOST_NETWORKS = 256
"""Addresses can be forged: from here on, networks are no longer told apart."""
PREFIX_LENGTHS = {4: 24, 6: 64}


class KsrStrangers:
    """Turns requests away."""

    def __init__(self, ksr: KsrPort, policy: RoutingPolicy) -> None:
        self._ksr = ksr
        self._log = KsrLog(ksr, mask_numbers=policy.log.mask_numbers)
        self._memory = KsrMemory(ksr)
        self._ports = frozenset(int(each.rpartition(":")[2]) for each in policy.own)

    def turn_away(self, address: str) -> None:
        """Give no answer; over TCP and TLS close the connection that the stranger has opened."""
        self._count(address)
        pv = self._ksr.pv
        # A connection that the proxy has opened itself leads to a target, or to ClearIP: what
        # else comes back on it is no reason to lose what is under way there.
        if pv.get("$pr") != "udp" and int(pv.get("$Rp") or 0) in self._ports:
            self._ksr.tcpops.tcp_close_connection()

    def _count(self, address: str) -> None:
        """Count a request; a line in the log for the first, tenth, hundredth of a network."""
        self._memory.count(TURNED_AWAY)
        htable, network = self._ksr.htable, network_of(address)
        if not htable.sht_get(STRANGERS, network):
            if int(htable.sht_get(STRANGERS, NETWORKS) or 0) >= MOST_NETWORKS:
                network = OTHER_NETWORKS
            else:
                htable.sht_inc(STRANGERS, NETWORKS)
        requests = htable.sht_inc(STRANGERS, network)
        if is_power_of_ten(requests):
            self._log.note_of_no_call(
                f"not answered: {address} is not a trusted source "
                f"(request {requests} from {network} in ten minutes)"
            )


def network_of(address: str) -> str:
    """Return the network that a stranger is counted under."""
    prefix_length = PREFIX_LENGTHS[ip_address(address).version]
    return str(ip_network((address, prefix_length), strict=False))


def is_power_of_ten(number: int) -> bool:
    """Tell 1, 10, 100 and so on from all other numbers."""
    return number > 0 and str(number).rstrip("0") == "1"
