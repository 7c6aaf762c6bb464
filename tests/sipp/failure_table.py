"""What a pair loses by each kind of failure, with calls running: counted, and printed as a table.

scripts/failures                        100 calls per second, every failure; some five minutes
scripts/failures --rate 20 --only freeze
scripts/failures --previous CHECKOUT    one node runs another release as well
"""

import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click

from inline_proxy.lab.answer import Answer
from inline_proxy.lab.certificates import CertificateAuthority
from inline_proxy.lab.children import Child, Children
from inline_proxy.lab.conversation import Settings
from inline_proxy.lab.recording import MemoryRecord
from inline_proxy.lab.server import StandIn, TlsIdentity, in_thread
from sipp.clearip import token
from sipp.load.lab import LONGEST_CALL_S, SCENARIOS, Count
from sipp.network import nft
from sipp.pair import (
    CARRIER,
    CLEARIP,
    FLOATING,
    PORT,
    SITE_PORT,
    SWITCH,
    Node,
    Pair,
    bridge,
    node_config,
    signal_all,
)
from sipp.waiting import wait_until

CARRIER_PORT, CALLER_PORT = 7001, 6100
BEFORE_S, AFTER_S = 4, 8
"""How long calls run before a failure, and go on being placed after it."""
HEALED_AFTER_S = 4
DEAF = """table ip failure {
 chain in { type filter hook input priority 0; iifname "eth0" ip protocol vrrp drop; }
 chain out { type filter hook output priority 0; oifname "eth0" ip protocol vrrp drop; }
}
"""
HEALING = "delete table ip failure"
LOSS = """table netdev failure_{wire} {{
 chain lost {{ type filter hook ingress device "{wire}" priority 0; numgen random mod 100 < 30 drop;
 }}
}}
"""


@dataclass(frozen=True, slots=True)
class Failure:
    """What is done to the nodes; `heal` ends it, and is nothing where it stays."""

    strike: Callable[[Pair], None]
    heal: Callable[[Pair], None] = lambda _: None


def _rules(text: str, node: Node) -> None:
    node.host.run("nft", "-f", "-", given=text)


def _on_both(text: str, pair: Pair) -> None:
    for node in pair.nodes:
        _rules(text, node)


def _lose(pair: Pair) -> None:
    """Lose packets on the wires, in both directions; who sends is told of nothing."""
    for node in pair.nodes:
        _rules(LOSS.format(wire="eth0"), node)
        nft(LOSS.format(wire=node.wire))


def _lose_no_more(pair: Pair) -> None:
    for node in pair.nodes:
        _rules("delete table netdev failure_eth0", node)
        nft(f"delete table netdev failure_{node.wire}")


def _mend_all(pair: Pair) -> None:
    for node in pair.nodes:
        node.mend()


FAILURES = {
    "nothing": Failure(lambda _: None),
    "kill -9": Failure(lambda pair: signal_all(pair.active.of_the_proxy, signal.SIGKILL)),
    "freeze": Failure(lambda pair: pair.active.pull_the_plug()),
    "link cut": Failure(lambda pair: pair.active.cut(), _mend_all),
    "split brain": Failure(partial(_on_both, DEAF), partial(_on_both, HEALING)),
    "30 % loss": Failure(_lose, _lose_no_more),
}


@dataclass(frozen=True, slots=True)
class Row:
    """What one failure has cost."""

    name: str
    placed: int
    count: Count
    take_over_s: float | None

    def text(self) -> str:
        """As a line of the table."""
        took = "-" if self.take_over_s is None else f"{self.take_over_s:.1f} s"
        lost = self.placed - self.count.succeeded
        return f"{self.name:<16}{self.placed:>8}{lost:>8}{self.count.retransmissions:>14}{took:>12}"


HEADING = f"{'failure':<16}{'calls':>8}{'lost':>8}{'sent again':>14}{'take-over':>12}"


