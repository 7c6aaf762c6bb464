"""Many calls at once, from one address and without SIPp."""

from inline_proxy.lab.message import Message
from sipp.place import Callee
from sipp.raw_request import RawCaller, request


def call(proxy: Callee, number: str, index: int, method: str = "INVITE", **changed: str) -> str:
    """One of many different calls to a number, or its ACK."""
    place = proxy.place("udp", ipv6=False)
    text = request(method, number, place, **({"call_id": f"{number}-raw{index}"} | changed))
    return text.replace(f"{number}.raw", f"{number}.raw{index}")


def finals(caller: RawCaller, count: int) -> list[Message]:
    """The first final response to each of so many calls."""
    heard: dict[str, Message] = {}
    while len(heard) < count:
        message = caller.hear_final()
        heard.setdefault(message.header("call-id"), message)
    return list(heard.values())
