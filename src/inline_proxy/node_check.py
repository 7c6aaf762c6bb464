"""Whether this node works: keepalived asks every second, so it is one file that loads little.

    node_check.py answers TRANSPORT,ADDRESS,PORT RUNTIME    Kamailio answers OPTIONS there; on a
                                                            node without the address, its RPC
    node_check.py takes-calls RUNTIME                       /healthz says that calls are taken

The exit code is 0 for yes and 1 for no.
"""

import json
import os
import socket
import sys

ONE_TRY_S = 0.4
TRIES = 3
PATIENCE_S = 1.5
STATUS_SOCKET, CONTROL_SOCKET = "status.sock", "control.sock"


def answers(listener: str, runtime: str) -> bool:
    """Tell whether Kamailio answers; a datagram may be lost, and is sent again."""
    if listener == "none":
        return answers_rpc(runtime)
    transport, address, port = listener.split(",")
    kind = socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, kind) as asking:
        asking.settimeout(ONE_TRY_S)
        try:
            asking.bind((address, 0))
        except OSError:  # the address is on another node
            return answers_rpc(runtime)
        to = (address, int(port))
        try:
            asking.connect(to)
        except OSError:
            return False
        return any(_is_answered(asking, transport, to) for _ in range(TRIES))


def _is_answered(asking: socket.socket, transport: str, to: "tuple[str, int]") -> bool:
    try:
        asking.sendall(_options(transport, asking.getsockname(), to))
        return asking.recv(4096).startswith(b"SIP/2.0 ")
    except OSError:
        return False


def _options(transport: str, own: "tuple[str, int]", to: "tuple[str, int]") -> bytes:
    host, called = (f"[{each[0]}]" if ":" in each[0] else each[0] for each in (own, to))
    mark = os.urandom(8).hex()
    lines = (
        f"OPTIONS sip:{called}:{to[1]} SIP/2.0",
        f"Via: SIP/2.0/{transport.upper()} {host}:{own[1]};rport;branch=z9hG4bK{mark}",
        "Max-Forwards: 1",
        f"From: <sip:check@{host}>;tag={mark}",
        f"To: <sip:{called}:{to[1]}>",
        f"Call-ID: {mark}@{host}",
        "CSeq: 1 OPTIONS",
        "Content-Length: 0",
    )
    return "\r\n".join((*lines, "", "")).encode()


def answers_rpc(runtime: str) -> bool:
    """Tell whether Kamailio answers on its control socket."""
    question = {"jsonrpc": "2.0", "method": "core.uptime", "id": os.urandom(8).hex()}
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as asking:
        asking.settimeout(PATIENCE_S)
        try:
            asking.bind("")
            asking.sendto(json.dumps(question).encode(), f"{runtime}/{CONTROL_SOCKET}")
            return question["id"].encode() in asking.recv(65_536)
        except OSError:
            return False


def takes_calls(runtime: str) -> bool:
    """Tell whether the observer says that some ClearIP site is up and nobody drains the node."""
    with socket.socket(socket.AF_UNIX) as asking:
        asking.settimeout(PATIENCE_S)
        try:
            asking.connect(f"{runtime}/{STATUS_SOCKET}")
            asking.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
            return asking.recv(64).split(b" ")[1:2] == [b"200"]
        except OSError:
            return False


def main(arguments: "list[str]") -> int:
    """Ask what the arguments say."""
    match arguments:
        case ["answers", listener, runtime]:
            is_well = answers(listener, runtime)
        case ["takes-calls", runtime]:
            is_well = takes_calls(runtime)
        case _:
            is_well = False
    return 0 if is_well else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
