"""Who may have patterns made: each costs milliseconds, and a process has room for few."""

from pathlib import Path

import pytest

from clearip_proxy.callbacks import Callbacks
from clearip_proxy.plain.request import proof_in
from clearip_proxy.plain.shapes import Shapes
from unit.kemi.connected_ksr import connected
from unit.kemi.fake_ksr import FakeKsr
from unit.kemi.test_ksr_plain_calls import CALL, without_events
from unit.kemi.test_plain_requests import BYE, INVITE, TOKEN

SWITCH, STRANGER = "127.0.0.1", "192.0.2.66"
FORGED = BYE.replace(TOKEN, "0" * 20)


@pytest.fixture
def taught(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The messages that a pattern was asked for."""
    texts: list[str] = []

    def learn(_shapes: Shapes, text: str) -> bool:
        texts.append(text)
        return False

    monkeypatch.setattr(Shapes, "learn", learn)
    return texts


def sends(address: str, message: str, directory: Path) -> None:
    """Take a request, in whichever way."""
    ksr = connected(FakeKsr())
    method = message.partition(" ")[0]
    ksr.headers = {"Route": ["<sip:127.0.0.1;lr=on>"]}
    tags: dict[str, str | int] = {} if method == "INVITE" else {"$tt": "called", "$ft": "18-1"}
    ksr.variables |= {**CALL, **tags, "$rm": method, "$si": address, "$mb": message}
    assert Callbacks(ksr, without_events(directory)).ksr_request_route(None) == 1


@pytest.mark.parametrize(
    ("address", "message"),
    [
        (STRANGER, INVITE),
        (STRANGER, FORGED),
        (SWITCH, FORGED),
        (STRANGER, BYE.replace(f";dialog={TOKEN}", "")),
        (STRANGER, BYE.replace(";tag=called", "")),
        (STRANGER, "OPTIONS sip:x SIP/2.0\r\n\r\n"),
    ],
)
def test_who_may_not_send_teaches_nothing(
    address: str, message: str, taught: list[str], tmp_path: Path
) -> None:
    """A flood of ever other header fields would leave the switches without patterns."""
    sends(address, message, tmp_path)

    assert taught == []


@pytest.mark.parametrize(("address", "message"), [(SWITCH, INVITE), (STRANGER, BYE)])
def test_who_may_send_teaches(
    address: str, message: str, taught: list[str], tmp_path: Path
) -> None:
    """A switch that calls, and whoever is in a dialog, from any address."""
    sends(address, message, tmp_path)

    (text,) = taught
    assert text.endswith(message)


def test_proof_is_what_the_token_is_made_from() -> None:
    """As it stands in the message."""
    assert proof_in(BYE) == [TOKEN, "1-18@h", "18-1", "called"]
