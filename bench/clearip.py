"""ClearIP's stand-in: a Kamailio that answers queries over TLS, each number in its own way."""

from functools import partial
from pathlib import Path

from bench.places import (
    CARRIER_PORT,
    CLEARIP_PORT,
    CONFIGURATIONS,
    HOST,
    MOST_CONTACTS,
    REFUSED,
    REFUSING_PORT,
    RINGING_PORT,
    RINGS,
    number_after,
)
from inline_proxy.kamailio_process import command
from inline_proxy.lab.certificates import LabFiles
from inline_proxy.lab.children import Children, holds_udp_port

# The sample PASSporT of RFC 8588 §5.1 and its length; nobody verifies it here.
IDENTITY = (
    "eyJhbGciOiJFUzI1NiIsInBwdCI6InNoYWtlbiIsInR5cCI6InBhc3Nwb3J0IiwieDV1IjoiaHR0cHM6Ly9jZXJ0Lm"
    "V4YW1wbGUub3JnL3Bhc3Nwb3J0LmNlciJ9.eyJhdHRlc3QiOiJBIiwiZGVzdCI6eyJ0biI6WyIxMjE1NTU1MTIxMyJd"
    "fSwiaWF0IjoxNDcxMzc1NDE4LCJvcmlnIjp7InRuIjoiMTIxNTU1NTEyMTIifSwib3JpZ2lkIjoiMTIzZTQ1NjctZTg5"
    f"Yi0xMmQzLWE0NTYtNDI2NjU1NDQwMDAwIn0.{'s' * 86};"
    "info=<https://cert.example.org/passport.cer>;alg=ES256;ppt=shaken"
)


def start_clearip(children: Children, directory: Path, files: LabFiles, host: str = HOST) -> None:
    """Start the stand-in in an existing directory, and wait until it listens.

    The carriers that it names are on the same host.
    """
    contacts = " else ".join([*CONTACT_LINES, _RINGS, _ANSWERED_AT_ONCE])
    values = {
        "DIRECTORY": directory,
        "HOST": host,
        "REFUSALS": "\n    ".join(_REFUSAL_LINES),
        "CLEARIP_PORT": CLEARIP_PORT,
        "REFUSING_PORT": REFUSING_PORT,
        "IDENTITY": IDENTITY,
        "CONTACTS": contacts.replace(f"@{HOST}:", f"@{host}:"),
    }
    fill_in("clearip.cfg", directory / "kamailio.cfg", values)
    write_tls(directory, files)
    clearip = children.start(f"ClearIP {host}", command(directory))
    children.wait_for(clearip, partial(holds_udp_port, REFUSING_PORT), "it listened")


def fill_in(name: str, target: Path, values: dict[str, object]) -> None:
    """Copy one of the benchmark's configurations with its values in place."""
    text = (CONFIGURATIONS / name).read_text()
    for key, value in values.items():
        text = text.replace(f"@{key}@", str(value))
    target.write_text(text)


def write_tls(directory: Path, files: LabFiles) -> None:
    """Write what a Kamailio of the benchmark needs for TLS, as a server and as a client."""
    values = {"CERTIFICATE": files.certificate, "PRIVATE_KEY": files.private_key, "CA": files.ca}
    fill_in("tls.cfg", directory / "tls.cfg", dict(values))


def _contact_line(number: str, refusals: int) -> str:
    ports = [REFUSING_PORT] * refusals + [CARRIER_PORT]
    contacts = ", ".join(
        # Each a target of its own: the same URI twice would be tried once.
        f"<sip:$rU@{HOST}:{port};n={place}>;q={1 - place / 100:.2f}"
        for place, port in enumerate(ports)
    )
    return f'if ($var(plan) == "{number}") append_to_reply("Contact: {contacts}\\r\\n");'


CONTACT_LINES = [_contact_line(number_after(count), count) for count in range(MOST_CONTACTS)]
"""What the stand-in answers, by the number that is called; one line for each."""


def _first_of_two(port: int) -> str:
    contacts = f"<sip:$rU@{HOST}:{port}>;q=0.9, <sip:$rU@{HOST}:{REFUSING_PORT}>;q=0.5"
    return f'append_to_reply("Contact: {contacts}\\r\\n");'


_REFUSAL_LINES = [
    f'if ($var(plan) == "{number}") {{ sl_send_reply("{status}", "Refused"); exit; }}'
    for number, status in REFUSED.items()
]
_RINGS = f'if ($var(plan) == "{RINGS}") {_first_of_two(RINGING_PORT)}'
_ANSWERED_AT_ONCE = _first_of_two(CARRIER_PORT)
