"""Responses of ClearIP sites, before Kamailio acts on them by itself."""

from clearip_proxy.clearip_reply import (
    BAD_GATEWAY,
    TRYING,
    as_bad_gateway,
    hidden_from_caller,
    in_place_of_planted,
    is_for_the_caller,
    taken_as,
    tells_of_a_loss,
)
from clearip_proxy.dialog_token import tokens_in
from clearip_proxy.ksr.log import KsrLog
from clearip_proxy.ksr.memory import KsrMemory
from clearip_proxy.ksr.port import KsrPort
from clearip_proxy.ksr.reader import KsrReader
from clearip_proxy.ksr.sites import KsrSites
from clearip_proxy.policy import RoutingPolicy
from clearip_proxy.sip.uri import parse_uri

REDIRECTION = 302
PLANTED = "planted_responses"
"""The counter of responses to queries that did not come from ClearIP."""


class ClearIpReplies:
    """Holds back what a redirect server has no business to say."""

    def __init__(self, ksr: KsrPort, policy: RoutingPolicy, read: KsrReader) -> None:
        self._ksr = ksr
        self._policy = policy
        self._read = read
        self._log = KsrLog(ksr, mask_numbers=policy.log.mask_numbers)
        self._memory = KsrMemory(ksr)
        self._sites = KsrSites(ksr)
        sites = (parse_uri(site).canonical_host for site in policy.clearip.sites)
        self._hosts = frozenset((*policy.clearip.domains, *sites))
        """What no caller is to read; addresses in brackets have a form of their own."""
        self._verified: set[int] = set()
        """Connections that were seen among the verified ones; an id is never given twice."""

    def take(self) -> None:
        """Take a response to a query; what follows a final one is decided later."""
        get = self._ksr.pv.get
        if get("$rs") == REDIRECTION and get("$conid") in self._verified:
            return  # nothing that the rest would change
        status = self._read.status()
        if not self._is_from_a_site() and not tells_of_a_loss(status, self._read.message()):
            self._discard_planted(status)
            return
        counts_as = taken_as(status)
        if counts_as != status:
            self._replace(status, counts_as)
            return
        for name in hidden_from_caller(status, self._read.message, self._hosts):
            self._ksr.hdr.remove(name)

    def _replace(self, status: int, counts_as: int) -> None:
        textopsx = self._ksr.textopsx
        if counts_as == TRYING:
            textopsx.change_reply_status(TRYING, "Trying")
        elif counts_as == BAD_GATEWAY:
            self._log.fault(f"ClearIP accepted the call with {status}, which a query cannot be")
            textopsx.msg_set_buffer(as_bad_gateway(self._read.message()))

    def _discard_planted(self, status: int) -> None:
        """Let a response steer nothing that did not come from ClearIP.

        Kamailio matches it by the branch in Via alone, which a caller can work out.
        """
        in_its_place = in_place_of_planted(status, self._read.message())
        self._ksr.textopsx.msg_set_buffer(in_its_place)
        self._memory.count(PLANTED)
        self._log.fault(
            f"discarded: a {status} that did not come on a verified connection to ClearIP, "
            f"but from {self._read.text('$si')}"
        )

    def take_stray(self) -> None:
        """Take a response whose transaction has been forgotten."""
        status = self._read.status()
        if not is_for_the_caller(
            status,
            is_from_clearip=self._is_from_a_site(),
            is_credible=self._is_from_a_trusted_source() or self._proves_its_dialog(),
        ):
            self._ksr.set_drop()
            self._log.note(f"discarded: {status}, which came too late")

    def _is_from_a_trusted_source(self) -> bool:
        return self._policy.trusted[self._read.text("$si")] is not None

    def _proves_its_dialog(self) -> bool:
        identifiers = [self._read.text(name) for name in ("$ci", "$ft", "$tt")]
        keys = self._policy.dialog_keys
        return any(
            keys.proves(token, *identifiers)
            for value in self._read.record_routes()
            for token in tokens_in(value)
        )

    def _is_from_a_site(self) -> bool:
        connection = self._read.connection()
        if connection in self._verified:
            return True
        self._verified = {line.connection for group in self._sites.lines() for line in group}
        return connection in self._verified
