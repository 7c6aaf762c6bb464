"""Calls do not need the disk, and what it did not take is written when it can be."""

from collections.abc import Iterator

import pytest

from hosts.fresh_host import FreshHost
from hosts.neighbours import Neighbours
from hosts.waiting import wait_until

pytestmark = pytest.mark.timeout(900)
LOGS = "/var/log/inline-proxy"
WRITABLE = (
    'python3 -c "import urllib.request as u; '
    "print(u.urlopen('http://127.0.0.1:8080/metrics').read().decode())\" "
    "| sed -n 's/^inline_proxy_records_writable //p'"
)


@pytest.fixture
def host_with_a_small_disk(host: FreshHost) -> Iterator[FreshHost]:
    """The installed host, its records on a disk of 256 KB."""
    host.run("systemctl stop inline-proxy")
    host.run(f"mount -t tmpfs -o size=256k tmpfs {LOGS} && systemctl start inline-proxy")
    yield host
    host.run(f"systemctl stop inline-proxy && umount {LOGS} && systemctl start inline-proxy")


def says(host: FreshHost, figure: float) -> bool:
    """Tell whether the metrics say so of the records."""
    said = host.try_run(WRITABLE).out.strip()
    return said != "" and float(said) == figure


def test_calls_go_on_while_their_records_wait_for_room(
    host_with_a_small_disk: FreshHost, neighbours: Neighbours
) -> None:
    """It is said while it lasts, and no record is missing afterwards."""
    host = host_with_a_small_disk
    host.try_run(f"dd if=/dev/zero of={LOGS}/filling bs=1k status=none")
    answered = [neighbours.call(host.address) for _ in range(3)]
    wait_until(lambda: says(host, 0), "the metrics name it")
    complained = host.run("journalctl -u inline-proxy -g 'records cannot be written' -q").out
    host.run(f"rm {LOGS}/filling")

    assert answered == [True, True, True]
    assert complained
    wait_until(
        lambda: host.run(f"grep -c . {LOGS}/calls.jsonl || true").out.strip() == "3",
        "every call is recorded",
    )
    assert says(host, 1)
