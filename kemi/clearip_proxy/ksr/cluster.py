"""The socket that the other nodes of a group send to, and nobody else."""

from ipaddress import ip_address

from clearip_proxy.cluster.message import Received, fault_in
from clearip_proxy.ksr.log import KsrLog
from clearip_proxy.ksr.memory import KsrMemory
from clearip_proxy.ksr.port import KsrPort
from clearip_proxy.ksr.strangers import KsrStrangers, is_power_of_ten
from clearip_proxy.policy import ClusterPolicy, RoutingPolicy

REFUSED = "cluster_messages_refused"


class ClusterDoor:
    """Takes what the peers tell; everybody else, and everything else, gets no answer."""

    def __init__(self, ksr: KsrPort, policy: RoutingPolicy, cluster: ClusterPolicy) -> None:
        self._ksr = ksr
        self._cluster = cluster
        self._nodes = frozenset((cluster.address, *cluster.peers))
        self._strangers = KsrStrangers(ksr, policy)
        self._memory = KsrMemory(ksr)
        self._log = KsrLog(ksr, mask_numbers=policy.log.mask_numbers)

    def takes(self) -> bool:
        """Take a request on the cluster's socket; False for one on any other."""
        pv, cluster = self._ksr.pv, self._cluster
        if pv.get("$Rp") != cluster.port or _address(pv.get("$Ri")) != cluster.address:
            return False
        sender = _address(pv.get("$si"))
        if sender not in cluster.peers:
            self._strangers.turn_away(sender)
            return True
        fault = fault_in(self._received(sender), self._nodes, cluster.port)
        if fault:
            self._refuse(sender, fault)
        else:
            self._ksr.dmq.handle_message()
        return True

    def _received(self, sender: str) -> Received:
        try:
            values = (self._ksr.pv.get(name) for name in ("$rm", "$rU", "$rb"))
            method, channel, body = (str(value or "") for value in values)
        except UnicodeDecodeError:
            method, channel, body = "", "", ""
        return Received(method, channel, sender, body)

    def _refuse(self, sender: str, fault: str) -> None:
        """Say so for the first, tenth, hundredth."""
        self._memory.count(REFUSED)
        refused = int(self._ksr.htable.sht_get("counters", REFUSED) or 0)
        if is_power_of_ten(refused):
            self._log.fault_of_no_call(
                f"not taken from node {sender} of the cluster: {fault} (message {refused})"
            )


def _address(value: str | int | None) -> str:
    return str(ip_address(str(value).strip("[]")))
