"""Nodes that tell each other what they count."""

import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from sipp.clearip import SILENCE, ClearIp, Site
from sipp.dialog_scene import dialog_of
from sipp.flood import call, finals
from sipp.group import (
    MOST_CALLS,
    MOST_CPS,
    THREE,
    Group,
    calls_elsewhere,
    cps_left,
    group_of,
    in_progress,
    status_of,
)
from sipp.proxy import Proxies, Proxy
from sipp.raw_request import RawCaller
from sipp.sipp import Sipp
from sipp.waiting import wait_until

SILENT = ("127.0.0.1", 7912)
FAST_CALLER = "127.0.1.1"
HEALS_IN_S = 15


@pytest.fixture(scope="module")
def group(
    proxies: Proxies, clearip_sites: tuple[Site, ...], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Group]:
    """Three nodes; one source may have four calls at one time, another ten per second."""
    assert clearip_sites
    with group_of(proxies, tmp_path_factory.mktemp("group"), THREE) as nodes:
        yield nodes


@pytest.fixture
def silent_target(clearip: ClearIp, number: str) -> Iterator[None]:
    """A target that is there and never answers; calls to it stay in progress for four seconds."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as target:
        target.bind(SILENT)
        clearip.redirects_to(f"<sip:{number}@{SILENT[0]}:{SILENT[1]}>")
        yield


def end(caller: RawCaller, node: Proxy, number: str, calls: int = 1) -> set[int]:
    """Wait for the final responses of so many calls and acknowledge them: they count no longer."""
    responses = finals(caller, calls)
    for response in responses:
        index = int(response.header("call-id").rpartition("raw")[2])
        caller.send(call(node, number, index, "ACK", to=response.header("to")))
    return {response.status for response in responses}


def test_status_of_any_node_shows_the_whole_group(
    group: Group, clearip: ClearIp, sipp: Sipp
) -> None:
    """What each has counted, and the sum; a drained node is seen from every other one."""
    first, second, _ = group.nodes
    clearip.says(603, "Decline")
    with RawCaller(first.place("udp")) as caller:
        caller.send(call(first, sipp.number, 0))
        assert end(caller, first, sipp.number) == {603}
    second.ask("htable.seti", "node", "draining", "1")

    def is_seen() -> bool:
        cluster = status_of(second)["cluster"]
        nodes = {node["address"]: node for node in cluster["nodes"]}
        seen = nodes[group.addresses[0]]
        return bool(
            cluster["calls_begun"] == seen["calls_begun"] == 1
            and sum(cluster["calls"].values()) == sum(seen["calls"].values()) == 1
            and nodes[group.addresses[1]]["draining"]
            and nodes[group.addresses[1]]["own"]
        )

    wait_until(is_seen, "the other node's call is seen, and this node's draining")
    second.ask("htable.seti", "node", "draining", "0")
    assert {node["clearip_sites_up"] for node in status_of(first)["cluster"]["nodes"]} == {2}


@pytest.mark.usefixtures("silent_target")
def test_limit_of_calls_at_one_time_holds_for_the_group(group: Group, sipp: Sipp) -> None:
    """What a source has on one node leaves less for it on the next; a second later at most two."""
    first, second, third = group.nodes
    with RawCaller(first.place("udp")) as one, RawCaller(second.place("udp")) as other:
        for index in range(2):
            one.send(call(first, sipp.number, index))
        wait_until(lambda: calls_elsewhere(second) == 2, "the next node knows of two calls")
        for index in range(2, 8):
            other.send(call(second, sipp.number, index))
        refused = finals(other, 4)
        wait_until(lambda: calls_elsewhere(third) == MOST_CALLS, "the third node knows of all")

        assert {response.status for response in refused} == {503}
        assert in_progress(second) == 2
        assert end(one, first, sipp.number, 2) == end(other, second, sipp.number, 2) == {408}
    wait_until(lambda: calls_elsewhere(third) == 0, "the calls have ended everywhere")


class Demand:
    """Thirty calls per second of a source at one node, as long as it is wanted."""

    def __init__(self, node: Proxy, number: str) -> None:
        self.answers: Counter[int] = Counter()
        self._node, self._number = node, number
        self._ends = threading.Event()

    def place(self) -> None:
        """Place calls and count their answers until told to end."""
        with RawCaller(self._node.place("udp"), FAST_CALLER) as caller:
            for index in range(100_000):
                if self._ends.wait(1 / 30):
                    return
                caller.send(call(self._node, self._number, 1000 * self._node.port + index))
                while caller.hears_within(0):
                    answer = caller.hear()
                    self.answers[answer.status] += 1

    @contextmanager
    def going_on(self) -> Iterator[None]:
        """Place them beside what the test does."""
        thread = threading.Thread(target=self.place)
        thread.start()
        try:
            yield
        finally:
            self._ends.set()
            thread.join()


def test_limit_per_second_is_shared_by_demand(group: Group, clearip: ClearIp, sipp: Sipp) -> None:
    """Two nodes that a source wants more of take half of it each; alone, one takes all."""
    first, second, _ = group.nodes
    clearip.says(603, "Decline")
    one, other = Demand(first, sipp.number), Demand(second, sipp.number)
    with one.going_on():
        with other.going_on():
            half = MOST_CPS // 2
            wait_until(lambda: (cps_left(first), cps_left(second)) == (half, half), "halves")
            before, began = one.answers[603] + other.answers[603], time.monotonic()
            wait_until(lambda: time.monotonic() - began > 3, "three seconds pass")
            taken = one.answers[603] + other.answers[603] - before
        wait_until(lambda: cps_left(first) == MOST_CPS, "the other one wants no more")

    assert 2 * MOST_CPS <= taken <= 4 * MOST_CPS + half  # what repeats itself counts too
    assert one.answers[503]


def test_call_that_ends_at_another_node_counts_no_longer(
    group: Group, clearip: ClearIp, sipp: Sipp, number: str
) -> None:
    """The node that counts it is told."""
    first, second, third = group.nodes
    target = sipp.play("target-hung-up-on")
    clearip.redirects_to(target.at())
    dialog = dialog_of(sipp.play("uac-hangs-up-on-cue", to=first))
    target.wait_for("ACK")
    wait_until(lambda: calls_elsewhere(third) == 1, "the call counts, and that is known")

    place = second.place("udp")
    route = f"<sip:{place.host_port};{dialog.routes[0].partition(';')[2]}"
    bye = dialog.request("BYE", number, place, target.uri, route=route, cseq="2 BYE")
    with RawCaller(place) as caller:
        caller.send(bye)
        target.wait_for("BYE")  # SIPp answers the node that it knows

    wait_until(lambda: in_progress(first) == 0, "the call counts no longer")
    wait_until(lambda: calls_elsewhere(third) == 0, "nor elsewhere")


def is_given_up(node: Proxy) -> bool:
    """Whether Kamailio sends some other node nothing but its own questions any more."""
    return "pending" in node.ask("dmq.list_nodes")


@pytest.mark.usefixtures("silent_target")
def test_node_that_is_cut_off_goes_on_by_itself_and_heals(
    group: Group, sipp: Sipp, pytestconfig: pytest.Config
) -> None:
    """Each side has the whole limit meanwhile; afterwards all count together again.

    The long look waits until Kamailio has given the other node up.
    """
    first, second, alone = group.nodes
    with RawCaller(first.place("udp")) as one, RawCaller(alone.place("udp")) as other:
        with group.cut_off(alone):
            wait_until(lambda: group.heard_by(alone) == 1, "it hears nobody")
            wait_until(lambda: group.heard_by(first) == 2, "it is not heard")
            for index in range(MOST_CALLS):
                one.send(call(first, sipp.number, index))
                other.send(call(alone, sipp.number, 10 + index))
            wait_until(lambda: in_progress(alone) == in_progress(first) == MOST_CALLS, "all pass")
            assert calls_elsewhere(alone) == 0
            wait_until(lambda: calls_elsewhere(second) == MOST_CALLS, "one side counts alone")
            end(one, first, sipp.number, MOST_CALLS)
            end(other, alone, sipp.number, MOST_CALLS)
            if pytestconfig.getoption("long"):
                wait_until(lambda: is_given_up(first), "it is given up", patience_s=90)
        mended = time.monotonic()
        group.settle()
        assert time.monotonic() - mended < HEALS_IN_S

        wait_until(lambda: calls_elsewhere(alone) == 0, "it knows what became of the others' calls")
        other.send(call(alone, sipp.number, 20))
        wait_until(lambda: calls_elsewhere(first) == 1, "they count together again")
        end(other, alone, sipp.number)


def test_site_that_one_node_leaves_alone_needs_one_silence_at_the_next(
    group: Group, clearip: ClearIp, sipp: Sipp, clearip_sites: tuple[Site, ...]
) -> None:
    """On the other node's word alone no site is left alone. ClearIP has heard none of all this."""
    first, second, third = group.nodes
    clearip.answers(SILENCE)
    with RawCaller(first.place("udp")) as caller:
        for index in range(3):
            caller.send(call(first, sipp.number, index))
            assert end(caller, first, sipp.number) == {503}
    site = "sip:127.0.0.1:6061;transport=tls"
    wait_until(lambda: second.count("silences", site) == 2, "the next node is warned")
    assert "rests: " not in second.log()

    with RawCaller(second.place("udp")) as caller:
        caller.send(call(second, sipp.number, 9))
        assert end(caller, second, sipp.number) == {503}
    assert f"{site} rests: calls were left without an answer" in second.log()
    assert "rests: " not in third.log()
    heard = (entry.text for each in clearip_sites for entry in tuple(each.record.entries))
    assert not any("KDMQ" in text for text in heard)