class Lab:
    """ClearIP, the carrier, and pairs, one after the other."""

    def __init__(self, directory: Path, children: Children, previous: Path | None) -> None:
        self._directory, self._children, self._previous = directory, children, previous
        self.ca_file = directory / "ca.pem"
        self._keys = directory / "keys"
        self._keys.write_text(secrets.token_hex(32) + "\n")

    @contextmanager
    def clearip(self) -> Iterator[None]:
        """Every call has one signed route to the carrier."""
        authority = CertificateAuthority.create()
        self.ca_file.write_bytes(authority.pem)
        files = (self._directory / "certificate.pem", self._directory / "key.pem")
        authority.issue().write(*files)
        identity = token()

        def answer_for(user: str) -> Answer:
            contact = f"Contact: <sip:{user}@{CARRIER}:{CARRIER_PORT}>"
            return Answer(302, "Moved Temporarily", (contact, f"Identity: {identity}"))

        settings = Settings(answer_for=answer_for)
        stand_in = StandIn(settings, MemoryRecord(), TlsIdentity(*files))
        with in_thread(stand_in, CLEARIP, SITE_PORT):
            yield

    @contextmanager
    def pair(self, name: str) -> Iterator[Pair]:
        """Two nodes, the second on the other release where one is given."""
        with ExitStack() as running:
            nodes = []
            for number, other in ((1, 2), (2, 1)):
                config = node_config(number, (other,), self.ca_file, self._keys)
                directory = self._directory / f"{name}-{number}"
                release = self._previous if number == 2 else None
                if release is not None:  # it may not know the key
                    del config["cluster"]["port"]
                nodes.append(Node.start(number, directory, config, release))
                running.callback(nodes[-1].stop)
                nodes[-1].keep()
            pair = Pair((nodes[0], nodes[1]))
            pair.settle()
            wait_until(pair.active.takes_calls, "ClearIP is up")
            yield pair

    def measure(self, name: str, rate: int) -> Row:
        """Place calls, let something fail meanwhile, and count."""
        slug = name.replace(" ", "-").replace("%", "percent")
        failure, statistics = FAILURES[name], self._directory / f"{slug}.csv"
        with self.pair(slug) as pair:
            standby = pair.standby
            caller = self._call(statistics, rate)
            time.sleep(BEFORE_S)  # what is measured is what happens in this time
            began = time.monotonic()
            failure.strike(pair)
            took = _take_over(standby, began)
            time.sleep(max(0.0, began + HEALED_AFTER_S - time.monotonic()))
            failure.heal(pair)
            with suppress(subprocess.TimeoutExpired):
                caller.process.wait(AFTER_S + LONGEST_CALL_S)
            caller.process.kill()  # calls that have not ended by now are lost
        return Row(name, rate * (BEFORE_S + AFTER_S), Count.read(statistics), took)

    def carrier(self) -> Child:
        """Answer every call."""
        return self._sipp("carrier-answers", CARRIER, CARRIER_PORT, self._directory / "carrier.csv")

    def _call(self, statistics: Path, rate: int) -> Child:
        calls = str(rate * (BEFORE_S + AFTER_S))
        numbers = ("-inf", str(SCENARIOS / "numbers.csv"))
        where = (
            f"{FLOATING}:{PORT}",
            *numbers,
            "-r",
            str(rate),
            "-m",
            calls,
            "-l",
            calls,
        )
        return self._sipp("caller", SWITCH, CALLER_PORT, statistics, *where)

    def _sipp(self, scenario: str, host: str, port: int, counts: Path, *more: str) -> Child:
        command = [
            *("sipp", "-sf", str(SCENARIOS / f"{scenario}.xml"), "-i", host, "-p", str(port)),
            *("-cp", str(port + 1), "-mp", str(port + 2)),
            *("-trace_stat", "-stf", str(counts), "-fd", "1", "-nostdin", "-skip_rlimit"),
        ]
        return self._children.start(f"{scenario} {counts.stem}", [*command, *more])


def _take_over(standby: Node, began: float) -> float | None:
    """Return after how many seconds the standby had the address; None where it had not."""
    while time.monotonic() < began + HEALED_AFTER_S:
        if standby.has_the_address:
            return time.monotonic() - began
        time.sleep(0.05)
    return None


@click.command()
@click.option("--rate", default=100, show_default=True, help="Calls per second.")
@click.option("--only", "names", multiple=True, type=click.Choice(list(FAILURES)))
@click.option("--previous", type=click.Path(path_type=Path, exists=True, file_okay=False))
def main(rate: int, names: tuple[str, ...], previous: Path | None) -> None:
    """Print what a pair loses by each kind of failure."""
    with (
        tempfile.TemporaryDirectory(prefix="ip-") as folder,
        Children(Path(folder)) as children,
        bridge(),
    ):
        lab = Lab(Path(folder), children, previous)
        with lab.clearip():
            lab.carrier()
            click.echo(HEADING)
            for name in names or FAILURES:
                click.echo(lab.measure(name, rate).text())
                sys.stdout.flush()


if __name__ == "__main__":
    main()
