"""Where everybody listens; in a network namespace of the benchmark's own."""

from pathlib import Path
from typing import Final

HOST: Final = "127.0.0.1"
PROXY_PORT: Final = 5060
PROXY_TLS_PORT: Final = 5061
CLEARIP_PORT: Final = 6061
REFUSING_PORT: Final = 7003
CARRIER_PORT: Final = 7002
CALLER_PORT: Final = 6100
RINGING_PORT: Final = 7204

CONFIGURATIONS: Final = Path(__file__).parent / "kamailio"
"""What native Kamailio and ClearIP's stand-in run."""

MOST_CONTACTS: Final = 12


def number_after(refusals: int) -> str:
    """Give the number for which ClearIP's stand-in names so many refusing targets first.

    The caller adds the number of the call: no two calls have the same URIs, as in life.
    """
    return f"+140455501{refusals:02}"


ANSWERED_AT_ONCE: Final = "+14045550199"
"""The number for which it names two targets, and the first answers."""
RINGS: Final = "+14045550198"
"""The number for which the first target rings until the caller gives up."""
REFUSED: Final = {"+14045550197": 603, "+14045550196": 404, "+14045550195": 503}
"""The numbers with which it refuses, and the code for each."""
