"""Keys that are validated now and work later: one case for every row of the table."""

import pytest

from inline_proxy.config import parse_config
from inline_proxy.config.not_supported_yet import NOT_SUPPORTED_YET, Row, unsupported
from unit.config.reading import declared_keys, faults_of

KEYS = {key.path: key for key in declared_keys()}


@pytest.mark.parametrize("row", NOT_SUPPORTED_YET, ids=lambda row: row.path)
def test_key_of_the_table_is_refused_by_name_when_it_is_set(row: Row) -> None:
    """The example of the reference is another value than the default."""
    key = KEYS[row.path]

    faults = faults_of(key.written(str(key.key.example)))

    assert faults == [f"{key.fault_path}: not supported yet: {row.reason}; leave this key out"]


@pytest.mark.parametrize("row", NOT_SUPPORTED_YET, ids=lambda row: row.path)
def test_key_of_the_table_is_still_validated(row: Row) -> None:
    """A bad value is a fault of its own, and the only one."""
    key = KEYS[row.path]

    faults = faults_of(key.written("-7.5"))

    assert len(faults) == 1
    assert "(found -7.5); allowed: " in faults[0]


def test_every_entry_of_a_list_is_looked_at() -> None:
    """The third source is refused as the first would be."""
    config = parse_config("trusted: [10.0.0.0/8, 192.0.2.1, {network: 192.0.2.2, max_cps: 5}]")

    faults = unsupported([Row("trusted[].max_cps", "it is late")], config)

    assert [fault.path for fault in faults] == ["trusted[2].max_cps"]


def test_table_is_told_apart_from_other_faults() -> None:
    """Both kinds appear in one go."""
    faults = faults_of("admin: {listen: '127.0.0.1:9'}\nlisten: {udp: x}\n")

    assert [fault.partition(": ")[0] for fault in faults] == ["admin.listen", "listen.udp"]
