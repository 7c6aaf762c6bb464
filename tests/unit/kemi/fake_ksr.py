"""A stand-in for `KSR` that records the calls that change something, in order.

It satisfies `KsrPort` by type, so a fake that has drifted from Kamailio does not type-check.
"""

# ruff: noqa: D101, D102 - the shapes are Kamailio's, described in ksr.port

import re
from dataclasses import dataclass, field
from typing import Any

from unit.kemi.fake_modules import (
    FakeClusterMessages,
    FakeConnections,
    FakeMaxForwards,
    FakeOwnCommands,
    FakeRecordRouting,
    FakeReplies,
    FakeRequests,
    FakeResponseChanges,
    FakeSanity,
)
from unit.kemi.fake_suspension import FakeAsyncTasks, FakeSuspendedTransactions
from unit.kemi.fake_tables import FakeSharedTables

_VARIABLE = re.compile(
    r"\$hdrc\((?P<counted>\w+)\)|\$xavu\((?P<stored>\w+)\)|\$T_rpl\(\$\w+\)|\$T\(\w+\)|\$\w+"
)
"""A variable in a format, of those that the proxy's formats hold."""


@dataclass
class FakeKsr:
    """What the test says of the request and of Kamailio's answers; `calls` is what was done."""

    variables: dict[str, str | int] = field(default_factory=dict)
    headers: dict[str, list[str]] = field(default_factory=dict)
    returns: dict[str, list[int]] = field(default_factory=dict)
    """Return codes of a function, one per call; 1 when there are none left."""
    undecodable: frozenset[str] = frozenset()
    """Pseudo-variables, and header fields as `name[0]`, whose value is not UTF-8."""
    longest_format: int = 1 << 20
    """Characters; a longer one is no value at all."""
    calls: list[tuple[Any, ...]] = field(default_factory=list)
    stored: dict[str, str] = field(default_factory=dict)
    logged: list[str] = field(default_factory=list)
    faults: int = 0
    """How many of the lines were logged as errors."""
    open_connections: set[int] = field(default_factory=set)
    tables: dict[str, dict[str, str | int]] = field(default_factory=dict)
    commands: dict[str, Any] = field(default_factory=dict)
    """What Kamailio's RPC answers, by method."""
    asked: str = ""
    """The method that it was asked for last."""
    task: str = ""
    """What the last task was given."""

    def does(self, *call: str | int) -> int:
        """Record a call and return the code that the test has set."""
        self.calls.append(call)
        codes = self.returns.get(str(call[0]), [])
        return codes.pop(0) if codes else 1

    def answer(self, name: str) -> int:
        """Return the code of a function that only tells something."""
        codes = self.returns.get(name, [])
        return codes[0] if codes else 1

    def sent_values(self) -> tuple[str | int, ...]:
        """Return method and Request-URI of the request that is being sent."""
        return (self.variables["$uac_req(method)"], self.variables["$uac_req(ruri)"])

    def names(self) -> list[str]:
        """Return the names of the functions called, in order."""
        return [call[0] for call in self.calls]

    @property
    def pv(self) -> "FakePseudoVariables":
        return FakePseudoVariables(self)

    @property
    def pvx(self) -> "FakeScriptVariables":
        return FakeScriptVariables(self)

    @property
    def hdr(self) -> "FakeHeaders":
        return FakeHeaders(self)

    @property
    def tm(self) -> "FakeTransactions":
        return FakeTransactions(self)

    @property
    def sl(self) -> FakeReplies:
        return FakeReplies(self)

    @property
    def rr(self) -> FakeRecordRouting:
        return FakeRecordRouting(self)

    @property
    def maxfwd(self) -> FakeMaxForwards:
        return FakeMaxForwards(self)

    @property
    def sanity(self) -> FakeSanity:
        return FakeSanity(self)

    @property
    def textopsx(self) -> FakeResponseChanges:
        return FakeResponseChanges(self)

    @property
    def xlog(self) -> "FakeLogging":
        return FakeLogging(self)

    @property
    def htable(self) -> FakeSharedTables:
        return FakeSharedTables(self.tables, self.variables)

    def seturi(self, uri: str, /) -> bool:
        self.variables["$ru"] = uri
        return self.does("seturi", uri) > 0

    @property
    def tmx(self) -> FakeSuspendedTransactions:
        return FakeSuspendedTransactions(self)

    @property
    def tcpops(self) -> FakeConnections:
        return FakeConnections(self)

    @property
    def uac(self) -> FakeRequests:
        return FakeRequests(self)

    @property
    def jsonrpcs(self) -> FakeOwnCommands:
        return FakeOwnCommands(self)

    @property
    def dmq(self) -> FakeClusterMessages:
        return FakeClusterMessages(self)

    def set_drop(self) -> None:
        self.does("set_drop")

    def set_forward_no_connect(self) -> bool:
        return self.does("set_forward_no_connect") > 0

    def setdsturi(self, uri: str, /) -> bool:
        return self.does("setdsturi", uri) > 0

    def __getattr__(self, name: str) -> FakeAsyncTasks:
        """`async` is a keyword: it cannot be written as a property."""
        if name != "async":
            raise AttributeError(name)
        return FakeAsyncTasks(self)


