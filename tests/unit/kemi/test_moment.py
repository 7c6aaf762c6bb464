"""The two clocks."""

from clearip_proxy.moment import this_moment


def test_later_moment_is_never_earlier() -> None:
    """The monotonic clock does not go back, and both move in one direction here."""
    first, second = this_moment(), this_moment()

    assert second.monotonic_ms >= first.monotonic_ms > 0
    assert second.unix_s > 1_700_000_000
