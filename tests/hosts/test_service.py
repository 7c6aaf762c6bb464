"""What the installed service withstands: changes under load, killed processes, bad releases."""

import time

import pytest

from hosts.fresh_host import FreshHost
from hosts.neighbours import Neighbours
from hosts.waiting import wait_until

pytestmark = pytest.mark.timeout(900)
CONFIG = "/etc/inline-proxy/config.yaml"
NEW_CERTIFICATE, NEW_KEY = "/etc/inline-proxy/new.pem", "/etc/inline-proxy/new-key.pem"
RATE = 20
BACK_WITHIN_S = 5
USUAL_RESTART_S = 2.5
"""What an ordered restart takes where nothing else keeps the machine busy."""
LATE = "10.88.0.9"
"""An address that comes and goes."""


def main_pid(host: FreshHost) -> str:
    """The process that systemd watches."""
    return host.run("systemctl show --value -p MainPID inline-proxy").out.strip()


def recorded_calls(host: FreshHost) -> int:
    """How many calls have a record."""
    return int(host.run("cat /var/log/inline-proxy/calls.jsonl* 2>/dev/null | wc -l").out)


def test_changed_policy_is_applied_under_load_without_a_failed_call(
    host: FreshHost, neighbours: Neighbours
) -> None:
    """Policy and timeouts are read again by the processes that run."""
    before = main_pid(host)
    load = neighbours.load(host.address, rate=RATE)
    for seconds in (90, 100):
        host.run(f"sed -i '/^targets:/d' {CONFIG}")
        host.run(f"echo 'targets: {{search_timeout_ms: {seconds}000}}' >>{CONFIG}")
        applied = host.run("inline-proxy apply").out
        load.go_on()
        assert "reloaded" in applied
    host.run(f"sed -i 's/search_timeout_ms: 100000/search_timeout_ms: 110000/' {CONFIG}")
    host.run("systemctl reload inline-proxy")
    policy = host.run("cat /run/inline-proxy/proxy.json").out
    load.go_on()
    load.child.process.terminate()

    assert load.failed == 0
    assert main_pid(host) == before
    assert "110000" in policy
    assert host.run("inline-proxy apply").out.startswith("nothing to do")


def test_changed_certificate_is_served_under_load_without_a_failed_call(
    host: FreshHost, neighbours: Neighbours
) -> None:
    """Who connects from then on sees the new one."""
    host.run(
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 "
        f"-subj /CN=changed.example -keyout {NEW_KEY} -out {NEW_CERTIFICATE} 2>&1; "
        f"chown root:inline-proxy {NEW_KEY}; chmod 640 {NEW_KEY}"
    )
    before = main_pid(host)
    load = neighbours.load(host.address, rate=RATE)
    host.run(
        f"echo 'listen: {{tls_certificate: {NEW_CERTIFICATE}, tls_private_key: {NEW_KEY}}}' "
        f">>{CONFIG}"
    )
    applied = host.run("inline-proxy apply").out
    load.go_on()
    load.child.process.terminate()
    served = host.run(
        f"openssl s_client -connect {host.address}:5061 </dev/null 2>/dev/null "
        "| openssl x509 -noout -subject"
    ).out
    host.run("inline-proxy apply --rollback")

    assert "certificates" in applied
    assert "changed.example" in served
    assert load.failed == 0
    assert main_pid(host) == before


def test_start_leaves_no_exception_in_the_journal(host: FreshHost) -> None:
    """What the service may not see is no fault, and is not complained of."""
    host.run("systemctl restart inline-proxy")

    assert "Traceback" not in host.run("journalctl -q -b -u inline-proxy --no-pager").out


def test_new_policy_decides_the_next_call(host: FreshHost, neighbours: Neighbours) -> None:
    """A source that is not trusted any more gets no answer at all."""
    host.run(f"cp {CONFIG} /root/kept.yaml; echo 'trusted: [192.0.2.1]' >>{CONFIG}")
    host.run("inline-proxy apply")
    refused = not neighbours.call(host.address, patience_s=3)
    host.run("inline-proxy apply --rollback")

    assert refused
    assert neighbours.call(host.address)
    assert host.run(f"diff {CONFIG} /root/kept.yaml").out == ""


def test_packet_filter_stands_before_the_proxy(host: FreshHost, neighbours: Neighbours) -> None:
    """In a table of its own, from the boot on, and with what the configuration trusts."""
    rules = host.run("nft list table inet inline_proxy").out

    assert "10.0.0.0/8" in rules
    assert host.run("systemctl is-enabled inline-proxy-packet-filter").out.strip() == "enabled"
    assert neighbours.call(host.address)


def test_invalid_configuration_changes_nothing(host: FreshHost, neighbours: Neighbours) -> None:
    """It is named, and the service goes on with the one before."""
    before = main_pid(host)
    host.run(f"cp {CONFIG} /root/kept.yaml; echo 'nonsense: 1' >>{CONFIG}")
    refused = host.try_run("inline-proxy apply --yes")
    host.run(f"cat /root/kept.yaml >{CONFIG}")

    assert (refused.code, "nonsense: unknown key" in refused.err) == (2, True)
    assert main_pid(host) == before
    assert neighbours.call(host.address)


