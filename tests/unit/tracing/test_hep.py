"""HEPv3 packets: written, read, refused."""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inline_proxy.tracing.hep import Copy, Endpoint, NoHep, decode, encode

COPY = Copy(
    1_700_000_000.25,
    Endpoint(ip_address("192.0.2.1"), 5060),
    Endpoint(ip_address("192.0.2.2"), 5061),
    "tls",
    b"INVITE sip:x SIP/2.0\r\n\r\n",
)
PACKET = (
    bytes.fromhex(
        "48455033 007b"
        "0000 0001 0007 02"
        "0000 0002 0007 16"
        "0000 0003 000a c0000201"
        "0000 0004 000a c0000202"
        "0000 0007 0008 13c4"
        "0000 0008 0008 13c5"
        "0000 0009 000a 6553f100"
        "0000 000a 000a 0003d090"
        "0000 000b 0007 01"
        "0000 000c 000a 00000001"
        "0000 000f 001e"
    )
    + b"INVITE sip:x SIP/2.0\r\n\r\n"
)


def test_packet_is_as_the_specification_draws_it() -> None:
    """Byte by byte."""
    assert encode(COPY).hex() == PACKET.hex()


def test_ipv6_has_chunks_of_its_own() -> None:
    """And what was written is read."""
    v6 = Endpoint(ip_address("2001:db8::1"), 5060)
    copy = Copy(1.5, v6, v6, "udp", b"x")

    assert decode(encode(copy)) == copy
    assert str(v6) == "[2001:db8::1]:5060"


def test_packet_is_read() -> None:
    """With the chunks of other vendors passed over."""
    foreign = bytes.fromhex("0001 000f 0007 00")
    longer = PACKET[:4] + (len(PACKET) + len(foreign)).to_bytes(2, "big") + PACKET[6:] + foreign

    assert decode(PACKET) == decode(longer) == COPY


@given(st.one_of(st.binary(), st.binary().map(lambda rest: b"HEP3" + rest)))
def test_anything_else_is_refused(data: bytes) -> None:
    """The port is open to every process of the host."""
    with pytest.raises(NoHep):
        decode(data)


@given(st.integers(0, len(PACKET) - 1), st.integers(0, 255))
def test_broken_packet_is_read_or_refused(position: int, byte: int) -> None:
    """One byte is another one."""
    broken = PACKET[:position] + bytes([byte]) + PACKET[position + 1 :]

    try:
        decode(broken)
    except NoHep:
        return


def test_message_too_large_for_a_packet_is_refused() -> None:
    """The length has 16 bits."""
    with pytest.raises(NoHep):
        encode(Copy(1.0, COPY.source, COPY.destination, "tcp", b"x" * 65_500))
