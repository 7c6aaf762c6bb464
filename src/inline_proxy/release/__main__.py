"""`python3 -m inline_proxy.release`: pack the tree that this module lies in."""

import argparse
import sys
from pathlib import Path

from inline_proxy.paths import ROOT
from inline_proxy.release.archive import pack
from inline_proxy.release.contents import NotATree


def main() -> int:
    """Pack, and print the archive's path alone on stdout."""
    parser = argparse.ArgumentParser(prog="release", description=main.__doc__)
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "build" / "release")
    try:
        release = pack(ROOT, parser.parse_args().output)
    except (NotATree, OSError) as fault:
        sys.stderr.write(f"release: {fault}\n")
        return 1
    sys.stdout.write(f"{release.archive}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
