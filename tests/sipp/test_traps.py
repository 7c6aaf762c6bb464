"""Traps of Kamailio's that the rendered files avoid: what happens without the guard.

Each test takes one guard away and shows the flow that then breaks; the flows of the other
modules show that it works with the guard. A test fails when its guard is no longer rendered,
and when Kamailio no longer needs it.
"""

import re
import signal
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from inline_proxy.kamailio_version import installed_version
from inline_proxy.lab.certificates import CertificateAuthority
from sipp.clearip import SILENCE, ClearIp, Site
from sipp.name_server import NameServer
from sipp.proxy import Config
from sipp.raw_request import RawCaller, ask, request
from sipp.role import all_succeeded
from sipp.sipp import Sipp, Stage
from sipp.unguarded import Guard, Tampered, Unguarded
from sipp.waiting import PATIENCE_S, wait_until

pytestmark = pytest.mark.usefixtures("_own_network", "clearip_sites")
Without = Callable[..., Unguarded]
UNTRUSTED = "127.128.0.1"
IS_OLD = installed_version() < (5, 8, 0)


@pytest.fixture
def authority_file(authority: CertificateAuthority, tmp_path: Path) -> Path:
    """Who vouches for ClearIP."""
    file = tmp_path / "authority.pem"
    file.write_bytes(authority.pem)
    return file


@pytest.fixture
def certificate_of_another(tmp_path: Path) -> Path:
    """An authority that vouches for nobody here."""
    file = tmp_path / "another.pem"
    file.write_bytes(CertificateAuthority.create().pem)
    return file


@pytest.fixture
def name_server(tmp_path: Path) -> Iterator[NameServer]:
    """A name server that answers what it has been told."""
    with NameServer(tmp_path) as server:
        yield server


@pytest.fixture
def tampered(authority_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Without]:
    """Start a proxy without some guards, and do not wait for it."""
    started: list[Unguarded] = []

    def start(*guards: Guard, prefix: Sequence[str] = (), **changes: Config) -> Unguarded:
        directory = tmp_path_factory.mktemp("un")  # a control socket's path must be short
        tampered = Tampered(directory, authority_file, guards, changes)
        started.append(tampered.start(prefix))
        return started[-1]

    yield start
    for each in started:
        each.stop()
        print(each.log)  # noqa: T201 - pytest shows it when the test has failed


@pytest.fixture
def without(tampered: Without) -> Without:
    """Start a proxy without some guards, which answers all the same."""

    def start(*guards: Guard, **changes: Config) -> Unguarded:
        proxy = tampered(*guards, **changes)
        proxy.wait_until_ready()
        return proxy

    return start


@pytest.fixture
def sipp(stage: Stage, number: str, tmp_path: Path) -> Iterator[Sipp]:
    """Start roles; here nothing holds that holds for every flow."""
    cast = Sipp(stage, number, tmp_path)
    yield cast
    cast.leave()
    for name, story in cast.stories():
        print(f"===== {name}: {story}")  # noqa: T201


def test_503_of_clearip_would_become_a_500(without: Without, clearip: ClearIp, sipp: Sipp) -> None:
    """`remap_503_500`: tm follows RFC 3261 §16.7, which is for proxies without a policy."""
    proxy = without(Guard('modparam("tm", "remap_503_500", 0)'))
    clearip.says(503, "Service Unavailable")

    caller = sipp.play("uac-refused", to=proxy)

    assert all_succeeded(caller)
    assert caller.final.status == 500


def test_last_of_twelve_targets_would_never_be_tried(
    without: Without, clearip: ClearIp, sipp: Sipp
) -> None:
    """`max_branches`: the query to ClearIP is a branch, too."""
    proxy = without(Guard("max_branches=30"))
    failing = [sipp.play("target-final") for _ in range(11)]
    last = sipp.play("nobody")
    clearip.redirects_to(*(target.at() for target in (*failing, last)))

    caller = sipp.play("uac-refused", to=proxy)

    assert all_succeeded(caller)
    assert last.is_silent


def test_target_would_be_called_again_and_again(
    without: Without, clearip: ClearIp, sipp: Sipp
) -> None:
    """`failure_reply_mode`: for tm a 302 is a better response than the 404 after it."""
    guard = 'modparam("tm", "failure_reply_mode", 3)'
    proxy = without(Guard(guard, guard.replace("3", "0")))
    target = sipp.play("target-final", status="404 Not Found")
    clearip.redirects_to(target.at())

    sipp.play("uac-refused", to=proxy)

    wait_until(lambda: proxy.log.count("target 1: ") > 1, "the target is called again")


def test_100_would_carry_a_joke(without: Without, clearip: ClearIp, sipp: Sipp) -> None:
    """`auto_inv_100_reason`: what every trace would show."""
    proxy = without(Guard('modparam("tm", "auto_inv_100_reason", "Trying")'))
    clearip.says(603, "Decline")

    caller = sipp.play("uac-refused", to=proxy)

    assert all_succeeded(caller)
    (trying,) = caller.received(100)
    assert trying.reason_phrase == "trying -- your call is important to us"


