"""The install.sh that is published beside an archive: piped into sh, it knows what to fetch."""

import re
import shlex
from pathlib import Path

from inline_proxy.release.archive import Release

SCRIPT = "install.sh"
ADDRESS = re.compile(r"https?://[\w.:/\[\]~%+-]+")


class CannotPublish(ValueError):
    """The address is none that a release can be fetched from; the text says what is."""


def publish(root: Path, release: Release, url: str) -> Path:
    """Write the script beside the archive and return its path; raises `CannotPublish`."""
    if not ADDRESS.fullmatch(url):
        raise CannotPublish(f"--url: {url} is no address; allowed: https://HOST/FOLDER")
    text = (root / SCRIPT).read_text()
    for name, value in (("at", url.rstrip("/")), ("version", release.name)):
        blank, filled = f"published_{name}=''\n", f"published_{name}={shlex.quote(value)}\n"
        if text.count(blank) != 1:
            raise CannotPublish(f"{SCRIPT} has no line {blank.strip()} to be filled in")
        text = text.replace(blank, filled)
    script = release.archive.with_name(SCRIPT)
    script.write_text(text)
    script.chmod(0o755)
    return script
