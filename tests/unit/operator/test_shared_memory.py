"""How many connections Kamailio takes, and whether they fit into its memory."""

import re
from pathlib import Path

import pytest

from inline_proxy.shared_memory import (
    CONNECTION_BYTES,
    ENCRYPTION_BYTES,
    READ_BUFFER_BYTES,
    SHARED_MEMORY_MB,
    most_connections,
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
    assert plain + encrypted <= SHARED_MEMORY_MB * 1024 * 1024 // 2


def test_number_of_connections_follows_the_memory() -> None:
    """Twice the memory holds twice as many; thousands fit into the usual one."""
    assert most_connections(1024) // 2 == most_connections(512)
    assert 2_000 < most_connections() < 5_000
