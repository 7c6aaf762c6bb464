"""The plain ACK or BYE in Kamailio: what the short way does is what the general one does."""

from pathlib import Path

import pytest

from clearip_proxy.callbacks import Callbacks
from unit.kemi.fake_ksr import FakeKsr
from unit.kemi.test_ksr_plain_calls import CALL, GENERAL, without_events
from unit.kemi.test_plain_requests import BYE, TOKEN


@pytest.mark.parametrize("method", ["ACK", "BYE"])
@pytest.mark.parametrize(
    "returns",
    [{}, {"t_check_trans": [0]}, {"loose_route": [-1]}, {"t_relay": [-1]}],
    ids=["passes", "absorbed", "routeless", "unsendable"],
)
def test_request_in_a_dialog_goes_the_general_way_shorter(
    method: str, returns: dict[str, list[int]], tmp_path: Path
) -> None:
    """From an address that nobody trusts, as any carrier's is."""
    done = []
    for undecodable in (frozenset[str](), GENERAL):
        ksr = FakeKsr(undecodable=undecodable)
        ksr.returns = {name: list(codes) for name, codes in returns.items()}
        ksr.headers = {"Route": [f"<sip:127.0.0.1;lr=on;dialog={TOKEN}>"]}
        about = {"$rm": method, "$tt": "called", "$si": "192.0.2.66", "$ft": "18-1"}
        ksr.variables |= {**CALL, **about, "$mb": BYE.replace("BYE", method)}
        assert Callbacks(ksr, without_events(tmp_path)).ksr_request_route(None) == 1
        done.append((ksr.calls, ksr.logged))

    assert done[0] == done[1]
