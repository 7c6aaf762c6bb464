"""A DNS of the test's own."""

from clearip_proxy.location.dns_records import DnsRecords
from clearip_proxy.location.locating import LookUpFailed, NaptrRecord, SrvRecord


class KnownRecords(DnsRecords):
    """A DNS with one host of two addresses."""

    def __init__(self) -> None:
        self._ttl_s = 40

    def naptr(self, name: str, /) -> list[NaptrRecord]:  # noqa: ARG002 - there are none
        """Nothing."""
        return []

    def srv(self, name: str, /) -> list[SrvRecord]:  # noqa: ARG002 - there are none
        """Nothing."""
        return []

    def addresses(self, name: str, /) -> list[str]:
        """Two for the gateway, a failure for the dead name, nothing for any other."""
        if name == "dead.example.net":
            raise LookUpFailed(name)
        return ["192.0.2.7", "192.0.2.8"] if name == "gw.example.net" else []
