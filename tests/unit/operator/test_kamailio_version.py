"""Which Kamailio is installed, as `kamailio -v` says it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from inline_proxy.kamailio_version import KamailioMissing, KamailioVersion, installed_version

InstallFake = Callable[[str], Path]


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("version: kamailio 5.6.3 (x86_64/linux) ", KamailioVersion(5, 6, 3)),
        ("version: kamailio 6.0.1 (x86_64/linux) ", KamailioVersion(6, 0, 1)),
        ("version: kamailio 6.1.0-dev0 (x86_64/linux) a1b2c3", KamailioVersion(6, 1, 0)),
    ],
)
def test_version_is_read(
    install_kamailio: InstallFake, said: str, version: KamailioVersion
) -> None:
    """From the first line of what it says."""
    install_kamailio(f"print({said!r})")

    assert installed_version() == version


def test_missing_kamailio_is_refused_with_the_packages_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The sentence is the remedy."""
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(
        KamailioMissing, match=r"kamailio -v cannot be run .*; install the packages kamailio, "
    ):
        installed_version()


def test_failing_kamailio_is_refused(install_kamailio: InstallFake) -> None:
    """A missing library, say."""
    install_kamailio("sys.exit(127)")

    with pytest.raises(KamailioMissing, match="non-zero exit status 127"):
        installed_version()


def test_kamailio_without_version_is_refused(install_kamailio: InstallFake) -> None:
    """Some other program of that name."""
    install_kamailio("print('hello')")

    with pytest.raises(KamailioMissing, match=r"says no version, but 'hello\\n'; install"):
        installed_version()


@pytest.mark.parametrize(
    ("version", "workers", "has_mode"),
    [
        (KamailioVersion(5, 6, 3), 1, False),
        (KamailioVersion(5, 7, 99), 1, False),
        (KamailioVersion(5, 8, 0), 4, True),
        (KamailioVersion(6, 0, 1), 4, True),
    ],
)
def test_tcp_workers_follow_the_version(
    version: KamailioVersion, workers: int, *, has_mode: bool
) -> None:
    """Two workers corrupt memory under TLS before 5.8."""
    assert (version.tcp_workers, version.has_tls_threads_mode) == (workers, has_mode)


@pytest.mark.parametrize(
    ("version", "drops"), [(KamailioVersion(5, 6, 3), False), (KamailioVersion(6, 0, 1), True)]
)
def test_large_messages_are_dropped_since_6(version: KamailioVersion, *, drops: bool) -> None:
    """Older ones do not know the setting and would not start with it."""
    assert version.drops_large_messages == drops


def test_version_is_written_with_dots() -> None:
    """As people write it."""
    assert str(KamailioVersion(5, 6, 3)) == "5.6.3"
