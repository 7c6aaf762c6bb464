"""How the ClearIP sites are, as the operator's command reads it from Kamailio's shared tables.

`STATUS` holds one entry per address of a site, and one for a site without a known address. Its
key is the URI that messages are sent to; its value is a JSON object:

    {"site": "sip:sip.clearip.com:5061;transport=tls", "preference": 1, "state": "up",
     "reason": "its certificate is for sip.clearip.com", "since": 1790000000}

`preference` counts from 1, the site that is asked first. `since` is in seconds since 1970 and
tells when the state was entered. The keeper's process alone writes this table, within a tick of
what has happened.

`COUNTS` holds integers since Kamailio started, with the keys `<URI> <what>`: a status code of three
digits for the final responses to INVITEs, `unanswered` for INVITEs that stayed without one,
`lost` for those whose connection went while they waited, `connections` for connections verified.
What never happened has no entry.
"""

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self

STATUS = "site_status"
COUNTS = "site_counts"


class SiteState(StrEnum):
    """What may be sent to a site."""

    UP = "up"
    """Calls: its connection is verified."""
    RESTING = "resting"
    """No call: it has left some in a row without an answer."""
    PROBING = "probing"
    """One call, which is to show whether it answers again."""
    CONNECTING = "connecting"
    """Nothing yet: a connection is being made."""
    UNVERIFIED = "unverified"
    """Nothing: its certificate's chain or name is not what the configuration asks for."""
    DOWN = "down"
    """Nothing: there is no connection."""


class Count(StrEnum):
    """What is counted besides the final responses, which are counted by their status code."""

    UNANSWERED = "unanswered"
    LOST = "lost"
    CONNECTIONS = "connections"


@dataclass(frozen=True, slots=True)
class SiteStatus:
    """One entry of `STATUS`."""

    site: str
    preference: int
    state: SiteState
    reason: str
    since: int

    def to_text(self) -> str:
        """Return the text that the table holds."""
        return json.dumps(asdict(self))

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Read what `to_text` wrote.

        Raises `ValueError`, `TypeError` or `KeyError` for anything else.
        """
        values: dict[str, Any] = json.loads(text)
        return cls(**{**values, "state": SiteState(values["state"])})


def count_key(uri: str, what: Count | int) -> str:
    """Return the key of a count; `what` may be a status code."""
    return f"{uri} {what}"
