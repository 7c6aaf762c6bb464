"""The memory that Kamailio's processes share, and how many connections fit into it."""

SHARED_MEMORY_MB = 512
READ_BUFFER_BYTES = 48 * 1024
"""The largest message; a buffer of this size is part of every connection."""
CONNECTION_BYTES = READ_BUFFER_BYTES + 4 * 1024
"""What a connection is reckoned with: its buffer, and what Kamailio keeps of it."""
ENCRYPTION_BYTES = 64 * 1024
"""What TLS is reckoned with on top, generously: keys, certificates, records on their way."""
_MIB = 1024 * 1024


def most_connections(shared_memory_mb: int = SHARED_MEMORY_MB) -> int:
    """Return how many connections may be open: all of them take half of the memory at most.

    Half of the connections may be encrypted. The rest of the memory is for calls.
    """
    return shared_memory_mb * _MIB // 2 // (CONNECTION_BYTES + ENCRYPTION_BYTES // 2)
