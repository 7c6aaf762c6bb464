"""Who gets in at `admin.listen`."""

import base64
import hashlib

import pytest

from inline_proxy.observation.login import MOST_FAILURES, WAIT_S, Login
from inline_proxy.passwords import hashed

HOST, OTHER_HOST = "192.0.2.1", "192.0.2.2"


def basic(user: str, password: str) -> str:
    """What a browser sends."""
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


class Clock:
    """Time as a test has it."""

    now_s = 1000.0

    def __call__(self) -> float:
        """Tell it."""
        return self.now_s


@pytest.fixture
def clock() -> Clock:
    """A clock that stands."""
    return Clock()


@pytest.fixture(scope="module")
def users() -> dict[str, str]:
    """One user; hashing takes its time."""
    return {"ann": hashed("horse")}


@pytest.fixture
def login(users: dict[str, str], clock: Clock) -> Login:
    """The door."""
    return Login(users, clock)


def test_good_password_lets_in(login: Login) -> None:
    """As often as the page asks."""
    assert all(login.lets_in(HOST, basic("ann", "horse")) for _ in range(2 * MOST_FAILURES))


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Basic",
        "Basic ?",
        "Bearer x",
        basic("ann", "house"),
        basic("bob", "horse"),
        "Basic YQ==",
    ],
)
def test_anything_else_does_not(login: Login, header: str) -> None:
    """Neither another scheme, nor what is no Base64."""
    assert not login.lets_in(HOST, header)


def test_good_password_is_hashed_once(login: Login, monkeypatch: pytest.MonkeyPatch) -> None:
    """Scrypt is slow on purpose, and a page asks every second."""
    assert login.lets_in(HOST, basic("ann", "horse"))

    def fail(*_: object, **__: object) -> bytes:
        raise AssertionError

    monkeypatch.setattr(hashlib, "scrypt", fail)
    assert login.lets_in(HOST, basic("ann", "horse"))


def test_who_guesses_must_wait(login: Login, clock: Clock) -> None:
    """And nobody else."""
    for _ in range(MOST_FAILURES):
        assert not login.must_wait(HOST)
        login.lets_in(HOST, "Basic YTpi")

    assert login.must_wait(HOST)
    assert not login.must_wait(OTHER_HOST)
    clock.now_s += WAIT_S
    assert not login.must_wait(HOST)
