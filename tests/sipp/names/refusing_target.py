"""One UDP socket that many calls reach, and that refuses them all."""

import socket
import threading
from typing import Self

from inline_proxy.lab.message import Message, decode, encode

LARGEST = 65_535
STOP = b"stop"
COPIED = ("via", "from", "to", "call-id", "cseq")


class RefusingTarget:
    """Answers every INVITE with a 603."""

    def __init__(self) -> None:
        self.calls: set[str] = set()
        """The Call-IDs of the INVITEs received."""
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, name="refusing-target")

    @property
    def port(self) -> int:
        """Where it is reached."""
        return int(self._socket.getsockname()[1])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.sendto(STOP, ("127.0.0.1", self.port))
        self._thread.join()
        self._socket.close()

    def _serve(self) -> None:
        while (received := self._socket.recvfrom(LARGEST))[0] != STOP:
            message = Message.parse(decode(received[0]))
            if message.method == "INVITE":
                self.calls.add(message.header("call-id"))
                self._socket.sendto(encode(_refusal(message)), received[1])


def _refusal(invite: Message) -> str:
    copied = (
        f"{name}: {value}{';tag=refused' if name == 'to' else ''}"
        for name in COPIED
        for value in invite.headers(name)
    )
    return "\r\n".join(("SIP/2.0 603 Decline", *copied, "Content-Length: 0", "", ""))
