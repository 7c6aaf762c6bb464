"""The part of the stand-in for `KSR` that holds the shared tables."""

# ruff: noqa: D102 - the shapes are Kamailio's, described in ksr.port

from dataclasses import dataclass, field


@dataclass
class FakeSharedTables:
    """`KSR.htable`, without expiry."""

    tables: dict[str, dict[str, str | int]] = field(default_factory=dict)
    variables: dict[str, str | int] = field(default_factory=dict)
    """Where an iterator shows what it stands at."""

    def _table(self, name: str) -> dict[str, str | int]:
        return self.tables.setdefault(name, {})

    def sht_get(self, table: str, key: str, /) -> str | int | None:
        return self._table(table).get(key)

    def sht_seti(self, table: str, key: str, value: int, /) -> int:
        self._table(table)[key] = value
        return 1

    def sht_sets(self, table: str, key: str, value: str, /) -> int:
        self._table(table)[key] = value
        return 1

    def sht_setxs(self, table: str, key: str, value: str, ttl_s: int, /) -> int:
        self._table(table)[key] = value
        self._table(f"{table} ttl_s")[key] = ttl_s
        return 1

    def sht_inc(self, table: str, key: str, /) -> int:
        value = int(self._table(table).get(key, 0)) + 1
        self._table(table)[key] = value
        return value

    def sht_dec(self, table: str, key: str, /) -> int:
        if key not in self._table(table):
            return -255
        self._table(table)[key] = int(self._table(table)[key]) - 1
        return int(self._table(table)[key])

    def sht_setex(self, table: str, key: str, ttl_s: int, /) -> int:
        self._table(f"{table} ttl_s")[key] = ttl_s
        return 1

    def sht_rm(self, table: str, key: str, /) -> int:
        self._table(table).pop(key, None)
        return 1

    def sht_reset(self, table: str, /) -> int:
        self._table(table).clear()
        return 1

    def sht_iterator_start(self, iterator: str, table: str, /) -> int:
        self.variables[f"{iterator} stands at"] = 0
        self.variables[f"{iterator} walks"] = table
        return 1

    def sht_iterator_next(self, iterator: str, /) -> int:
        at = int(self.variables[f"{iterator} stands at"])
        entries = list(self._table(str(self.variables[f"{iterator} walks"])).items())
        if at >= len(entries):
            return -1
        key, value = entries[at]
        self.variables |= {f"$shtitkey({iterator})": key, f"$shtitval({iterator})": value}
        self.variables[f"{iterator} stands at"] = at + 1
        return 1

    def sht_iterator_end(self, iterator: str, /) -> int:
        del self.variables[f"{iterator} stands at"]
        return 1