@pytest.mark.parametrize("victim", ["pgrep -o kamailio", "pgrep -n kamailio"])
def test_killed_process_brings_the_whole_service_back(
    host: FreshHost, neighbours: Neighbours, victim: str
) -> None:
    """Main process or worker: none goes on without the others, and all is back within seconds.

    On a machine that is busy with other things an ordered restart says how slow all is there.
    """
    started = time.monotonic()
    host.run("systemctl restart inline-proxy")
    slowness = max(1.0, (time.monotonic() - started) / USUAL_RESTART_S)
    before = main_pid(host)
    host.run(f"kill -9 $({victim})")
    started = time.monotonic()

    def is_back() -> bool:
        asked = "systemctl show --value -p ActiveState -p MainPID inline-proxy"
        said = host.try_run(asked).out.split()
        return "active" in said and before not in said

    wait_until(is_back, "the service runs again")
    assert time.monotonic() - started < BACK_WITHIN_S * slowness
    assert neighbours.call(host.address)


def test_call_is_recorded_although_everything_was_killed(
    host: FreshHost, neighbours: Neighbours
) -> None:
    """The observer had not read of it; what was told lies in memory that outlives them all."""
    before = recorded_calls(host)
    host.run("pkill -STOP -f 'inline_proxy observe'")
    assert neighbours.call(host.address)
    host.run("systemctl kill --signal=KILL inline-proxy")

    wait_until(lambda: recorded_calls(host) == before + 1, "the call is recorded")
    wait_until(lambda: is_active(host), "the service runs again")
    assert neighbours.call(host.address)


def test_service_waits_for_an_address_that_comes_late(
    host: FreshHost, neighbours: Neighbours
) -> None:
    """As after a boot at which a tunnel is slow; it says what it waits for."""
    host.run(f"cp -p {CONFIG} /root/kept.yaml")
    host.run(f"echo 'listen: {{addresses: [{host.address}, {LATE}]}}' >>{CONFIG}")
    refused = host.try_run("inline-proxy apply --yes")
    host.run("systemctl restart --no-block inline-proxy")
    waits = f"waiting for an address: listen.addresses: {LATE} is not an address of this host"
    wait_until(lambda: waits in newest_lines(host), "it says that it waits")
    host.run(f"ip address add {LATE}/32 dev lo")
    wait_until(lambda: is_active(host), "it runs", limit_s=15)
    listening = host.run("ss -Hlun").out
    called = neighbours.call(host.address)
    host.run(f"cp -p /root/kept.yaml {CONFIG}; ip address del {LATE}/32 dev lo")
    host.run("inline-proxy apply --yes")

    assert (refused.code, f"{LATE} is not an address of this host" in refused.err) == (2, True)
    assert f"{LATE}:5060" in listening
    assert called


def test_interface_that_appears_is_named_by_doctor_and_opened_by_apply(
    host: FreshHost, neighbours: Neighbours
) -> None:
    """With `listen.addresses: all`: nothing restarts by itself, and nothing is hidden."""
    host.run(f"ip address add {LATE}/32 dev lo")
    found = host.try_run(f"inline-proxy doctor {CONFIG}").out
    asked = host.try_run("inline-proxy apply </dev/null")
    applied = host.run("inline-proxy apply --yes").out
    listening = host.run("ss -Hlun").out
    host.run(f"ip address del {LATE}/32 dev lo")
    host.run("inline-proxy apply --yes")

    assert f"nobody listens on udp:{LATE}:5060" in found
    assert "inline-proxy apply" in found
    assert asked.code == 1
    assert "restart: listeners" in applied
    assert f"{LATE}:5060" in listening
    assert f"nobody listens on udp:{LATE}" not in host.try_run(f"inline-proxy doctor {CONFIG}").out
    assert neighbours.call(host.address)


def newest_lines(host: FreshHost) -> str:
    """What the service has said last."""
    return host.run("journalctl -q -u inline-proxy -n 20 --no-pager").out


def is_active(host: FreshHost) -> bool:
    """Whether the service is up."""
    return host.try_run("systemctl is-active inline-proxy").out.strip() == "active"


def test_service_exposes_little_of_the_host(host: FreshHost) -> None:
    """As systemd itself judges it."""
    said = host.run("systemd-analyze security inline-proxy | tail -n 1").out

    assert float(said.split(":")[1].split()[0]) <= 2.5, said


def test_broken_release_gives_way_to_the_one_before(
    host: FreshHost, neighbours: Neighbours
) -> None:
    """By itself, within the switch."""
    releases = "/opt/inline-proxy/releases"
    good = host.run("basename $(readlink /opt/inline-proxy/current)").out.strip()
    host.run(f"cp -a {releases}/{good} {releases}/broken")
    host.run(f"echo 'raise RuntimeError' >>{releases}/broken/kemi/proxy.py")

    switched = host.try_run("inline-proxy switch broken")

    assert switched.code == 1
    assert f"broken does not start; {good} runs again" in switched.err
    assert host.run("basename $(readlink /opt/inline-proxy/current)").out.strip() == good
    assert neighbours.call(host.address)


def test_release_that_works_takes_over(host: FreshHost, neighbours: Neighbours) -> None:
    """The one before stays, to go back to."""
    releases = "/opt/inline-proxy/releases"
    good = host.run("basename $(readlink /opt/inline-proxy/current)").out.strip()
    host.run(f"cp -a {releases}/{good} {releases}/next")

    assert "switched to next" in host.run("inline-proxy switch next").out
    assert neighbours.call(host.address)
    assert f"switched to {good}" in host.run(f"inline-proxy switch {good}").out
