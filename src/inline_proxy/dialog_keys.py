"""The keys that sign the dialogs: the configured ones, or one that the proxy makes itself."""

import os
import secrets
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from inline_proxy.certificates import write_atomically
from inline_proxy.config.dialog import KEY_BYTES, Dialog, keys_in

KEY_FILE = "dialog-keys"
PRIVATE_FILE = 0o600


def key_file(dialog: Dialog, state_directory: Path) -> Path:
    """Return the configured file, or the one that the proxy makes itself in the directory."""
    return dialog.key_file or state_directory.resolve() / KEY_FILE


def kept_for_the_user(dialog: Dialog, environment: Mapping[str, str] = os.environ) -> Dialog:
    """Name a file where the user's programs keep their state, where none is configured.

    A proxy that is started by hand, without a directory of its own, then knows its dialogs again
    when it is started anew. Where that place cannot be had, the dialogs end with the proxy.
    """
    home = environment.get("XDG_STATE_HOME") or f"{environment.get('HOME', '')}/.local/state"
    directory = Path(home) / "inline-proxy"
    if dialog.key_file is not None or not directory.is_absolute():
        return dialog
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError:
        return dialog
    return (
        replace(dialog, key_file=directory / KEY_FILE) if os.access(directory, os.W_OK) else dialog
    )


def dialog_keys(file: Path) -> str:
    """Return the keys as the routing script reads them; make one where there is no file.

    One that was made before stays: calls that it has signed may still be up. Raises `OSError`,
    and `Refused` for a file that holds something else.
    """
    if not file.exists():
        write_atomically(file, f"{secrets.token_hex(KEY_BYTES)}\n".encode(), PRIVATE_FILE)
    return "".join(f"{key.hex()}\n" for key in keys_in(file))
