"""Those modules of the stand-in for `KSR` of which nothing but the calls counts."""

# ruff: noqa: D101, D102 - the shapes are Kamailio's, described in ksr.port

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from unit.kemi.fake_ksr import FakeKsr


@dataclass
class _Part:
    ksr: "FakeKsr"


class FakeReplies(_Part):
    def send_reply(self, status: int, reason: str, /) -> int:
        return self.ksr.does("send_reply", status, reason)


class FakeRecordRouting(_Part):
    def record_route_params(self, parameters: str, /) -> int:
        return self.ksr.does("record_route_params", parameters)

    def loose_route(self) -> int:
        return self.ksr.does("loose_route")


class FakeMaxForwards(_Part):
    def process_maxfwd(self, limit: int, /) -> int:
        return self.ksr.does("process_maxfwd", limit)


class FakeResponseChanges(_Part):
    def change_reply_status(self, status: int, reason: str, /) -> int:
        return self.ksr.does("change_reply_status", status, reason)

    def msg_set_buffer(self, message: str, /) -> int:
        return self.ksr.does("msg_set_buffer", message)


class FakeSanity(_Part):
    def sanity_check_defaults(self) -> int:
        return self.ksr.answer("sanity_check_defaults")


class FakeOwnCommands(_Part):
    def exec(self, request: str, /) -> int:
        self.ksr.asked = json.loads(request)["method"]
        return 1

    def response(self) -> str | int | None:
        return json.dumps({"jsonrpc": "2.0", "result": self.ksr.commands.get(self.ksr.asked, [])})


class FakeRequests(_Part):
    def uac_req_send(self) -> int:
        return self.ksr.does("uac_req_send", *self.ksr.sent_values())


class FakeClusterMessages(_Part):
    def handle_message(self) -> int:
        return self.ksr.does("handle_message")


class FakeConnections(_Part):
    def tcp_conid_alive(self, connection: int, /) -> int:
        return 1 if connection in self.ksr.open_connections else -1

    def tcp_close_connection(self) -> int:
        return self.ksr.does("tcp_close_connection")

    def tcp_close_connection_id(self, connection: int, /) -> int:
        self.ksr.open_connections.discard(connection)
        return self.ksr.does("tcp_close_connection_id", connection)

    def tcp_set_connection_lifetime_cid(self, connection: int, lifetime_s: int, /) -> int:
        return self.ksr.does("tcp_set_connection_lifetime_cid", connection, lifetime_s)

    def tcp_set_otcpid(self, connection: int, /) -> int:
        return self.ksr.does("tcp_set_otcpid", connection)

    def tcp_set_otcpid_flag(self, state: int, /) -> int:
        return self.ksr.does("tcp_set_otcpid_flag", state)