@dataclass
class _Part:
    ksr: FakeKsr


class FakePseudoVariables(_Part):
    def get(self, name: str, /) -> str | int | None:
        if name in self.ksr.undecodable:
            raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")
        if name.startswith("$_s("):
            printed = _VARIABLE.sub(self._printed, name[len("$_s(") : -1])
            return printed if len(printed) <= self.ksr.longest_format else None
        return self.ksr.variables.get(name)

    def _printed(self, variable: re.Match[str]) -> str:
        """Print a variable as Kamailio does in a format."""
        counted, stored = variable["counted"], variable["stored"]
        if counted:
            return str(len(self.ksr.headers.get(counted, [])))
        if stored:
            return self.ksr.stored.get(stored, "<null>")
        value = self.get(variable[0])
        return "<null>" if value is None else str(value)

    def sets(self, name: str, value: str, /) -> bool:
        self.ksr.variables[name] = value
        return True

    def seti(self, name: str, value: int, /) -> bool:
        self.ksr.variables[name] = value
        return True

    def unset(self, name: str, /) -> bool:
        self.ksr.variables.pop(name, None)
        return self.ksr.does("unset", name) > 0


class FakeScriptVariables(_Part):
    def var_sets(self, name: str, value: str, /) -> int:
        value.encode()  # Kamailio takes text only
        self.ksr.variables[f"$var({name})"] = value
        return 1

    def xavp_child_sets(self, root: str, name: str, value: str, /) -> int:
        return self.ksr.does("xavp_child_sets", root, name, value)

    def xavu_sets(self, name: str, value: str, /) -> int:
        self.ksr.stored[name] = value
        return 1

    def xavu_get(self, name: str, /) -> str | int | None:
        return self.ksr.stored.get(name)


class FakeHeaders(_Part):
    def append(self, header: str, /) -> int:
        return self.ksr.does("append", header)

    def append_to_reply(self, header: str, /) -> int:
        return self.ksr.does("append_to_reply", header)

    def remove(self, name: str, /) -> int:
        return self.ksr.does("remove", name)

    def get_idx(self, name: str, index: int, /) -> str | int | None:
        if f"{name}[{index}]" in self.ksr.undecodable:
            raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid start byte")
        values = self.ksr.headers.get(name, [])
        return values[index] if index < len(values) else None


class FakeTransactions(_Part):
    def t_newtran(self) -> int:
        return self.ksr.does("t_newtran")

    def t_relay(self) -> int:
        return self.ksr.does("t_relay")

    def t_check_trans(self) -> int:
        return self.ksr.does("t_check_trans")

    def t_is_canceled(self) -> int:
        codes = self.ksr.returns.get("t_is_canceled", [])
        return (codes.pop(0) if len(codes) > 1 else codes[0]) if codes else -1

    def t_on_failure(self, callback: str, /) -> int:
        return self.ksr.does("t_on_failure", callback)

    def t_on_branch(self, callback: str, /) -> int:
        return self.ksr.does("t_on_branch", callback)

    def t_on_reply(self, callback: str, /) -> int:
        return self.ksr.does("t_on_reply", callback)

    def t_set_fr(self, answer_timeout_ms: int, no_response_timeout_ms: int, /) -> int:
        return self.ksr.does("t_set_fr", answer_timeout_ms, no_response_timeout_ms)

    def t_set_disable_internal_reply(self, state: int, /) -> int:
        return self.ksr.does("t_set_disable_internal_reply", state)

    def t_get_status_code(self) -> int:
        return self.ksr.answer("t_get_status_code")


class FakeLogging(_Part):
    """Replaces, once, the variables that the proxy's formats hold."""

    def xnotice(self, line_format: str, /) -> int:
        return self._log(line_format)

    def xerr(self, line_format: str, /) -> int:
        self.ksr.faults += 1
        return self._log(line_format)

    def _log(self, line_format: str) -> int:
        held = {
            "$(ci{s.substr,0,128})": str(self.ksr.variables.get("$ci", "")),
            "$var(text)": str(self.ksr.variables.get("$var(text)", "")),
            "$$": "$",
        }
        names = "|".join(re.escape(name) for name in sorted(held))
        self.ksr.logged.append(re.sub(names, lambda found: held[found[0]], line_format))
        return 1
