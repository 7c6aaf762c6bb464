"""`admin.listen` where other hosts reach it: TLS and a password; at home: the right host name."""

import http.client
import ssl
from base64 import b64encode
from contextlib import closing
from pathlib import Path

import pytest

from inline_proxy.passwords import with_user
from sipp.clearip import Site
from sipp.conftest import ProxyWith
from sipp.hosts import tcp_socket
from sipp.proxy import Proxy
from sipp.tls_bridge import trusting
from sipp.waiting import wait_until

PORT, LOCAL_PORT = 8098, 8097
PATHS = ("/", "/metrics", "/status.json", "/healthz", "/calls.json", "/rates.json", "/page.js")
GOOD = {"Authorization": "Basic " + b64encode(b"ann:horse").decode()}
WRONG = {"Authorization": "Basic " + b64encode(b"ann:house").decode()}
Answer = tuple[int, dict[str, str]]


@pytest.fixture(scope="session")
def users_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One user."""
    file = tmp_path_factory.mktemp("users") / "users"
    file.write_text(with_user("", "ann", "horse"))
    return file


@pytest.fixture
def open_proxy(proxy_with: ProxyWith, users_file: Path, clearip_sites: tuple[Site, ...]) -> Proxy:
    """A healthy proxy whose page is served on every address."""
    assert clearip_sites
    proxy = proxy_with(admin={"listen": f"0.0.0.0:{PORT}", "password_file": str(users_file)})
    wait_until(lambda: takes_connections(PORT), "the page is served")
    wait_until(lambda: get("/healthz", GOOD)[0] == 200, "the proxy is healthy")
    return proxy


def takes_connections(port: int) -> bool:
    """Whether somebody listens."""
    with tcp_socket("127.0.0.1") as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


def get(path: str, headers: dict[str, str], source: str = "127.0.0.1") -> Answer:
    """Ask over TLS."""
    with closing(
        http.client.HTTPSConnection(
            "127.0.0.1", PORT, timeout=10, context=trusting(), source_address=(source, 0)
        )
    ) as connection:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}


@pytest.mark.parametrize("path", PATHS)
def test_page_that_others_reach_asks_for_a_password(open_proxy: Proxy, path: str) -> None:
    """For everything that it serves."""
    assert open_proxy.process.poll() is None

    refused, said = get(path, {})
    assert refused == 401
    assert said["www-authenticate"].startswith("Basic ")
    status, headers = get(path, GOOD)
    assert status == 200
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert headers["x-frame-options"] == "DENY"


def test_wrong_passwords_make_one_host_wait(open_proxy: Proxy) -> None:
    """The right one would not help it now; another host is let in."""
    statuses = [get("/healthz", WRONG, "127.0.0.9")[0] for _ in range(6)]

    assert statuses == [401] * 5 + [429]
    assert get("/healthz", GOOD, "127.0.0.9")[0] == 429
    assert get("/healthz", GOOD, "127.0.0.10")[0] == 200
    assert open_proxy.process.poll() is None


def test_password_is_never_asked_for_without_tls(open_proxy: Proxy) -> None:
    """Plain HTTP gets no answer that a browser would take for a login."""
    with closing(http.client.HTTPConnection("127.0.0.1", PORT, timeout=10)) as connection:
        connection.request("GET", "/", headers=GOOD)

        with pytest.raises((OSError, http.client.HTTPException, ssl.SSLError)):
            connection.getresponse()
    assert open_proxy.process.poll() is None


@pytest.mark.parametrize(
    ("host", "status"),
    [
        (f"127.0.0.1:{LOCAL_PORT}", 200),
        (f"localhost:{LOCAL_PORT}", 200),
        ("localhost", 200),
        (f"[::1]:{LOCAL_PORT}", 200),
        (f"evil.example:{LOCAL_PORT}", 421),
        ("evil.example", 421),
        ("192.0.2.1", 421),
    ],
)
def test_page_of_this_host_answers_to_its_own_names_alone(
    proxy_with: ProxyWith, host: str, status: int
) -> None:
    """A site whose name resolves to a loopback address reads nothing through a browser here."""
    proxy = proxy_with(admin={"listen": f"127.0.0.1:{LOCAL_PORT}"})
    wait_until(lambda: takes_connections(LOCAL_PORT), "the page is served")
    with closing(http.client.HTTPConnection("127.0.0.1", LOCAL_PORT, timeout=10)) as connection:
        connection.request("GET", "/status.json", headers={"Host": host})

        assert connection.getresponse().status == status
    assert proxy.process.poll() is None
