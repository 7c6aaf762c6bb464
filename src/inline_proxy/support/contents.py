"""What goes into a support bundle, each part a text by its name."""

import json
import platform
import shutil
import subprocess
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Final

from inline_proxy import __version__
from inline_proxy.config.dialog import Dialog
from inline_proxy.config.faults import ConfigInvalid
from inline_proxy.config.load import load_config
from inline_proxy.config.model import ProxyConfig
from inline_proxy.dialog_keys import KEY_FILE, key_file
from inline_proxy.installation import SERVICE
from inline_proxy.kamailio_version import KamailioMissing, installed_version
from inline_proxy.observation.record_choice import masked
from inline_proxy.observation.record_file import FILE_NAME, files_of, records_in
from inline_proxy.support.redaction import (
    configuration_without_secrets,
    secrets_in,
    without_secrets,
)

MOST_RECORDS: Final = 1_000
MOST_LINES: Final = 5_000
LIMIT_S: Final = 20
RENDERED: Final = ("kamailio.cfg", "tls.cfg", "packet-filter.nft")
LIBRARIES: Final = "aiohttp click cryptography jinja2 marshmallow prometheus_client psutil"


@dataclass(frozen=True, slots=True)
class Sources:
    """Where a bundle takes its parts from."""

    config: Path
    runtime: Path
    state: Path
    logs: Path
    status: Callable[[], Mapping[str, Any]]
    """Asks the running proxy."""


def parts(sources: Sources, *, mask_numbers: bool) -> dict[str, str]:
    """Return every part; what cannot be had is a part that says why."""
    config, faults = _judged(sources.config)
    found = {
        "versions.txt": "\n".join(_versions()) + "\n",
        "config.yaml": _configuration(sources.config),
        "check.txt": faults or "no fault\n",
        "status.json": json.dumps(sources.status(), indent=1) + "\n",
        "calls.jsonl": "".join(_records(sources.logs / FILE_NAME, mask_numbers=mask_numbers)),
        "log.txt": _log(),
        **{f"rendered/{name}": _text(sources.runtime / name) for name in RENDERED},
    }
    secrets = secrets_in(_secret_files(config, sources))
    return {name: without_secrets(text, secrets) for name, text in found.items()}


def _judged(path: Path) -> tuple[ProxyConfig | None, str]:
    try:
        return load_config(path), ""
    except ConfigInvalid as invalid:
        # A fault quotes the value that is wrong, which may be a password that was misplaced.
        named = sorted({".".join(map(str, fault.keys)) for fault in invalid.faults})
        return None, "".join(
            f"{name}: is wrong; `inline-proxy check` says what\n" for name in named
        )


def _secret_files(config: ProxyConfig | None, sources: Sources) -> Iterator[Path]:
    """Files of which no word may be in a bundle."""
    yield sources.runtime / KEY_FILE
    yield key_file(Dialog() if config is None else config.dialog, sources.state)
    if config is not None:
        keys = (config.clearip.tls.private_key, config.listen.tls_private_key)
        yield from (Path(key) for key in keys if key)
    yield from sources.state.glob("*key*.pem")


def _configuration(path: Path) -> str:
    try:
        return configuration_without_secrets(path.read_text(errors="replace"))
    except OSError as error:
        return f"# {path}: {error.strerror}\n"


def _text(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError as error:
        return f"# {path}: {error.strerror}\n"


def _records(path: Path, *, mask_numbers: bool) -> Iterator[str]:
    """Yield the last records, the oldest first."""
    last: deque[dict[str, Any]] = deque(maxlen=MOST_RECORDS)
    for file in files_of(path)[-2:]:
        try:
            with file.open("rb") as lines:
                last.extend(records_in(lines))
        except OSError as error:
            yield json.dumps({"left_out": str(file), "because": error.strerror}) + "\n"
    for record in last:
        yield json.dumps(masked(record) if mask_numbers else record) + "\n"


def _log() -> str:
    if shutil.which("journalctl") is None:
        return "# this host has no journal\n"
    newest = ["--lines", str(MOST_LINES), "--no-pager", "--output", "short-iso-precise"]
    return _said_by("journalctl", "--unit", SERVICE, *newest)


def _versions() -> Iterator[str]:
    yield f"inline-proxy {__version__}"
    try:
        yield f"kamailio {installed_version()}"
    except KamailioMissing as missing:
        yield f"kamailio: {missing}"
    yield f"python {platform.python_version()}"
    yield f"kernel {platform.release()} {platform.machine()}"
    yield from _text(Path("/etc/os-release")).splitlines()[:2]
    names = [f"python3-{name.replace('_', '-')}" for name in LIBRARIES.split()]
    shown = chain(names, ("openssl", "systemd", "nftables", "kamailio"))
    yield _said_by("dpkg-query", "--show", *shown) if shutil.which("dpkg-query") else ""


def _said_by(*command: str) -> str:
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", check=False, timeout=LIMIT_S
        )
    except (OSError, subprocess.SubprocessError) as error:
        return f"# {command[0]}: {error}\n"
    return done.stdout
