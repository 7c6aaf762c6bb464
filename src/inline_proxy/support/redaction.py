"""Taking secrets out of texts: by their form, by the name they stand under, and as they are."""

import re
from collections.abc import Iterable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

HIDDEN: Final = "(hidden)"
SHORTEST: Final = 8
"""Characters: what is shorter is no key, and would be found everywhere."""
_TELLING_NAME: Final = re.compile(r"key|passw|secret|token|credential|hash", re.IGNORECASE)
_PEM: Final = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z)", re.DOTALL
)
_PASSWORD_IN_URI: Final = re.compile(
    r"(?P<name>\b[a-z][a-z0-9+.-]*:(?://)?[^\s:@/<>]+:)[^\s@/<>]+(?=@)", re.IGNORECASE
)
_CREDENTIALS: Final = re.compile(
    r"(?P<name>\b(?:proxy-)?authorization[ \t]*:)[^\r\n]*", re.IGNORECASE
)
_DIALOG_TOKEN: Final = re.compile(r"(?P<name>;[ \t]*dialog[ \t]*=)[^;>,\s\"]+", re.IGNORECASE)


def without_secrets(text: str, secrets: Iterable[str] = ()) -> str:
    """Return a text without private keys, passwords, dialog tokens, and the secrets given."""
    safe = _PEM.sub(HIDDEN, text)
    for pattern in (_PASSWORD_IN_URI, _CREDENTIALS, _DIALOG_TOKEN):
        safe = pattern.sub(rf"\g<name>{HIDDEN}", safe)
    for secret in sorted(secrets, key=len, reverse=True):
        safe = safe.replace(secret, HIDDEN)
    return safe


def secrets_in(files: Iterable[Path]) -> frozenset[str]:
    """Return every word of files that are secrets; of files that cannot be read, none."""
    return frozenset(word for file in files for word in _words(file) if len(word) >= SHORTEST)


def _words(file: Path) -> Iterator[str]:
    try:
        lines = file.read_text(errors="replace").splitlines()
    except OSError:
        return
    yield from (word for line in lines if not line.startswith("-----") for word in line.split())


def configuration_without_secrets(text: str) -> str:
    """Return a configuration, its comments left out, with the values of telling keys hidden.

    What is no YAML is left out as a whole: nobody can say what in it is secret.
    """
    yaml = YAML(typ="safe")
    yaml.default_flow_style = False
    try:
        hidden = _hide(yaml.load(text))
        written = StringIO()
        yaml.dump(hidden, written)
    except YAMLError as error:
        return f"# left out: no YAML: {type(error).__name__}\n"
    return without_secrets(written.getvalue())


def _hide(value: Any) -> Any:  # noqa: ANN401 - as YAML holds it
    if isinstance(value, dict):
        return {
            name: HIDDEN if each is not None and _TELLING_NAME.search(str(name)) else _hide(each)
            for name, each in value.items()
        }
    if isinstance(value, list):
        return [_hide(each) for each in value]
    return value
