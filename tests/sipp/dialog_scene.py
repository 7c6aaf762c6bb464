"""A call that is up, and what a request inside its dialog must hold to pass."""

from dataclasses import dataclass

from inline_proxy.lab.message import Message
from sipp.place import Place
from sipp.raw_request import request
from sipp.role import Role


@dataclass(frozen=True, slots=True)
class Dialog:
    """What the caller knows of its dialog with a target."""

    call_id: str
    local: str
    """The From of the caller's requests."""
    remote: str
    """Their To."""
    routes: tuple[str, ...]
    """Their route set, in the order of the Route header fields."""

    def request(self, method: str, number: str, proxy: Place, uri: str, **changed: str) -> str:
        """A request of the caller's inside the dialog; `route` among the changes replaces all."""
        route = changed.pop("route", ", ".join(self.routes))
        usual = {"from": self.local, "to": self.remote, "call_id": self.call_id, "uri": uri}
        return request(method, number, proxy, f"Route: {route}", **(usual | changed))


def dialog_of(caller: Role) -> Dialog:
    """The dialog that a caller's call has begun; its 200 has arrived."""
    answer: Message = caller.wait_for(200).received(200)[0]
    routes = answer.headers("record-route")
    each = [route.strip() for value in reversed(routes) for route in reversed(value.split(","))]
    return Dialog(answer.header("call-id"), answer.header("from"), answer.header("to"), tuple(each))
