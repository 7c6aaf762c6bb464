"""Plain calls: each callback reads Kamailio once, decides in one step, and does what must be done.

Whatever is not plain, or does not go as usual on the way, is handed to the gateway.
"""

from clearip_proxy.ksr.connections import HeardConnections
from clearip_proxy.ksr.gateway import KsrGateway
from clearip_proxy.ksr.plain_answers import PlainAnswers
from clearip_proxy.ksr.plain_dialogs import PlainDialogs
from clearip_proxy.ksr.plain_events import PlainEvents
from clearip_proxy.ksr.plain_invites import PlainInvites
from clearip_proxy.ksr.port import KsrPort
from clearip_proxy.ksr.site_knowledge import SiteKnowledge
from clearip_proxy.ksr.sites import KsrSites
from clearip_proxy.plain.request import in_dialog, invites, proof_in
from clearip_proxy.plain.rules import PlainRules
from clearip_proxy.policy import RoutingPolicy
from clearip_proxy.process.shared_numbers import SharedNumbers

REQUEST = "$_s($si $ml $conid $mb)"
"""One look at Kamailio; what a sender may write as it likes stands last."""
CONNECTION = "$_s($conid)"
OVER_UDP = "<null>"
INVITE = "INVITE"


class PlainCalls:
    """Takes plain calls; False where one is not plain, and nothing has been done."""

    def __init__(
        self, ksr: KsrPort, policy: RoutingPolicy, gateway: KsrGateway, numbers: SharedNumbers
    ) -> None:
        rules = PlainRules(policy)
        knowledge = SiteKnowledge(KsrSites(ksr, numbers), numbers)
        events = PlainEvents(ksr, policy, gateway.events)
        self._get = ksr.pv.get
        self._connections = HeardConnections(ksr)
        self._domains = rules.domains
        self._proves = policy.dialog_keys.proves
        self._invites, self._dialogs = invites(), in_dialog()
        self._begin = PlainInvites(ksr, gateway, rules, knowledge, events).begin
        self._pass_on = PlainDialogs(ksr, policy.dialog_keys, gateway, events).pass_on
        self.take_answer = PlainAnswers(ksr, gateway, rules, knowledge, events).take
        self.target_responded = events.responded

    def take_request(self) -> bool:
        """Take an INVITE that begins a call, an ACK or a BYE."""
        text = self._request()
        for shape in self._invites.known:
            found = shape.match(text)
            if found is not None:
                if found["connection"] != OVER_UDP:
                    self._hear(found["connection"])
                return self._begin(text, shape, found)
        for shape in self._dialogs.known:
            found = shape.match(text)
            if found is not None:
                if found["connection"] != OVER_UDP:
                    self._hear(found["connection"])
                return self._pass_on(found.group(*shape.read))
        return self._learn(text)

    def _request(self) -> str:
        """Read it; "" where it is longer than Kamailio prints, or no UTF-8."""
        try:
            text = self._get(REQUEST)
        except UnicodeDecodeError:
            text = None
        if text is None:
            self._hear(str(self._get(CONNECTION)))
        return str(text or "")

    def _learn(self, text: str) -> bool:
        """Look into a request of no known kind, and take it if it is plain."""
        address, _, connection, method, *_ = (*text.split(" ", 4), "", "", "", "")
        self._hear(connection)
        if method == INVITE:
            is_taught = bool(self._domains[address]) and self._invites.learn(text)
        else:
            proof = proof_in(text)
            is_taught = proof is not None and self._proves(*proof) and self._dialogs.learn(text)
        return is_taught and self.take_request()

    def _hear(self, connection: str) -> None:
        if connection.isdecimal():
            self._connections.hear(int(connection))
