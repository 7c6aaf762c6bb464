"""How many connections Kamailio takes, and whether they fit into its memory."""

import re
from pathlib import Path

import pytest

from inline_proxy.shared_memory import (
    CONNECTION_BYTES,
    ENCRYPTION_BYTES,
    LEAST_MB,
    READ_BUFFER_BYTES,
    host_memory_bytes,
    most_connections,
    shared_memory_mb,
)

GOLDEN = Path(__file__).parent / "golden"


@pytest.mark.parametrize("name", ["minimal", "everything"])
def test_rendered_connections_fit_into_half_of_the_memory(name: str) -> None:
    """A buffer for each, and TLS for as many as may have it, leave the other half to calls."""
    text = (GOLDEN / name / "kamailio.cfg").read_text()
    numbers = {key: int(value) for key, value in re.findall(r"^(\w+)=(\d+)$", text, re.MULTILINE)}

    assert numbers["tcp_rd_buf_size"] == READ_BUFFER_BYTES
    plain = numbers["tcp_max_connections"] * CONNECTION_BYTES
    encrypted = numbers["tls_max_connections"] * ENCRYPTION_BYTES
    assert plain + encrypted <= LEAST_MB * 1024 * 1024 // 2


def test_number_of_connections_follows_the_memory() -> None:
    """Twice the memory holds twice as many; thousands fit into the usual one."""
    assert most_connections(1024) // 2 == most_connections(512)
    assert 2_000 < most_connections() < 5_000


@pytest.mark.parametrize(
    ("host_gib", "shared_mb"), [(0.5, 512), (1, 512), (2, 512), (3, 768), (4, 1024), (64, 1024)]
)
def test_memory_follows_the_host_within_bounds(host_gib: float, shared_mb: int) -> None:
    """A small host starts all the same: the kernel gives what is used."""
    assert shared_memory_mb(int(host_gib * 1024**3)) == shared_mb


def test_this_host_tells_how_much_it_has() -> None:
    """Without /proc/meminfo, which the service does not see."""
    total_kb = int(re.findall(r"MemTotal: +(\d+)", Path("/proc/meminfo").read_text())[0])

    assert host_memory_bytes() == pytest.approx(total_kb * 1024, rel=0.01)
