"""The ClearIP stand-in as a program: `python -m inline_proxy.lab.clearip`."""

import argparse
import asyncio
import functools
import signal
import ssl
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from pathlib import Path

from inline_proxy.lab.answer import Means
from inline_proxy.lab.answers import for_user
from inline_proxy.lab.conversation import Settings
from inline_proxy.lab.passport import Signer
from inline_proxy.lab.recording import FileRecord, NoRecord, Record
from inline_proxy.lab.rules import RulesError, answer_by, read_rules
from inline_proxy.lab.server import StandIn, TlsIdentity


class Arguments(argparse.Namespace):
    """The command line, typed."""

    listen: tuple[str, int]
    cert: Path | None
    key: Path | None
    plain: bool
    signing_key: Path | None
    record: Path | None
    carrier: list[tuple[str, str]]
    answers: Path | None
    options_status: int


def main(command_line: Sequence[str] | None = None) -> int:
    """Answer INVITEs as ClearIP would; prints `ready` once it listens, ends on SIGTERM."""
    arguments = _parser().parse_args(command_line, Arguments())
    try:
        with _record(arguments.record) as record:
            stand_in = StandIn(_settings(arguments), record, _tls(arguments))
            asyncio.run(_serve(stand_in, *arguments.listen))
    except (OSError, ssl.SSLError, ValueError, RulesError) as error:
        print(f"clearip: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    """Describe the command line."""
    parser = argparse.ArgumentParser(prog="clearip", description=main.__doc__)
    add = parser.add_argument
    add("--listen", type=_address, default=("127.0.0.1", 6061), metavar="HOST:PORT")
    add("--cert", type=Path, help="TLS certificate, PEM")
    add("--key", type=Path, help="its private key, PEM")
    add("--plain", action="store_true", help="speak TCP without TLS")
    add("--signing-key", type=Path, help="P-256 key that signs PASSporTs, PEM")
    add("--record", type=Path, help="where to write what passes; nowhere unless given")
    add("--carrier", type=_carrier, action="append", default=[], metavar="NAME=sip:HOST:PORT")
    add("--answers", type=Path, help="JSON rules, instead of the numbering plan")
    add("--options-status", type=int, default=200, help="the answer to OPTIONS, 200 unless given")
    return parser


def _address(value: str) -> tuple[str, int]:
    """Read HOST:PORT; an IPv6 address stands in brackets."""
    host, separator, port = value.rpartition(":")
    if not separator or not port.isdecimal():
        raise argparse.ArgumentTypeError(f"{value!r} is not HOST:PORT")
    return host.strip("[]"), int(port)


def _carrier(value: str) -> tuple[str, str]:
    """Read NAME=URI."""
    name, _, uri = value.partition("=")
    if not uri.startswith("sip:"):
        raise argparse.ArgumentTypeError(f"{value!r} is not NAME=sip:HOST:PORT")
    return name, uri


def _settings(arguments: Arguments) -> Settings:
    """Give the behaviour that the command line asks for."""
    rules = read_rules(arguments.answers) if arguments.answers else None
    signer = Signer.from_file(arguments.signing_key) if arguments.signing_key else None
    return Settings(
        means=Means(signer, dict(arguments.carrier)),
        answer_for=for_user if rules is None else functools.partial(answer_by, rules),
        options_status=arguments.options_status,
    )


def _record(path: Path | None) -> AbstractContextManager[Record]:
    """Open the record; one that takes nothing down costs nothing either."""
    return FileRecord(path) if path else nullcontext(NoRecord())


def _tls(arguments: Arguments) -> TlsIdentity | None:
    """Load the certificate; None for plain TCP."""
    if arguments.plain:
        return None
    if arguments.cert is None or arguments.key is None:
        raise ValueError("give --cert and --key, or --plain")
    return TlsIdentity(arguments.cert, arguments.key)


async def _serve(stand_in: StandIn, host: str, port: int) -> None:
    """Serve until SIGTERM or SIGINT."""
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    await stand_in.start(host, port)
    with suppress(BrokenPipeError):
        print("ready", flush=True)
    await ended.wait()
    await stand_in.stop()


if __name__ == "__main__":
    sys.exit(main())
