"""What waits in UDP sockets, as Linux prints it."""

import os
import socket

from clearip_proxy.process.socket_queue import fullest_queue_bytes, udp_tables

TABLE = """  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt
  11: 0100007F:13C4 00000000:0000 07 00000000:00000900 00:00000000 00000000     0        0 1 2 0 0
  12: 0200007F:13C4 00000000:0000 07 00000000:00012000 00:00000000 00000000     0        0 1 2 0 0
  13: 0100007F:0035 00000000:0000 07 00000000:00FF0000 00:00000000 00000000     0        0 1 2 0 0
"""


def test_fullest_socket_of_the_ports_counts() -> None:
    """Sockets of others do not."""
    assert fullest_queue_bytes([TABLE], frozenset({5060})) == 0x12000
    assert fullest_queue_bytes([TABLE], frozenset({5061})) == 0


def test_datagram_that_nobody_reads_is_seen() -> None:
    """In the table of this machine."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as reader,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as writer,
    ):
        reader.bind(("127.0.0.1", 0))
        port = reader.getsockname()[1]
        assert fullest_queue_bytes(udp_tables(), frozenset({port})) == 0
        writer.sendto(os.urandom(1000), reader.getsockname())

        assert fullest_queue_bytes(udp_tables(), frozenset({port})) >= 1000
