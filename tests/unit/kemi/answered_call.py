"""One call that the second target answers, callback by callback, and what each of them takes.

Counted, not timed: calls into Kamailio, and instructions of Python in the proxy's own code.
"""

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any, NamedTuple, cast

from clearip_proxy import callbacks
from clearip_proxy.callbacks import Callbacks
from clearip_proxy.dialog_token import DialogKeys
from clearip_proxy.ksr.port import KsrPort
from clearip_proxy.policy import RoutingPolicy, policy_from
from unit.kemi.connected_ksr import connected
from unit.kemi.fake_ksr import FakeKsr

GOLDEN = Path(__file__).parents[1] / "operator" / "golden" / "minimal" / "proxy.json"
CORE = str(Path(callbacks.__file__).parent)
KEYS = DialogKeys((b"a key",))
PASSPORT = f"{'h' * 120}.{'c' * 240}.{'s' * 86};info=<https://cert.example.org/p.cer>;alg=ES256"
RESPONSE = f"""SIP/2.0 302 Moved Temporarily
Via: SIP/2.0/TLS 127.0.0.1:5061;branch=z9hG4bKcydzigwkX;i=1
Via: SIP/2.0/UDP 127.0.0.1:6100;branch=z9hG4bK-18-1-0
From: <sip:+14045550150@127.0.0.1:6100>;tag=18-1
To: <sip:+14045550199@127.0.0.1:5060>;tag=a6a1c5f60faecf03
Call-ID: 1-18@127.0.0.1
CSeq: 1 INVITE
Contact: <sip:+14045550199@192.0.2.1:7002>;q=0.9, <sip:+14045550199@192.0.2.2:7003>;q=0.5
Identity: {PASSPORT}
Content-Length: 0

""".replace("\n", "\r\n")
REFUSAL = RESPONSE.replace("302 Moved Temporarily", "503 Service Unavailable")
HEAD = """{} SIP/2.0
Via: SIP/2.0/UDP 127.0.0.1:6100;branch=z9hG4bK-18-1-0
{}From: <sip:+14045550150@127.0.0.1:6100>;tag=18-1
To: <sip:+14045550199@127.0.0.1:5060>{}
Call-ID: 1-18@127.0.0.1
CSeq: 1 {}
Contact: <sip:caller@127.0.0.1:6100>
P-Asserted-Identity: <sip:+14045550150@127.0.0.1>
Max-Forwards: 70
Content-Length: 0

""".replace("\n", "\r\n")
VARIABLES: dict[str, str | int] = {
    "$ou": "sip:+14045550199@127.0.0.1:5060",
    "$tu": "sip:+14045550199@127.0.0.1:5060",
    "$fu": "sip:+14045550150@127.0.0.1:6100",
    "$si": "127.0.0.1",
    "$ml": 300,
    "$ci": "1-18@127.0.0.1",
    "$ft": "18-1",
    "$conid": 7,
    "$T(id_index)": 4660,
    "$T(id_label)": 99,
}


class Taken(NamedTuple):
    """What a callback takes."""

    ksr_calls: int
    instructions: int


class CountedPart:
    """A part of `KSR` that counts how often its functions are called."""

    def __init__(self, part: object, calls: list[str]) -> None:
        self._part = part
        self._calls = calls

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the part has
        found = getattr(self._part, name)
        return self._counting(name, found) if callable(found) else CountedPart(found, self._calls)

    def _counting(self, name: str, function: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object) -> object:
            self._calls.append(name)
            return function(*arguments)

        return call


def policy(events: Path) -> RoutingPolicy:
    """The default configuration's, with its events kept in a directory, as if it lay in memory."""
    default = policy_from(json.loads(GOLDEN.read_text()))
    return replace(default, dialog_keys=KEYS, events=str(events), event_memory=str(events))


class RelayingKsr(FakeKsr):
    """Runs the branch route while it relays, as Kamailio does."""

    armed = ""
    proxy: Callbacks

    def does(self, *call: str | int) -> int:
        """Record a call; run what has been armed."""
        if call[0] == "t_on_branch":
            self.armed = str(call[1])
        if call[0] == "t_relay" and self.armed:
            getattr(self.proxy, self.armed)(None)
        return super().does(*call)


class AnsweredCall:
    """A call in its third round: whatever is remembered of the first is known."""

    def __init__(self, events: Path) -> None:
        self.calls: list[str] = []
        self._ksr = RelayingKsr()
        connected(self._ksr)
        self._proxy = Callbacks(cast("KsrPort", CountedPart(self._ksr, self.calls)), policy(events))
        self._ksr.proxy = self._proxy
        self._instructions = 0

    def take(self) -> dict[str, Taken]:
        """Take the call through its callbacks, and tell what each has taken."""
        for _ in range(2):
            self._round()
        return self._round()

    def _round(self) -> dict[str, Taken]:
        self._ksr.headers = {"P-Asserted-Identity": ["<sip:+14045550150@127.0.0.1>"]}
        self._about("INVITE", "")
        taken = {"INVITE": self._counted(self._proxy.ksr_request_route)}
        self._ksr.variables |= {"$rs": 302, "$T_rpl($mb)": RESPONSE}
        taken["302"] = self._counted(self._proxy.ksr_reply_clearip)
        taken["search"] = self._counted(self._proxy.ksr_failure_clearip)
        self._ksr.variables |= {"$rs": 503, "$T_rpl($mb)": REFUSAL}
        taken["503"] = self._counted(self._proxy.ksr_failure_target)
        self._ksr.variables["$rs"] = 200
        taken["200"] = self._counted(self._proxy.ksr_reply_target)
        token = KEYS.token(str(VARIABLES["$ci"]), str(VARIABLES["$ft"]))
        self._ksr.headers = {"Route": [f"<sip:127.0.0.1;lr;dialog={token}>"]}
        for method in ("ACK", "BYE"):
            self._about(method, "called")
            self._ksr.returns["t_check_trans"] = [-1]  # no response of the proxy's own
            taken[method] = self._counted(self._proxy.ksr_request_route)
        return taken

    def _about(self, method: str, to_tag: str) -> None:
        route = "".join(f"Route: {value}\r\n" for value in self._ksr.headers.get("Route", []))
        begins, tag = f"{method} {VARIABLES['$ou']}", f";tag={to_tag}" if to_tag else ""
        message = HEAD.format(begins, route, tag, method)
        about: dict[str, str | int] = {
            "$rm": method,
            "$tt": to_tag,
            "$ru": VARIABLES["$ou"],
            "$mb": message,
        }
        about["$ml"] = len(message)
        self._ksr.variables = {**VARIABLES, **about}
        self._ksr.armed = ""

    def _counted(self, callback: Callable[[object], int]) -> Taken:
        self.calls.clear()
        with self._instructions_counted():
            assert callback(None) == 1
        assert self._ksr.faults == 0, self._ksr.logged[-1]
        return Taken(len(self.calls), self._instructions)

    @contextmanager
    def _instructions_counted(self) -> Iterator[None]:
        """Count what the interpreter executes of the proxy's own code."""
        self._instructions = 0
        before = sys.gettrace()
        sys.settrace(self._trace)
        try:
            yield
        finally:
            sys.settrace(before)

    def _trace(self, frame: FrameType, event: str, _argument: object) -> Any:  # noqa: ANN401
        if not frame.f_code.co_filename.startswith(CORE):
            return None
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        self._instructions += event == "opcode"
        return self._trace
