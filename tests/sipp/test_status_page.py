"""The status page, in a real browser: from the overview to the ladder of a call."""

import os
import secrets
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from sipp.browser import Tab, browser
from sipp.clearip import ClearIp
from sipp.conftest import ProxyWith
from sipp.proxy import Proxy
from sipp.role import all_succeeded
from sipp.sipp import Sipp
from sipp.test_records import shaken
from sipp.trace_command import Trace
from sipp.waiting import wait_until

pytestmark = [
    pytest.mark.skipif(
        shutil.which("chromium") is None,
        reason="a browser sees the same page whatever Kamailio it is about: Debian 12 has one here",
    ),
    pytest.mark.usefixtures("clearip"),  # a proxy is healthy with its sites alone
]
ADMIN_PORT = 8099
NODE_PORT = 8096
"""Of the page of a node of a group; the other proxy may be running still."""
TRACE_RECEIVER = "127.0.0.1:7971"
PAGE = f"http://127.0.0.1:{ADMIN_PORT}/"
SCREENSHOTS = os.environ.get("SCREENSHOTS")
"""A directory that gets pictures of the page: `docs/screenshots`."""
PHONE, DESK = (390, 844), (1280, 1000)
SCRIPT = '"<script>document.title=1</script><img src=x>"'


@pytest.fixture(scope="session")
def chromium(_own_network: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    """One browser for all."""
    with browser(tmp_path_factory.mktemp("b")) as tab:
        yield tab


@pytest.fixture
def page(chromium: Tab, proxy: Proxy) -> Tab:
    """The page of a proxy, opened anew; nothing may have been complained of at the end."""
    assert proxy.process.poll() is None
    chromium.is_sized(*DESK)
    chromium.prefers("light")
    chromium.complaints.clear()
    wait_until(is_served, "the observer serves the page")  # it may come after Kamailio
    chromium.open(PAGE)
    chromium.wait_for("document.querySelector('#health')?.innerText === 'Healthy'")
    return chromium


def is_served(port: int = ADMIN_PORT) -> bool:
    """Whether the page's port takes connections."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def proxy(proxy_with: ProxyWith) -> Proxy:
    """A proxy with a page."""
    return proxy_with(
        admin={"listen": f"127.0.0.1:{ADMIN_PORT}"}, tracing={"receiver": TRACE_RECEIVER}
    )


@pytest.fixture
def second_target_call(proxy: Proxy, clearip: ClearIp, sipp: Sipp) -> str:
    """A call whose first target has failed; its record is there."""
    first, second = sipp.play("target-final"), sipp.play("target-rings-then-200")
    clearip.redirects_to(first.at(), second.at(), identities=[shaken(sipp.number)])
    caller = sipp.play("uac-answered", to=proxy)
    caller.wait_for(180)
    second.cue()
    assert all_succeeded(caller, first, second)
    wait_until(
        lambda: any(each["answered_by"] == 2 for each in proxy.records(sipp.number)),
        "its record is there",
    )
    return sipp.number


def picture(page: Tab, name: str) -> None:
    """Keep a picture of the page where somebody wants one."""
    if SCREENSHOTS:
        Path(SCREENSHOTS).mkdir(parents=True, exist_ok=True)
        page.screenshot(Path(SCREENSHOTS) / f"{name}.png")


def find(page: Tab, text: str) -> None:
    """Type into the search, and wait for one call."""
    page.value(
        f"(() => {{ const s = document.querySelector('#search'); s.value = {text!r};"
        "s.dispatchEvent(new Event('input', {bubbles: true})); })()"
    )
    page.wait_for(
        "(rows => rows.length === 1 && rows[0].innerText.includes("
        f"{text!r}))(document.querySelectorAll('#call-rows tr'))"
    )


@pytest.fixture
def refused_calls(proxy: Proxy, clearip: ClearIp, sipp: Sipp) -> None:
    """Calls that ClearIP blocks, and that it knows no route for."""
    for status, phrase in ((603, "Network Blocked"), (404, "Not Found"), (603, "Network Blocked")):
        clearip.says(status, phrase)
        assert all_succeeded(sipp.play("uac-refused", to=proxy))


@pytest.mark.usefixtures("refused_calls")
def test_overview_shows_health_sites_and_calls(page: Tab, second_target_call: str) -> None:
    """At a glance, and live: the call appears without anybody's doing."""
    page.wait_for(
        f"document.querySelector('#call-rows').innerText.includes({second_target_call!r})"
    )
    page.wait_for("document.querySelectorAll('#calls-chart rect').length > 0")

    assert "up" in page.text("#sites")
    page.wait_for("document.querySelector('#signed').innerText === '100 %'")
    assert page.text("#attested") == "A 1"
    page.wait_for("document.querySelectorAll('#call-rows tr').length >= 4")
    picture(page, "overview")
    page.prefers("dark")
    picture(page, "overview-dark")
    assert page.complaints == []
    assert page.value("document.querySelector('#group').hidden")  # an empty table would be a riddle


def test_click_on_a_call_shows_its_ladder(page: Tab, second_target_call: str) -> None:
    """Switch, proxy, ClearIP and both targets; the first has failed, Identity is marked."""
    find(page, second_target_call)
    page.value("document.querySelector('#call-rows button').click()")
    page.wait_for("document.querySelector('dialog').open")

    lanes = page.value("[...document.querySelectorAll('#ladder .who')].map(e => e.textContent)")
    assert lanes[1:] == ["proxy", "ClearIP", "target 1", "target 2"]
    assert "failed" in page.value("document.querySelector('#ladder .failed .said').textContent")
    assert page.value("document.querySelectorAll('#ladder .identity').length") == 3
    assert "18x rings" in page.value("document.querySelector('#steps').textContent")
    assert "shaken A" in page.text("#facts")
    assert page.value("document.querySelector('#steps').textContent.includes('with Identity')")
    picture(page, "ladder")
    assert page.complaints == []


def test_page_is_used_by_keyboard_alone(page: Tab, second_target_call: str) -> None:
    """Tab goes to a call, Enter opens it, Escape closes it, and the focus is where it was."""
    find(page, second_target_call)
    page.value("document.querySelector('#kind').focus()")
    page.press("Tab")
    assert page.value("document.activeElement.dataset.call") is not None
    assert page.value("document.activeElement.getAttribute('aria-label')").startswith("Ladder of")

    page.press("Enter")
    page.wait_for("document.querySelector('dialog').open")
    page.press("Escape")
    page.wait_for("!document.querySelector('dialog').open")

    assert page.value("document.activeElement.dataset.call") is not None


def test_phone_shows_everything_without_scrolling_sideways(
    page: Tab, second_target_call: str
) -> None:
    """390 pixels are enough, for a ladder of five lanes too; wide tables scroll by themselves."""
    page.is_sized(*PHONE)
    find(page, second_target_call)

    assert page.value("document.documentElement.scrollWidth") <= PHONE[0]
    picture(page, "phone")
    page.value("document.querySelector('#call-rows button').click()")
    page.wait_for("document.querySelector('dialog').open")
    assert page.value("document.querySelector('#ladder').scrollWidth") <= page.value(
        "document.querySelector('#ladder').clientWidth"
    )
    picture(page, "phone-ladder")
    assert page.value("document.documentElement.scrollWidth") <= PHONE[0]


def test_script_from_the_network_stays_a_text(
    page: Tab, proxy: Proxy, clearip: ClearIp, sipp: Sipp
) -> None:
    """In a Reason header, where ClearIP has put it."""
    clearip.says(603, "<b>No</b>", f"Reason: Q.850;cause=21;text={SCRIPT}")
    assert all_succeeded(sipp.play("uac-refused", to=proxy))
    proxy.wait_for_record(sipp.number)
    find(page, sipp.number)

    page.value("document.querySelector('#call-rows button').click()")
    page.wait_for("document.querySelector('dialog').open")

    assert "<script>" in page.text("#facts")
    assert "<b>No</b>" in page.value("document.querySelector('#ladder').textContent")
    assert (
        page.value("document.querySelectorAll('dialog script, dialog img, dialog b').length") == 0
    )
    assert page.value("document.title") == "In-line Proxy for ClearIP"
    assert page.complaints == []


def test_script_in_a_display_name_stays_a_text(
    page: Tab, proxy: Proxy, clearip: ClearIp, sipp: Sipp, tmp_path: Path
) -> None:
    """In the messages of a traced call, where the caller has put it."""
    target = sipp.play("target-200")
    clearip.redirects_to(target.at())
    name = "<script>document.title=1</script><img src=x onerror=document.title=1>"
    with Trace(proxy, tmp_path, sipp.number) as trace:
        caller = f'"{name}" <sip:+14045550100@127.0.0.1>'
        assert all_succeeded(sipp.play("uac-answered", to=proxy, caller=caller), target)
        trace.wait_for("BYE sip:")
    proxy.wait_for_record(sipp.number)
    find(page, sipp.number)

    page.value("document.querySelector('#call-rows button').click()")
    page.wait_for("document.querySelectorAll('#messages details').length > 5")
    page.value("document.querySelectorAll('#messages details').forEach(each => each.open = true)")

    assert f'From: "{name}"' in page.text("#messages")
    assert page.value("document.querySelectorAll('dialog script, dialog img').length") == 0
    assert page.value("document.title") == "In-line Proxy for ClearIP"
    assert page.complaints == []


def test_call_that_nobody_placed_is_not_found(page: Tab) -> None:
    """And that is said."""
    page.value(
        "(() => { const s = document.querySelector('#search'); s.value = 'nobody-at-all';"
        "s.dispatchEvent(new Event('input', {bubbles: true})); })()"
    )

    page.wait_for("document.querySelector('#no-calls').hidden === false")


def test_page_says_when_the_proxy_is_gone(page: Tab, proxy: Proxy) -> None:
    """Old figures must not look like health."""
    proxy.stop()
    page.wait_for("document.querySelector('#health').innerText === 'No answer from the proxy'")
    proxy.restart()

    page.wait_for("document.querySelector('#health').innerText === 'Healthy'")


def test_traced_call_shows_its_messages_below_the_ladder(
    page: Tab, proxy: Proxy, clearip: ClearIp, sipp: Sipp, tmp_path: Path
) -> None:
    """Those of the encrypted leg too, in plain text, on a click."""
    target = sipp.play("target-200")
    clearip.redirects_to(target.at())
    with Trace(proxy, tmp_path, sipp.number) as trace:
        assert all_succeeded(sipp.play("uac-answered", to=proxy), target)
        trace.wait_for("BYE sip:")
    proxy.wait_for_record(sipp.number)
    find(page, sipp.number)

    page.value("document.querySelector('#call-rows button').click()")
    page.wait_for("document.querySelectorAll('#messages details').length > 5")
    page.value("document.querySelectorAll('#messages details').forEach(each => each.open = true)")

    assert "(tls): SIP/2.0 302 Moved Temporarily" in page.text("#messages")
    assert f"INVITE sip:{sipp.number}@sip.clearip.com" in page.text("#messages")
    assert page.value("document.querySelector('#no-messages').hidden")
    picture(page, "messages")
    assert page.complaints == []


def test_node_of_a_group_shows_the_others(
    chromium: Tab, proxy_with: ProxyWith, tmp_path: Path
) -> None:
    """Of one that is not heard nothing is known but that; without a group there is no such part."""
    keys = tmp_path / "keys"
    keys.write_text(secrets.token_hex(32) + "\n")
    node = proxy_with(
        admin={"listen": f"127.0.0.1:{NODE_PORT}"},
        dialog={"key_file": str(keys)},
        cluster={"address": "127.0.0.31", "port": 5999, "peers": ["127.0.0.32"]},
    )
    assert node.process.poll() is None
    wait_until(lambda: is_served(NODE_PORT), "the observer serves the page")
    chromium.is_sized(*DESK)
    chromium.open(f"http://127.0.0.1:{NODE_PORT}/")

    # What it tells of itself is a second old: both of its sites are up when that has passed.
    chromium.wait_for(r"document.querySelector('#nodes')?.innerText.includes('\theard\t0\t0\t2\t')")
    own, other = chromium.value(
        "[...document.querySelectorAll('#nodes tr')]"
        ".map(row => [...row.cells].map(cell => cell.innerText))"
    )
    assert own[:2] == ["127.0.0.31 (this node)", "heard"]
    assert other[:2] == ["127.0.0.32", "not heard"]
    assert len(set(other[2:])) == 1
