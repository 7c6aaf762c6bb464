"""Calls do not need the disk, and what it did not take is written when it can be."""

from collections.abc import Iterator

import pytest

from hosts.fresh_host import FreshHost
from hosts.neighbours import Neighbours
from hosts.waiting import wait_until

pytestmark = pytest.mark.timeout(900)
LOGS = "/var/log/inline-proxy"
SPOOL = "/var/lib/inline-proxy/events"
MEMORY = "/run/inline-proxy/events-in-memory"
METRICS = (
    'python3 -c "import urllib.request as u; '
    "print(u.urlopen('http://127.0.0.1:8080/metrics').read().decode())\""
)
WRITABLE = "inline_proxy_records_writable"
LOST = 'inline_proxy_occurrences_total{what="events_lost"}'


@pytest.fixture
def host_with_a_small_disk(host: FreshHost) -> Iterator[FreshHost]:
    """The installed host, its records on a disk of 256 KB."""
    host.run("systemctl stop inline-proxy")
    host.run(f"mount -t tmpfs -o size=256k tmpfs {LOGS} && systemctl start inline-proxy")
    yield host
    host.run(f"systemctl stop inline-proxy && umount {LOGS} && systemctl start inline-proxy")


@pytest.fixture
def host_with_a_small_spool(host: FreshHost) -> Iterator[FreshHost]:
    """The installed host, with 64 KB for what is told of calls: in memory, and on a disk."""
    of_the_service = "size=64k,uid=$(id -u inline-proxy),mode=700"
    host.run(f"install -d -o inline-proxy {SPOOL} {MEMORY}")
    for place in (SPOOL, MEMORY):
        host.run(f"mount -t tmpfs -o {of_the_service} tmpfs {place}")
    host.run("systemctl restart inline-proxy")
    yield host
    host.run(f"umount --lazy {SPOOL} {MEMORY} && systemctl restart inline-proxy")


def figure(host: FreshHost, name: str) -> float | None:
    """What the metrics say; None where they say nothing of it."""
    said = host.try_run(METRICS).out.splitlines()
    return next((float(line.rpartition(" ")[2]) for line in said if line.startswith(name)), None)


def test_calls_go_on_while_their_records_wait_for_room(
    host_with_a_small_disk: FreshHost, neighbours: Neighbours
) -> None:
    """It is said while it lasts, and no record is missing afterwards."""
    host = host_with_a_small_disk
    host.try_run(f"dd if=/dev/zero of={LOGS}/filling bs=1k status=none")
    answered = [neighbours.call(host.address) for _ in range(3)]
    wait_until(lambda: figure(host, WRITABLE) == 0, "the metrics name it")
    complained = host.run("journalctl -u inline-proxy -g 'records cannot be written' -q").out
    host.run(f"rm {LOGS}/filling")

    assert answered == [True, True, True]
    assert complained
    wait_until(
        lambda: host.run(f"grep -c . {LOGS}/calls.jsonl || true").out.strip() == "3",
        "every call is recorded",
    )
    assert figure(host, WRITABLE) == 1


def test_what_could_not_even_be_noted_is_counted(
    host_with_a_small_spool: FreshHost, neighbours: Neighbours
) -> None:
    """Calls go on; metrics and status say that records lack something, and later ones do not."""
    host = host_with_a_small_spool
    host.try_run(f"dd if=/dev/zero of={SPOOL}/filling bs=1k status=none")
    before = figure(host, LOST)
    # The last page of a file takes what fits into it.
    answered = [neighbours.call(host.address) for _ in range(6)]
    wait_until(lambda: (figure(host, LOST) or 0) > (before or 0), "it is counted")
    status = host.try_run("inline-proxy status")
    host.run(f"rm {SPOOL}/filling")
    recorded = int(host.run(f"grep -c . {LOGS}/calls.jsonl || true").out)

    assert all(answered)
    assert status.code == 1
    assert "some events of calls could not be written: is the disk full?" in status.out
    assert neighbours.call(host.address)
    wait_until(
        lambda: int(host.run(f"grep -c . {LOGS}/calls.jsonl || true").out) > recorded,
        "calls are recorded again",
    )
