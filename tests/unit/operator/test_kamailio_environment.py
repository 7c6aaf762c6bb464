"""What Kamailio is given in its environment."""

import pytest

from inline_proxy.kamailio_environment import kamailio_environment


def test_name_server_that_stays_silent_is_waited_for_one_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Everything else is as it was."""
    monkeypatch.delenv("RES_OPTIONS", raising=False)
    monkeypatch.setenv("LANG", "C.UTF-8")

    environment = kamailio_environment()

    assert environment["RES_OPTIONS"] == "timeout:1 attempts:1"
    assert environment["LANG"] == "C.UTF-8"


def test_options_of_the_operator_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    """The resolver takes the last of those that contradict each other."""
    monkeypatch.setenv("RES_OPTIONS", "use-vc timeout:7")

    assert kamailio_environment()["RES_OPTIONS"] == "use-vc timeout:7 timeout:1 attempts:1"
