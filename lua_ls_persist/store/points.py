"""Pairs of numbers in the rows of a table, for pictures of them. One look at each row.

Where there are more than wanted, some are chosen that lie evenly among the rows: by a hash of the
row's number, so that the same question gets the same answer, and that data which repeat every so
many rows are not all taken from one place of the repetition.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Final, cast

from lua_ls_persist.query import Class, Field, Group
from lua_ls_persist.store.profiles import Profiles
from lua_ls_persist.store.searching import EVERY_ROW, Search

_TABLE: Final = "temp.points"
_FLOAT_MAX: Final = sys.float_info.max
_HASH: Final = "(rowid * 2654435761) % 4294967296"
"""Knuth's multiplicative hash, by the golden ratio of 2 to the power of 32."""


@dataclass(frozen=True, slots=True)
class FoundPoints:
    """Pairs of finite numbers, ascending, and of how many they are."""

    points: list[tuple[float, float]]
    rows: int
    """All rows that are looked at."""
    pairs: int
    """Those with a finite number in both fields."""


class Points(Profiles):
    """Tells which numbers go together in rows."""

    def points(
        self,
        table_id: int,
        across: Field,
        up: Field,
        where: Group,
        limit: int,
        search: Search = EVERY_ROW,
    ) -> FoundPoints:
        """At most `limit` pairs of the numbers of two fields, in the rows that fulfil conditions.

        `search` leaves out rows without a text.

        Raises:
            QueryError: the question makes no sense for this table.
            StoreError: the file cannot be read, or it took too long (`stop_when`).
        """
        assert not self.in_transaction
        with self.one_state(), self._asking(where):
            run = self._connection.execute
            try:
                self._gather_points(table_id, (across, up), where, search)
                rows, pairs = cast(
                    "tuple[int, float]",
                    run(
                        f"SELECT count(*), total(x IS NOT NULL AND y IS NOT NULL) FROM {_TABLE}"  # noqa: S608
                    ).fetchone(),
                )
                found = run(
                    f"SELECT x, y FROM {_TABLE} WHERE x IS NOT NULL AND y IS NOT NULL"  # noqa: S608
                    f" ORDER BY {_HASH} LIMIT ?",
                    (limit,),
                ).fetchall()
            finally:
                run(f"DROP TABLE IF EXISTS {_TABLE}")
        points = sorted((float(cast("float", x)), float(cast("float", y))) for x, y in found)
        return FoundPoints(points, rows, int(pairs))

    def _gather_points(
        self, table_id: int, fields: tuple[Field, Field], where: Group, search: Search
    ) -> None:
        builder = self._builder(table_id)
        tables, conditions, source = self._all_rows(builder, where, fields, search)
        joins, pairs = builder.classed(fields, source, "column")
        inner = [
            f"{kind} AS c{number}, {value} AS v{number}"
            for number, (kind, value) in enumerate(pairs)
        ]
        numbers = [
            f"iif(c{number} = {int(Class.NUMBER)} AND v{number} BETWEEN -{_FLOAT_MAX!r} AND"
            f" {_FLOAT_MAX!r}, v{number}, NULL)"
            for number in range(len(pairs))
        ]
        # The limit, which is none, keeps SQLite from computing the inner expressions twice.
        sql = (
            f"INSERT INTO {_TABLE} SELECT {', '.join(numbers)} FROM ("  # noqa: S608
            f"SELECT {', '.join(inner)} FROM {tables}{joins}"
            f" WHERE {' AND '.join(conditions)} LIMIT -1)"
        )
        run = self._connection.execute
        run(f"CREATE TEMP TABLE {_TABLE.removeprefix('temp.')} (x, y)")
        run(sql, builder.bound(sql))
