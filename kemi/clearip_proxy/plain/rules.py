"""What the policy says of plain calls, worked out before the first of them."""

from clearip_proxy.clearip import IDENTITY_NAMES
from clearip_proxy.destination import AskedWith, Destination, destination_of
from clearip_proxy.limits import is_limited
from clearip_proxy.location.next_hop import is_address
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


class Places(dict[str, str]):
    """What a `host:port` of targets is called, "" unless it is an address of others.

    Asked once for each. The port that nobody needs to name is 5060.
    """

    def __init__(self, policy: RoutingPolicy) -> None:
        super().__init__()
        self._policy = policy

    def __missing__(self, place: str) -> str:
        """Ask the general rule, with a user that nobody has."""
        if len(self) >= MOST_REMEMBERED:
            self.clear()
        self[place] = place.removesuffix(":5060") if _is_plain(place, self._policy) else ""
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
        self.policy = policy
        self.places = Places(policy)
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
        self.emergency = frozenset(prefix + number for prefix in prefixes for number in numbers)
        """Numbers whose calls never go to ClearIP."""
        self.domains = Domains(policy)


class Domains(dict[str, str]):
    """The host that ClearIP is asked with, by the caller's address: asked once for each.

    "" for strangers and for sources with a limit.
    """

    def __init__(self, policy: RoutingPolicy) -> None:
        super().__init__()
        self._policy = policy

    def __missing__(self, address: str) -> str:
        """Ask the general rule."""
        if len(self) >= MOST_REMEMBERED:
            self.clear()
        source = self._policy.trusted[address]
        self[address] = ""
        if source is not None and not is_limited(source):
            partition = source.partition or self._policy.clearip.partition
            self[address] = ".".join(filter(None, (partition, self._policy.clearip.domain)))
        return self[address]
