"""The report on a proxy that does not answer: the first thing to read when a flow finds one."""

import socket
import subprocess
import sys

import psutil

from sipp.proxy_state import state_of
from sipp.waiting import wait_until

PARENT = "import subprocess, sys; subprocess.run([sys.executable, '-c', 'input()'])"


def test_report_names_processes_and_what_waits_in_the_socket() -> None:
    """Every process with what it waits for, and the datagram that nobody reads."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mute,
        subprocess.Popen([sys.executable, "-c", PARENT], stdin=subprocess.PIPE) as parent,
    ):
        mute.bind(("127.0.0.1", 0))
        port = mute.getsockname()[1]
        mute.sendto(b"x", ("127.0.0.1", port))

        below = psutil.Process(parent.pid)
        wait_until(lambda: bool(below.children()), "the child has begun")
        report = state_of(parent.pid, port)
        parent.communicate()

    (line,) = (each for each in report.splitlines() if f":{port:04X} " in each)
    receive_queue = line.split()[5].partition(":")[2]
    assert int(receive_queue, 16) > 0
    assert "wchan" in report


def test_proxy_that_has_ended_is_said_to_have() -> None:
    """Nothing is raised in a report."""
    with subprocess.Popen(["true"]) as ended:
        ended.wait()

    assert state_of(ended.pid, 5060) == "the proxy has ended"
