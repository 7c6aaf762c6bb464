"""What the policy says of plain calls, worked out before the first of them."""

from clearip_proxy.clearip import IDENTITY_NAMES
from clearip_proxy.destination import AskedWith, Destination, destination_of
from clearip_proxy.dialog_token import source_of, token_in
from clearip_proxy.limits import is_limited
from clearip_proxy.location.next_hop import is_address
from clearip_proxy.plain.request import PlainInDialog, PlainInvite
from clearip_proxy.policy import RoutingPolicy
from clearip_proxy.sip.contact import HIGHEST_Q, Contact
from clearip_proxy.sip.grammar import canonical_name
from clearip_proxy.sip.message import USUAL_NAMES
from clearip_proxy.sip.uri import MalformedUri, parse_uri
from clearip_proxy.verdict import Verdict, verdict_of

MOST_REMEMBERED = 1024
_REDIRECTION = 302
_READ = {"contact", *IDENTITY_NAMES}
"""Header fields of an answer that routing reads."""
_ELSEWHERE = AskedWith("sip:nowhere.invalid", "sip:nowhere.invalid")


class Places(dict[str, bool]):
    """Whether targets at a `host:port` are addresses of others: asked once for each."""

    def __init__(self, policy: RoutingPolicy) -> None:
        super().__init__()
        self._policy = policy

    def __missing__(self, place: str) -> bool:
        """Ask the general rule, with a user that nobody has."""
        if len(self) >= MOST_REMEMBERED:
            self.clear()
        self[place] = _is_plain(place, self._policy)
        return self[place]


def _is_plain(place: str, policy: RoutingPolicy) -> bool:
    text = f"sip:{place}"
    try:
        uri = parse_uri(text)
    except MalformedUri:
        return False
    contact = Contact(uri, text, "", HIGHEST_Q, (), 1)
    found = destination_of(contact, _ELSEWHERE, policy)
    is_free = isinstance(found, Destination) and not found.is_diversion
    return is_free and is_address(uri.canonical_host)


class PlainRules:
    """The same policy, put so that a plain call asks it little."""

    def __init__(self, policy: RoutingPolicy) -> None:
        self._policy = policy
        self.usable = Places(policy)
        copied = {canonical_name(name) for name in policy.headers.copied}
        self.passed_over = frozenset(
            name for name, canonical in USUAL_NAMES.items() if canonical not in copied | _READ
        )
        """Names of header fields of an answer that nothing follows from."""
        # A configuration may say otherwise of any of these.
        self.follows_answers = (
            verdict_of(_REDIRECTION, policy.clearip.answers) is Verdict.ROUTE
            and not policy.search.aliases
            and "identity" in copied
        )
        numbers, prefixes = policy.emergency.numbers, ("", *policy.emergency.prefixes)
        self._emergency = frozenset(prefix + number for prefix in prefixes for number in numbers)
        self._domains: dict[str, str] = {}

    def clearip_uri(self, invite: PlainInvite, address: str) -> str:
        """Return what ClearIP is asked with; "" where something else may follow."""
        domain = self._domains.get(address)
        if domain is None:
            domain = self._remembered_domain(address)
        return f"sip:{invite.user}@{domain}" if self._is_queried(domain, invite.number) else ""

    def _is_queried(self, domain: str, number: str) -> bool:
        return domain != "" and number not in self._emergency

    def _remembered_domain(self, address: str) -> str:
        """Work out the host that ClearIP is asked with; "" for strangers and limited sources."""
        if len(self._domains) >= MOST_REMEMBERED:
            self._domains.clear()
        source = self._policy.trusted[address]
        domain = ""
        if source is not None and not is_limited(source):
            partition = source.partition or self._policy.clearip.partition
            domain = ".".join(filter(None, (partition, self._policy.clearip.domain)))
        self._domains[address] = domain
        return domain

    def proves_itself(self, request: PlainInDialog) -> bool:
        """Tell whether a request proves its dialog, and no limited source has an interest."""
        token = token_in(request.route)
        return not source_of(token) and self._policy.dialog_keys.proves(
            token, request.call_id, request.from_tag, request.to_tag
        )
