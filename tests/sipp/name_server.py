"""A name server that takes every question, and answers only what the test has told it."""

from pathlib import Path

from sipp.dns_socket import Client, DnsSocket, question_in

ADDRESS = "127.0.0.53"
FOR_A_MINUTE = 60


class NameServer(DnsSocket):
    """Silent about names that are not in `addresses`."""

    def __init__(self, directory: Path) -> None:
        super().__init__(ADDRESS)
        self.addresses: dict[str, str | tuple[str, ...]] = {}
        self.ttl_s = FOR_A_MINUTE
        self.questions: list[str] = []
        """The names asked for, in order."""
        self._resolv_conf = directory / "resolv.conf"
        self._resolv_conf.write_text(f"nameserver {ADDRESS}\n")

    @property
    def prefix(self) -> tuple[str, ...]:
        """What to put before a command, so that it asks this server."""
        bind = f"mount --bind {self._resolv_conf} /etc/resolv.conf"
        return ("unshare", "--mount", "sh", "-c", f'{bind} && exec "$@"', "sh")

    def take(self, wire: bytes, client: Client) -> None:
        """Answer with an A record for each address; there are no records of another type."""
        name, kind = question_in(wire)
        self.questions.append(name)
        if name in self.addresses:
            known = self.addresses[name]
            addresses = (known,) if isinstance(known, str) else known
            records = addresses if kind == "A" else ()
            self.answer(wire, client, records, is_known=True, ttl_s=self.ttl_s)
