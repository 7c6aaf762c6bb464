"""The memory that Kamailio's processes share, and how many connections fit into it."""

import os

LEAST_MB = 512
MOST_MB = 1024
"""20,000 calls that ring, and as many connections as there may be, fill three quarters of it."""
SHARE_OF_HOST = 4
"""The kernel gives what is used; a quarter of the host's memory leaves it the rest at any time."""
READ_BUFFER_BYTES = 48 * 1024
"""The largest message; a buffer of this size is part of every connection."""
CONNECTION_BYTES = READ_BUFFER_BYTES + 4 * 1024
"""What a connection is reckoned with: its buffer, and what Kamailio keeps of it."""
ENCRYPTION_BYTES = 64 * 1024
"""What TLS is reckoned with on top, generously: keys, certificates, records on their way."""
_MIB = 1024 * 1024


def shared_memory_mb(host_bytes: int) -> int:
    """Return how much of a host's memory Kamailio's processes share."""
    return max(LEAST_MB, min(host_bytes // _MIB // SHARE_OF_HOST, MOST_MB))


def host_memory_bytes() -> int:
    """Return how much memory this host has."""
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def most_connections(shared_memory_mb: int = LEAST_MB) -> int:
    """Return how many connections may be open: all of them take half of the memory at most.

    Half of the connections may be encrypted. The rest of the memory is for calls.
    """
    return shared_memory_mb * _MIB // 2 // (CONNECTION_BYTES + ENCRYPTION_BYTES // 2)
