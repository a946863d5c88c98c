"""How the data differ at two points of the history, and what its notes are about, in words.

The present data, and the notes of all evaluations since, tell how things were at any point.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Final, TypeAlias, cast

import apsw

from lua_ls_persist.errors import StoreError
from lua_ls_persist.store.backups import Backups
from lua_ls_persist.store.index_model import described
from lua_ls_persist.store.notes import (
    CELL,
    ENTRY,
    INDEX,
    METATABLE,
    ROOT,
    SCHEMA,
    SQL_INDEX,
    SQL_SCHEMA,
    VERSION,
    index_key_of,
)
from lua_ls_persist.store.place_text import key_text
from lua_ls_persist.store.rows import NIL, STRING, TABLE, Difference, Native, Value
from lua_ls_persist.store.schema_rows import path_text
from lua_ls_persist.store.unpacking import PLAIN_KIND, plain_value

INTEGER_MAX: Final = 2**63 - 1
_SQL_TEXTS: Final = {
    VERSION: "SELECT migrated_utc FROM table_versions WHERE version = ?1 AND path = ?2",
    SCHEMA: SQL_SCHEMA,
    INDEX: SQL_INDEX,
}
# The first note after a point tells how it was at that point.
_SQL_THEN = f"""
    SELECT target, id, key_kind, key, {PLAIN_KIND}, {plain_value("id")}
    FROM history_changes WHERE evaluation = ?
    """  # noqa: S608
_SQL_BETWEEN = "SELECT id FROM history WHERE id > ? AND NOT is_undone ORDER BY id DESC"
_SQL_POINT = "SELECT 1 FROM history WHERE id = ? AND NOT is_undone"
_SQL_MADE = """
    SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM history, json_each(created)
    WHERE history.id > ? AND history.id <= ? AND NOT is_undone
    """
Target: TypeAlias = tuple[int, int, int, Native]
NoteRow: TypeAlias = tuple[int, int, int, Native, int, Native]


class Differences(Backups):
    """Tells what is not the same at two points."""

    def difference(self, before: int, after: int | None, limit: int) -> list[Difference]:
        """How the data after one evaluation differ from those after another one.

        0 is what there was before the oldest one, None is what there is now. What was made in
        between is told as one thing, not by what is in it. At most `limit` differences are told.

        Raises:
            StoreError: the history does not have these points.
        """
        with self._in_history():
            self._check_point(before)
            if after is not None:
                self._check_point(after)
                if before > after:
                    found = self.difference(after, before, limit)
                    return [Difference(row.place, row.after, row.before) for row in found]
            then = self._then(before, after)
            made = self._made(before, after)
            # What was made in between is no difference in itself, nor is what is inside of it.
            then = {
                target: values
                for target, values in then.items()
                if not (target[0] < ROOT and made(target[1]))
            }
            rows = self._differing(then, limit)
        words = self._words_for(target for target, _, _ in rows)
        found = [Difference(words(target), old, new) for target, old, new in rows]
        return sorted(found, key=lambda difference: difference.place)

    def _check_point(self, number: int) -> None:
        if number == 0:
            return
        if self._cursor.execute(_SQL_POINT, (number,)).get is None:
            raise StoreError(
                f"There is no evaluation {number} in the history of {self._name}; it was never "
                "there, was undone, or is too long ago."
            )

    def _then(self, before: int, after: int | None) -> dict[Target, tuple[Value, Value | None]]:
        """What was noted after a point, with the value at that point, and that at `after`.

        The latter is None where nothing has changed it since.
        """
        then: dict[Target, tuple[Value, Value | None]] = {}
        numbers = [row[0] for row in self._cursor.execute(_SQL_BETWEEN, (before,)).fetchall()]
        later: dict[Target, Value] = {}
        for number in cast("list[int]", numbers):
            if (
                self._cursor.execute("SELECT is_whole FROM history WHERE id = ?", (number,)).get
                == 0
            ):
                raise StoreError(
                    f"Evaluation {number} changed more than the history keeps, so what was before "
                    "it is not known."
                )
            inside = after is None or number <= after
            for row in cast(
                "Iterable[NoteRow]", self._cursor.execute(_SQL_THEN, (number,)).fetchall()
            ):
                target: Target = row[:4]
                if inside:
                    then[target] = ((row[4], row[5]), later.get(target))
                else:
                    later[target] = (row[4], row[5])
        return then

    def _made(self, before: int, after: int | None) -> Callable[[int], bool]:
        """Whether something was made between two points."""
        last = INTEGER_MAX if after is None else after
        rows = self._cursor.execute(_SQL_MADE, (before, last)).fetchall()
        ranges = sorted(cast("list[tuple[int, int]]", rows))
        starts = [first for first, _ in ranges]

        def made(identity: int) -> bool:
            position = bisect_right(starts, identity)
            return position > 0 and identity <= ranges[position - 1][1]

        return made

    def _differing(
        self, then: dict[Target, tuple[Value, Value | None]], limit: int
    ) -> list[tuple[Target, Value, Value]]:
        found: list[tuple[Target, Value, Value]] = []
        for target in sorted(then, key=_order):
            old, new = then[target]
            if new is None:
                new = self._present(target)
            if old != new and len(found) < limit:
                found.append((target, old, new))
        return found

    def _present(self, target: Target) -> Value:
        what, identity, key_kind, key = target
        found: Value | None
        if what == ENTRY:
            found = self.get(identity, key_kind, key)
        elif what == CELL:
            found = self.cells([identity]).get(identity)
        elif what == METATABLE:
            metatable = self.metatables([identity]).get(identity)
            found = None if metatable is None else (TABLE, metatable)
        elif what in _SQL_TEXTS:
            text = self._cursor.execute(_SQL_TEXTS[what], (identity, key)).get
            found = None if text is None else (STRING, cast("str", text))
        else:
            table_id = self.root(str(key), create=False)
            found = (TABLE, table_id) if table_id else None
        return found or (NIL, None)

    def _words_for(self, targets: Iterable[Target]) -> Callable[[Target], str]:
        """What tells, in words, what a note is about. All paths are searched at once."""
        paths = self._paths(sorted({target[1] for target in targets if target[0] < ROOT}))
        return lambda target: self._words(target, paths)

    def _words(self, target: Target, paths: dict[int, str] | None = None) -> str:
        what, identity, key_kind, key = target
        if what == ROOT:
            return f"the table named {key!s}"
        if what == VERSION:
            return f"version {identity} of {key!s}"
        if what == SCHEMA:
            return f"the schema of {path_text(json.loads(str(key)))}"
        if what == INDEX:
            return described(index_key_of(str(key)))
        if paths is None:
            paths = self._paths([identity])
        path = paths.get(identity)
        if what == CELL:
            return path or f"upvalue {identity}"
        if what == METATABLE:
            return f"the metatable of {path or f'table {identity}'}"
        return (path or f"table {identity}") + key_text(key_kind, key)

    @contextmanager
    def _in_history(self) -> Iterator[None]:
        """What is wrong with the history itself is said, and nothing else suffers from it."""
        try:
            with self._reading:
                yield
        except StoreError as error:
            if isinstance(error.__cause__, (apsw.SQLError, apsw.CorruptError)):
                raise StoreError(
                    f"The history of {self._name} is damaged: {error.__cause__}. The next "
                    "evaluation that stores something begins a new one."
                ) from error
            raise


def _order(target: Target) -> tuple[object, ...]:
    what, identity, key_kind, key = target
    return what, identity, key_kind, isinstance(key, bytes), key
