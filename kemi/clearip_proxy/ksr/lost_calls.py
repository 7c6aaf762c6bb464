"""Telling the calls that wait on a connection that it is gone (docs/adr/0011)."""

import socket
from contextlib import suppress

from clearip_proxy.ksr.sites import KsrSites
from clearip_proxy.location.locating import Address
from clearip_proxy.sites.lost_calls import lost

CONNECT_S = 1.0
"""What a connection to the proxy itself may take."""


class CallsOfLostConnections:
    """Sends the proxy the responses that the lost connection cannot bring any more."""

    def __init__(self, sites: KsrSites, receives_at: Address | None) -> None:
        self._sites = sites
        self._receives_at = receives_at

    def tell(self, connection: int) -> int:
        """Let the calls that wait on a connection go on; return how many there were.

        Where the proxy has no listener that takes a response, they go on when their time is over.
        """
        waiting = self._sites.waiting_on(connection)
        if waiting and self._receives_at is not None:
            responses = [response.encode() for each in waiting for response in lost(each)]
            with suppress(OSError):  # their time will be over
                _send(responses, self._receives_at)
        return len(waiting)


def _send(responses: list[bytes], place: Address) -> None:
    endpoint = (place.host, place.port)
    if place.transport == "tcp":
        with socket.create_connection(endpoint, CONNECT_S) as connection:
            connection.sendall(b"".join(responses))
        return
    family = socket.AF_INET6 if ":" in place.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_DGRAM) as sender:
        for response in responses:
            sender.sendto(response, endpoint)
