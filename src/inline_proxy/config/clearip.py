"""The part `clearip`: how ClearIP is reached, and what its answers mean."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from inline_proxy.config.faults import Refused
from inline_proxy.config.key import key
from inline_proxy.config.pem_files import SYSTEM, authorities_file, pem_certificate, pem_private_key
from inline_proxy.config.scalars import (
    LABEL,
    host,
    host_name,
    matching,
    number,
    one_of,
    port,
    text,
    yes_or_no,
)
from inline_proxy.config.values import ListOf, NamesTo, Part, Value

RELAY: Final = "relay"
DEFAULT_ROUTE: Final = "default_route"

WithoutRoute = Literal["relay", "default_route"]
Verdict = Literal["route", "no_route", "refuse", "setup_fault"]
_CODE: Final = re.compile("[1-6][0-9]{2}")
_FIRST_CONFIGURABLE: Final = 300
_FIRST_BLOCK: Final = 600


def answer_code(value: object) -> int:
    """The response code that stands as a name in `answers`: one that is not settled already."""
    if _CODE.fullmatch(text(value)) is None:
        raise Refused
    code = int(text(value))
    if code >= _FIRST_BLOCK:
        raise Refused("is a block, and a block is final whatever is configured")
    if code < _FIRST_CONFIGURABLE:
        raise Refused("is no failure and no redirection")
    return code


def partition() -> Value:
    """A key that takes one DNS label, or null."""
    return Value(
        matching(LABEL),
        wrong="is not one DNS label",
        allowed="letters, digits and hyphens, at most 63 and no dot, or null",
        null=True,
    )


def name(*, allowed: str = "a host name such as sip.clearip.com, not an address") -> Value:
    """A key that takes a host name."""
    return Value(host_name, wrong="is not a host name", allowed=allowed)


@dataclass(frozen=True, slots=True)
class Site:
    """One place where ClearIP answers over TLS."""

    host: str = field(
        metadata=key(
            Value(
                host,
                wrong="is neither an address nor a host name",
                allowed="a host name or an IP address without brackets",
            ),
            "The name or address of the site.",
            example="sip.clearip.com",
        )
    )
    port: int = field(
        default=5061, metadata=key(port(), "The port for SIP over TLS.", example="5061")
    )


@dataclass(frozen=True, slots=True)
class ClearIpTls:
    """How the proxy knows ClearIP, and ClearIP the proxy."""

    ca_file: Path | Literal["system"] = field(
        default=SYSTEM,
        metadata=key(
            Value(
                authorities_file,
                wrong="is not the path of a file",
                allowed="system, or the absolute path of a PEM file with certificates",
            ),
            "The certificate authorities that may vouch for ClearIP; `system`: those of the "
            "distribution.",
            example="/etc/inline-proxy/tls/authorities.pem",
        ),
    )
    server_name: str = field(
        default="sip.clearip.com",
        metadata=key(
            name(),
            "The name asked for in the TLS handshake (SNI), which the certificate must carry.",
            example="sip.clearip.com",
        ),
    )
    certificate: Path | None = field(
        default=None,
        metadata=key(
            pem_certificate(),
            "The client certificate shown to ClearIP, for those who are asked for one.",
            example="/etc/inline-proxy/tls/client.pem",
        ),
    )
    private_key: Path | None = field(
        default=None,
        metadata=key(
            pem_private_key(),
            "The private key of `certificate`; both are given, or neither.",
            example="/etc/inline-proxy/tls/client-key.pem",
        ),
    )


@dataclass(frozen=True, slots=True)
class ClearIp:
    """How ClearIP is reached, and what its answers mean."""

    sites: tuple[Site, ...] = field(
        default=(Site(host="sip.clearip.com", port=5061),),
        metadata=key(
            ListOf(
                Part(Site, allowed="a mapping of host and port"),
                allowed="a list of at least one mapping of host and port",
                at_least=1,
                same=lambda site: (site.host.lower(), site.port),
            ),
            "The places where ClearIP answers, in order of preference.",
            example="[{host: sip.clearip.com, port: 5061}]",
        ),
    )
    domain: str = field(
        default="sip.clearip.com",
        metadata=key(
            name(), "The host of the Request-URI sent to ClearIP.", example="sip.clearip.com"
        ),
    )
    partition: str | None = field(
        default=None,
        metadata=key(
            partition(),
            "The label put before `domain` in the Request-URI, by which ClearIP tells apart what "
            "comes from one address; a trusted source may have its own.",
            example="outbound",
        ),
    )
    tls: ClearIpTls = field(
        default=ClearIpTls(),
        metadata=key(Part(ClearIpTls), "How the proxy knows ClearIP, and ClearIP the proxy."),
    )
    response_timeout_ms: int = field(
        default=2000,
        metadata=key(
            number(100, 32000, wrong="is not a time that works"),
            "How long one site may take, before a provisional response and again after it.",
            unit="milliseconds",
            example="1500",
        ),
    )
    keepalive_s: int = field(
        default=30,
        metadata=key(
            number(1, 3600, wrong="is not a time that works"),
            "How often each site is asked with OPTIONS whether it is there.",
            unit="seconds",
            example="60",
        ),
    )
    on_no_route: WithoutRoute = field(
        default=RELAY,
        metadata=key(
            one_of(RELAY, DEFAULT_ROUTE),
            "What follows ClearIP's 404 or 503, by which it chose no route: the caller gets that "
            "response, or the call goes to `default_route`.",
            example="default_route",
        ),
    )
    on_unavailable: WithoutRoute = field(
        default=RELAY,
        metadata=key(
            one_of(RELAY, DEFAULT_ROUTE),
            "What follows when no site answers, or one answers that the set-up is at fault: the "
            "caller gets a 503 or that response, or the call goes to `default_route`.",
            example="default_route",
        ),
    )
    answers: Mapping[int, Verdict] = field(
        default_factory=dict,
        metadata=key(
            NamesTo(
                one_of("route", "no_route", "refuse", "setup_fault"),
                name=Value(
                    answer_code,
                    wrong="is not a response code",
                    allowed="a response code from 300 to 599",
                ),
                allowed="a mapping of response codes from 300 to 599 to what they mean",
            ),
            "What single response codes mean, where that is something else than in the table of "
            "[clearip-answers.md](clearip-answers.md); a code left out keeps its meaning there.",
            example="{403: refuse, 500: no_route}",
        ),
    )
    own_domains: tuple[str, ...] = field(
        default=("clearip.com",),
        metadata=key(
            ListOf(name(), allowed="a list of domain names", same=str.lower),
            "Further domains of ClearIP's: a Contact in one of them or in `domain`, or at a site, "
            "points back and is no route, unless it is a diversion host or has an alias.",
            example="[clearip.com, clearip.example.net]",
        ),
    )
    diversion_hosts: tuple[str, ...] = field(
        default=("captcha.clearip.com",),
        metadata=key(
            ListOf(
                Value(
                    host,
                    wrong="is neither an address nor a host name",
                    allowed="a host name or an IP address without brackets",
                ),
                allowed="a list of host names and addresses",
                same=str.lower,
            ),
            "The hosts of Contacts that screen suspicious calls: such a call goes there, and when "
            "that fails, nowhere else.",
            example="[captcha.clearip.com, screening.example.net]",
        ),
    )
    to_uri_is_route: bool = field(
        default=False,
        metadata=key(
            yes_or_no(),
            "Whether a Contact that is the To URI is a route; false: it stands for no route, as "
            "in ClearIP's answers that only bring headers.",
            example="true",
        ),
    )
    send_source_device: bool = field(
        default=False,
        metadata=key(
            yes_or_no(),
            "Whether ClearIP gets the caller's address, which the proxy hides, in the header "
            "`P-Source-Device`; one that the caller sent stays as it is.",
            example="true",
        ),
    )