def test_responses_would_name_the_software(without: Without, clearip: ClearIp, sipp: Sipp) -> None:
    """`server_signature`: product, version and architecture, to whoever asks."""
    proxy = without(Guard("server_signature=no"))
    clearip.answers(SILENCE)

    caller = sipp.play("uac-refused", to=proxy)

    assert all_succeeded(caller)
    assert "kamailio" in caller.final.header("server")


def test_clearip_would_not_be_told_which_name_is_meant(
    without: Without, clearip: ClearIp, sipp: Sipp
) -> None:
    """`xavp_cfg`: the profile of the TLS client sends no SNI, whatever it says."""
    proxy = without(Guard('modparam("tls", "xavp_cfg", "tls")'))
    clearip.says(603, "Decline")

    caller = sipp.play("uac-refused", to=proxy)

    assert all_succeeded(caller)
    assert {entry.server_name for entry in clearip.entries()} == {None}


def test_clearip_of_anybodys_making_would_be_asked(
    without: Without, clearip: ClearIp, sipp: Sipp, certificate_of_another: Path
) -> None:
    """`verify_certificate`: everybody between here and ClearIP could be ClearIP."""
    strict = {"clearip": {"tls": {"ca_file": str(certificate_of_another)}}}
    clearip.says(603, "Decline")

    guarded = sipp.play("uac-refused", to=without(**strict))

    assert all_succeeded(guarded)
    assert guarded.final.status == 503
    assert clearip.received() == []

    verified = "verify_certificate = yes\nrequire_certificate = yes\n"
    unguarded = sipp.play("uac-refused", to=without(Guard(verified), **strict))

    assert all_succeeded(unguarded)
    assert unguarded.final.status == 603


def test_callbacks_that_are_missing_would_fail_every_call(
    without: Without, clearip: ClearIp, sipp: Sipp
) -> None:
    """Kamailio 5.6 looks them up, and the call of its that comes next raises the exception.

    Newer ones only say so in the log.
    """
    proxy = without(Guard('kemi.reply_route_callback=""'), Guard('kemi.onsend_route_callback=""'))
    clearip.says(603, "Decline")

    caller = sipp.play("uac-refused", to=proxy)

    assert all_succeeded(caller)
    assert caller.final.status == (500 if IS_OLD else 603)


def test_engine_before_the_modules_would_crash_at_start(tampered: Without) -> None:
    """`cfgengine`: Kamailio ends with a segmentation fault, and without a word."""
    engine, modules = 'cfgengine "python"\n', 'include_file "modules.cfg"\n'

    proxy = tampered(Guard(engine), Guard(modules, engine + modules))

    assert proxy.process.wait(PATIENCE_S) == -signal.SIGSEGV


def test_stranger_would_hear_what_is_wrong_with_a_request(without: Without, number: str) -> None:
    """`noreply`: who is not trusted hears nothing, and what is wrong is the core's to say."""
    proxy = without(Guard('modparam("sanity", "noreply", 1)'))
    place = proxy.place("udp")

    with RawCaller(place, UNTRUSTED) as stranger:
        stranger.send(request("INVITE", number, place, cseq="1 BYE"))
        assert stranger.hear().status == 400


def test_required_extension_would_be_a_400(without: Without, number: str) -> None:
    """`default_checks`: the 420 and its Unsupported are the core's to send."""
    proxy = without(Guard('modparam("sanity", "default_checks", 487)'))
    place = proxy.place("udp")

    response = ask(place, request("INVITE", number, place, "Proxy-Require: foo"))

    assert response.status == 400


def test_keep_alive_would_name_the_software(
    without: Without, clearip_sites: tuple[Site, ...]
) -> None:
    """`server_signature` again: with version and architecture, to ClearIP."""
    without(Guard("server_signature=no"))

    def asked_by_kamailio() -> bool:
        texts = [entry.text for entry in tuple(clearip_sites[0].record.entries)]
        return any(re.search("User-Agent: kamailio", text, re.IGNORECASE) for text in texts)

    wait_until(asked_by_kamailio, "ClearIP is asked by kamailio")


def test_start_would_ask_the_name_server_about_every_address(
    tampered: Without, name_server: NameServer
) -> None:
    """`auto_aliases`: and would wait for it, address by address; newer ones do not by default."""
    aliases = Guard("auto_aliases=no")

    tampered(prefix=name_server.prefix).wait_until_ready()
    asked_with_guard = [name for name in name_server.questions if name.endswith(".arpa")]
    tampered(aliases, prefix=name_server.prefix).wait_until_ready()
    asked = [name for name in name_server.questions if name.endswith(".arpa")]

    assert asked_with_guard == []
    assert bool(asked) is IS_OLD
