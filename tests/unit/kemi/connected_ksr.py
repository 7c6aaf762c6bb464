"""A Kamailio with a verified connection to a ClearIP site."""

from unit.kemi.fake_ksr import FakeKsr

SITE = "sip:192.0.2.10:5061;transport=tls"
CONNECTION = 7


def connected(ksr: FakeKsr) -> FakeKsr:
    """Give it the site, chosen, and its connection, verified and open."""
    ksr.variables["$du"] = SITE
    ksr.open_connections.add(CONNECTION)
    ksr.tables.setdefault("sites", {}).update(
        {f"{SITE} verified": CONNECTION, "connecting until": 0}
    )
    return ksr
