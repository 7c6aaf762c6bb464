"""The part `dialog`: how requests inside a dialog prove that they belong to it."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from inline_proxy.config.faults import Refused
from inline_proxy.config.key import key
from inline_proxy.config.pem_files import absolute_path, content
from inline_proxy.config.values import Value

KEY_BYTES: Final = 32
_KEY: Final = re.compile(rb"[0-9A-Fa-f]{%d}" % (2 * KEY_BYTES))
_MOST_KEYS: Final = 8


def keys_in(path: Path) -> tuple[bytes, ...]:
    """The keys in a file, one per line, the signing one first; raises `Refused`."""
    lines = [line.strip() for line in content(path).splitlines()]
    keys = [line for line in lines if line and not line.startswith(b"#")]
    if not keys:
        raise Refused("names a file that holds no key")
    if len(keys) > _MOST_KEYS:
        raise Refused(f"names a file with more than {_MOST_KEYS} keys")
    if not all(_KEY.fullmatch(each) for each in keys):
        raise Refused(f"names a file with a line that is not {2 * KEY_BYTES} hexadecimal digits")
    return tuple(bytes.fromhex(each.decode("ascii")) for each in keys)


def _key_file(value: object) -> Path:
    path = absolute_path(value)
    keys_in(path)
    return path


@dataclass(frozen=True, slots=True)
class Dialog:
    """How requests inside a dialog prove that they belong to it."""

    key_file: Path | None = field(
        default=None,
        metadata=key(
            Value(
                _key_file,
                wrong="is not the path of a file",
                allowed="the absolute path of a file with one key of 64 hexadecimal digits per "
                "line, or null",
                null=True,
                secret=True,
            ),
            "The keys that sign dialogs: the first signs, each is good for checking. The proxies "
            "of a group share them. Null: one that the proxy makes when it first starts.",
            example="/etc/inline-proxy/dialog-keys",
        ),
    )
