"""A real Chromium without a window, steered by its DevTools protocol."""

import asyncio
import base64
import itertools
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp

from sipp.waiting import wait_until

PATIENCE_S = 30
LARGEST = 1 << 26
KEY_CODES = {"Tab": 9, "Enter": 13, "Escape": 27}
FLAGS = (
    *("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"),
    *("--no-first-run", "--disable-background-networking", "--ignore-certificate-errors"),
    *("--remote-debugging-port=0", "--window-size=1280,900", "about:blank"),
)
SEEN_EVENTS = {"Runtime.exceptionThrown", "Log.entryAdded", "Runtime.consoleAPICalled"}


class Tab:
    """The browser's one tab; each call goes there and back."""

    def __init__(self, address: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._numbers = itertools.count(1)
        self.complaints: list[str] = []
        """Errors and warnings: of scripts, and of what the page's policy has kept away."""
        self._session, self._socket = self._loop.run_until_complete(self._connect(address))
        for domain in ("Page", "Runtime", "Log"):
            self.tell(f"{domain}.enable")

    async def _connect(
        self, address: str
    ) -> tuple[aiohttp.ClientSession, aiohttp.ClientWebSocketResponse]:
        session = aiohttp.ClientSession()
        async with session.get(f"http://{address}/json/list") as answer:
            [tab] = [each for each in await answer.json() if each["type"] == "page"]
        return session, await session.ws_connect(tab["webSocketDebuggerUrl"], max_msg_size=LARGEST)

    def close(self) -> None:
        """Hang up."""
        self._loop.run_until_complete(self._session.close())
        self._loop.close()

    def tell(self, method: str, **parameters: object) -> dict[str, Any]:
        """Have a command carried out, and return what comes of it."""
        return self._loop.run_until_complete(
            asyncio.wait_for(self._tell(method, parameters), PATIENCE_S)
        )

    async def _tell(self, method: str, parameters: dict[str, object]) -> dict[str, Any]:
        number = next(self._numbers)
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        while True:
            message: dict[str, Any] = await self._socket.receive_json()
            if message.get("method") in SEEN_EVENTS:
                self.complaints.append(str(message["params"])[:500])
            if message.get("id") == number:
                assert "error" not in message, message["error"]
                result: dict[str, Any] = message["result"]
                return result

    def open(self, url: str) -> None:
        """Go to a page."""
        self.tell("Page.navigate", url=url)

    def value(self, expression: str) -> Any:  # noqa: ANN401 - as JavaScript has it
        """Return what an expression is in the page."""
        answer = self.tell("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def wait_for(self, expression: str) -> None:
        """Wait until an expression holds in the page."""
        try:
            wait_until(lambda: bool(self.value(expression)), f"the page has {expression}")
        except TimeoutError as late:
            late.add_note(f"it shows:\n{self.text('body')}\nand complains: {self.complaints}")
            raise

    def text(self, selector: str) -> str:
        """The text that an element shows."""
        return str(self.value(f"document.querySelector({selector!r})?.innerText ?? ''"))

    def press(self, key: str) -> None:
        """Press a key and let it go."""
        text = "\r" if key == "Enter" else ""
        named = {"key": key, "code": key, "windowsVirtualKeyCode": KEY_CODES[key]}
        for kind in ("keyDown", "keyUp"):
            self.tell("Input.dispatchKeyEvent", type=kind, text=text, **named)

    def is_sized(self, width: int, height: int) -> None:
        """Show the page as large as this, in CSS pixels."""
        self.tell(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 500,
        )

    def prefers(self, scheme: str) -> None:
        """`light` or `dark`."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.tell("Emulation.setEmulatedMedia", features=features)

    def screenshot(self, path: Path) -> None:
        """Keep what is to be seen."""
        path.write_bytes(base64.b64decode(self.tell("Page.captureScreenshot")["data"]))


@contextmanager
def browser(directory: Path) -> Iterator[Tab]:
    """Start Chromium with a profile of its own."""
    port_file = directory / "profile" / "DevToolsActivePort"
    with (directory / "chromium.log").open("wb") as log:
        process = subprocess.Popen(
            ["chromium", f"--user-data-dir={directory / 'profile'}", *FLAGS],
            stdout=log,
            stderr=log,
        )
    try:
        wait_until(
            lambda: port_file.exists() and "\n" in port_file.read_text(), "Chromium is there"
        )
        tab = Tab(f"127.0.0.1:{port_file.read_text().splitlines()[0]}")
        yield tab
        tab.close()
    finally:
        process.terminate()
        process.wait(PATIENCE_S)
