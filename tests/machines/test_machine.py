"""What only a machine with a kernel and a clock of its own shows of the installed service."""

import time

import pytest

from hosts.neighbours import Neighbours
from hosts.virtual_host import VirtualHost
from hosts.waiting import wait_until

pytestmark = pytest.mark.timeout(2400)
CGROUP = "/sys/fs/cgroup/system.slice/inline-proxy.service"
RECORDS = "/var/log/inline-proxy"
TIMERS_FOLLOW_WITHIN_S = 6
"""Kamailio looks at the clock every five seconds."""
BACK_WITHIN_S = 300
"""Of an emulated machine; containers show how fast it is on a real one."""


def main_pid(machine: VirtualHost) -> str:
    """The process that systemd watches."""
    return machine.run("systemctl show --value -p MainPID inline-proxy").out.strip()


def last_lines(machine: VirtualHost) -> str:
    """What the service has logged lately."""
    return machine.run("journalctl -u inline-proxy -n 30 -o cat --no-pager").out


def test_installed_service_passes_a_call_on_again_after_a_reboot(
    machine: VirtualHost, neighbours: Neighbours
) -> None:
    """With the packet filter standing, and nothing failed."""
    machine.reboot()

    assert machine.run("systemctl is-system-running").out.strip() == "running"
    assert neighbours.call(machine.address)
    assert "10.0.0.0/8" in machine.run("nft list table inet inline_proxy").out


def test_kernel_limits_memory_and_processes_of_the_service(machine: VirtualHost) -> None:
    """So that a fault of its own leaves the host to be entered and mended."""
    total_kb = int(machine.run("sed -n 's/^MemTotal: *\\([0-9]*\\).*/\\1/p' /proc/meminfo").out)
    limit = int(machine.run(f"cat {CGROUP}/memory.max").out)

    assert limit / 1024 / total_kb == pytest.approx(0.8, abs=0.02)
    assert machine.run(f"cat {CGROUP}/pids.max").out.strip() == "1024"
    assert machine.run(f"cat /proc/{main_pid(machine)}/oom_score_adj").out.strip() == "-500"


def test_service_that_exceeds_its_memory_comes_back_as_a_whole(
    machine: VirtualHost, neighbours: Neighbours
) -> None:
    """The kernel ends one of its processes, systemd the others, and all begin anew."""
    before = main_pid(machine)
    machine.try_run(f"echo 24M >{CGROUP}/memory.max")

    def is_back() -> bool:
        asked = "systemctl show --value -p ActiveState -p MainPID inline-proxy"
        said = machine.try_run(asked).out.split()
        return "active" in said and before not in said

    wait_until(is_back, "the service runs again", limit_s=BACK_WITHIN_S)
    assert neighbours.call(machine.address)


def test_calls_go_on_when_the_clock_is_set(machine: VirtualHost, neighbours: Neighbours) -> None:
    """Forwards and backwards; what Kamailio's timers make of it is said, and soon over.

    A call that is being set up while they follow may end by it; when they do, nobody says.
    """
    machine.run("systemctl stop systemd-timesyncd")
    before = main_pid(machine)
    answered = []

    for step, said in (("+1 hour", "forward"), ("-2 hours", "back"), ("+1 hour", "forward")):
        machine.run(f"date --set '{step}'")
        wait_until(
            lambda: f"the clock was set {said} by" in last_lines(machine),  # noqa: B023 - at once
            "the step is told",
        )
        time.sleep(TIMERS_FOLLOW_WITHIN_S)
        answered.append(all(neighbours.call(machine.address) for _ in range(3)))

    assert answered == [True, True, True]
    assert main_pid(machine) == before


def test_calls_go_on_when_the_disk_is_full(machine: VirtualHost, neighbours: Neighbours) -> None:
    """What its records lack is counted; those of later calls are written once there is room."""
    before = main_pid(machine)
    machine.try_run(
        "dd if=/dev/zero of=/filling bs=1M status=none; dd if=/dev/zero of=/rest bs=1 status=none"
    )
    # The last block of a file takes what fits into it.
    full = [neighbours.call(machine.address) for _ in range(6)]
    complains = machine.try_run("inline-proxy status").out
    machine.run("rm -f /filling /rest")

    assert all(full)
    assert "is the disk full?" in complains
    assert main_pid(machine) == before
    written = int(machine.run(f"stat -c %s {RECORDS}/calls.jsonl").out)
    assert neighbours.call(machine.address)
    wait_until(
        lambda: int(machine.run(f"stat -c %s {RECORDS}/calls.jsonl").out) > written,
        "calls are recorded again",
    )
