"""Facts about a column of a table: how much of what is in it. One look at each row."""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, cast

from lua_ls_persist.query import Class, Field, Group
from lua_ls_persist.store.grid_facts import GridFacts
from lua_ls_persist.store.rows import (
    BOOLEAN,
    FLOAT,
    INTEGER,
    STRING,
    Native,
    Value,
    as_native,
)
from lua_ls_persist.store.searching import EVERY_ROW, Search

TOP_MAX: Final = 10
BARS_MAX: Final = 20
_TABLE: Final = "temp.profile"
_FLOAT_MAX: Final = sys.float_info.max
_NAN_BITS: Final = 0x7FF8_0000_0000_0000
_TYPES: Final = {
    int(Class.STRING): "string",
    int(Class.BOOLEAN): "boolean",
    int(Class.TABLE): "table",
    int(Class.FUNCTION): "function",
    int(Class.NAN): "float",
}


@dataclass(frozen=True, slots=True)
class Bar:
    """How many numbers are from one on, up to another one; the last bar has both."""

    start: float
    end: float
    count: int


@dataclass(frozen=True, slots=True)
class FoundProfile:
    """What there is in a column. `least` to `mean` are of its numbers; without any, of strings."""

    rows: int
    missing: int
    distinct: int
    types: dict[str, int]
    least: Value | None
    greatest: Value | None
    mean: float | None
    top: list[tuple[Value, int]]
    """The most frequent values that are no tables or functions."""
    bars: list[Bar]


class Profiles(GridFacts):
    """Tells what there is in columns."""

    def profile(
        self, table_id: int, field: Field, where: Group, search: Search = EVERY_ROW
    ) -> FoundProfile:
        """Facts about a field in the rows that fulfil conditions, and have a text.

        Raises:
            QueryError: the question makes no sense for this table.
            StoreError: the file cannot be read, or it took too long (`stop_when`).
        """
        assert not self.in_transaction
        with self.one_state(), self._asking(where):
            run = self._connection.execute
            try:
                self._gather_profile(table_id, field, where, search)
                return self._profiled()
            finally:
                run(f"DROP TABLE IF EXISTS {_TABLE}")
                run(f"DROP TABLE IF EXISTS {_TABLE}_all")

    def _gather_profile(self, table_id: int, field: Field, where: Group, search: Search) -> None:
        builder = self._builder(table_id)
        tables, conditions, source = self._all_rows(builder, where, search=search)
        # Indexes do not tell 1 from 1.0.
        source = dataclasses.replace(source, fields={})
        joins, ((of_class, value),) = builder.classed([field], source, "column")
        sql = (
            f"INSERT INTO {_TABLE}_all SELECT {of_class}, {value} FROM {tables}{joins}"  # noqa: S608
            f" WHERE {' AND '.join(conditions)}"
        )
        run = self._connection.execute
        run(f"CREATE TEMP TABLE {_TABLE.removeprefix('temp.')}_all (c, v)")
        run(sql, builder.bound(sql))
        run(
            f"CREATE TEMP TABLE {_TABLE.removeprefix('temp.')} AS"  # noqa: S608
            f" SELECT c, v, count(*) AS n FROM {_TABLE}_all WHERE c > 0 GROUP BY c, v"
        )

    def _profiled(self) -> FoundProfile:
        run = self._connection.execute
        types: dict[str, int] = {}
        rows = missing = 0
        for of_class, kind, count in cast(
            "Iterator[tuple[int, str, int]]",
            run(f"SELECT c, typeof(v), count(*) FROM {_TABLE}_all GROUP BY 1, 2"),  # noqa: S608
        ):
            rows += count
            if of_class == Class.MISSING:
                missing += count
                continue
            name = _TYPES.get(of_class) or ("integer" if kind == "integer" else "float")
            types[name] = types.get(name, 0) + count
        distinct = cast("int", run(f"SELECT count(*) FROM {_TABLE}").get)  # noqa: S608
        top = run(
            f"SELECT c, v, n FROM {_TABLE} WHERE c IN (1, 2, 3, 6)"  # noqa: S608
            f" ORDER BY n DESC, c, v LIMIT {TOP_MAX}"
        ).fetchall()
        least = greatest = mean = None
        bars: list[Bar] = []
        for of_class in (int(Class.NUMBER), int(Class.STRING)):
            low, high, count = cast(
                "tuple[Native, Native, int]",
                run(
                    f"SELECT min(v), max(v), count(*) FROM {_TABLE} WHERE c = ?",  # noqa: S608
                    (of_class,),
                ).fetchone(),
            )
            if not count:
                continue
            least, greatest = _value(of_class, low), _value(of_class, high)
            if of_class == Class.NUMBER:
                sql = f"SELECT total(v * 1.0 * n) / sum(n) FROM {_TABLE} WHERE c = 1"  # noqa: S608
                mean = cast("float | None", run(sql).get)
                bars = self._profile_bars()
            break
        return FoundProfile(
            rows=rows,
            missing=missing,
            distinct=distinct,
            types=dict(sorted(types.items(), key=lambda item: (-item[1], item[0]))),
            least=least,
            greatest=greatest,
            mean=mean,
            top=[
                (_value(cast("int", of_class), value), cast("int", n)) for of_class, value, n in top
            ],
            bars=bars,
        )

    def _profile_bars(self) -> list[Bar]:
        """The finite numbers, in bars of the same width."""
        run = self._connection.execute
        finite = f"c = 1 AND v BETWEEN -{_FLOAT_MAX!r} AND {_FLOAT_MAX!r}"
        low, high, whole = cast(
            "tuple[int | float | None, int | float | None, int | None]",
            run(
                f"SELECT min(v), max(v), min(typeof(v) = 'integer') FROM {_TABLE} WHERE {finite}"  # noqa: S608
            ).fetchone(),
        )
        if low is None or high is None:
            return []
        count = BARS_MAX if high > low else 1
        # Halves first: the distance of the two may be more than a float can be.
        width = (high / 2 - low / 2) / count * 2
        if whole and high - low < BARS_MAX:
            count, width = int(high - low) + 1, 1.0
        if not 0 < width <= _FLOAT_MAX:
            count, width = 1, 1.0
        found = cast(
            "list[tuple[int, int]]",
            run(
                "SELECT max(min(CAST((v / 2.0 - ?1 / 2.0) / ?2 * 2.0 AS INTEGER), ?3), 0),"  # noqa: S608
                f" sum(n) FROM {_TABLE} WHERE {finite} GROUP BY 1",
                (low, width, count - 1),
            ).fetchall(),
        )
        counts = dict(found)
        return [
            Bar(
                float(low + number * width),
                float(high) if number == count - 1 else float(low + (number + 1) * width),
                counts.get(number, 0),
            )
            for number in range(count)
        ]


def _value(of_class: int, native: Native) -> Value:
    """A value of a class as entries have it."""
    if of_class == Class.STRING:
        assert isinstance(native, bytes)
        return STRING, as_native(native)
    if of_class == Class.BOOLEAN:
        return BOOLEAN, native
    if of_class == Class.NAN:
        return FLOAT, _NAN_BITS
    return (INTEGER if isinstance(native, int) else FLOAT), native
