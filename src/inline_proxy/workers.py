"""How many processes Kamailio makes for a host, and why not more."""

import os


def processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0))


def udp_workers(processors: int) -> int:
    """Return the processes that read each UDP socket: one less than processors, one at least.

    The processor that is left reads ClearIP's answers. More would be slower: each worker has a
    Python heap of its own, and a call costs a third more where four of them drive each other's
    out of two processors' caches. None of them ever waits for anything outside.
    """
    return max(1, processors - 1)
