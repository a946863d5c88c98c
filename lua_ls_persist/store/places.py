"""Where things are: by which path a root reaches a table or a function.

Entries know what they refer to, and nothing knows what refers to it: an index of that would slow
every write. So a path is searched from its end, one look at all references for each step of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import TypeAlias, cast

from lua_ls_persist.pretty import is_name
from lua_ls_persist.store.collect import Collect
from lua_ls_persist.store.place_text import key_text, root_text
from lua_ls_persist.store.rows import Native, StoredFunction, Value

# Who refers to these ids, and how: (id, referrer, label's kind, label).
_SQL_REFERRERS = """
    SELECT value, table_id, key_kind, key FROM entries
        WHERE kind IN (5, 7) AND value IN (SELECT value FROM json_each(?1))
    UNION ALL
    SELECT key, table_id, 101, NULL FROM entries
        WHERE key_kind IN (5, 7) AND key IN (SELECT value FROM json_each(?1))
    UNION ALL
    SELECT metatable, id, 102, NULL FROM tables
        WHERE metatable IN (SELECT value FROM json_each(?1))
    UNION ALL
    SELECT value, id, 103, NULL FROM cells
        WHERE kind IN (5, 7) AND value IN (SELECT value FROM json_each(?1))
    UNION ALL
    SELECT cell_id, function_id, 104,
        CASE WHEN json_valid(upvalues)
            THEN json_extract(upvalues, '$[' || (position - 1) || ']')
        END
        FROM function_cells
        LEFT JOIN functions ON functions.id = function_id
        LEFT JOIN code ON code.id = code_id
        WHERE cell_id IN (SELECT value FROM json_each(?1))
    """
_KEY, _METATABLE, _CELL, _UPVALUE = 101, 102, 103, 104

_SQL_ALL_FUNCTIONS = "SELECT id, code_id FROM functions ORDER BY id"
_SQL_UPVALUES = """
    SELECT function_id, kind, value FROM function_cells JOIN full_cells ON id = cell_id
    ORDER BY function_id, position
    """

_Label: TypeAlias = tuple[int, Native]


class Places(Collect):
    """Searches paths."""

    def path_of(self, object_id: int) -> str | None:
        """How a root reaches a table or a function, such as `Memory.users[3]`; None if none does.

        One of the shortest ways. Where it is not a way that Lua code can go, words tell it:
        `Memory.counter (upvalue step)`.
        """
        return self._paths([object_id]).get(object_id)

    def entry_path(self, table_id: int, key_kind: int, key: Native, *, search: bool = True) -> str:
        """Where an entry is; without a search, or a root that reaches it, by the table's number."""
        path = self.path_of(table_id) if search else None
        return (path or f"table {table_id}") + key_text(key_kind, key)

    def _place_in_words(self, table_id: int, key_kind: int, key: Native) -> str:
        return self.entry_path(table_id, key_kind, key)

    def functions(self) -> list[StoredFunction]:
        """All functions that a root reaches, by path."""
        with self._reading:
            rows = cast(
                "list[tuple[int, int]]", self._cursor.execute(_SQL_ALL_FUNCTIONS).fetchall()
            )
            upvalues: dict[int, list[Value]] = {}
            for function_id, kind, value in cast(
                "Iterable[tuple[int, int, Native]]", self._cursor.execute(_SQL_UPVALUES)
            ):
                upvalues.setdefault(function_id, []).append((kind, value))
        paths = self._paths([function_id for function_id, _ in rows])
        found = [
            self._stored_function(function_id, code_id, path, upvalues.get(function_id, []))
            for function_id, code_id in rows
            if (path := paths.get(function_id)) is not None
        ]
        return sorted(found, key=lambda function: function.path)

    def _stored_function(
        self, function_id: int, code_id: int, path: str, upvalues: list[Value]
    ) -> StoredFunction:
        code = self._read_code(code_id)
        names = () if code is None else code.upvalues
        return StoredFunction(
            path=path,
            name=_last_name(path),
            parameters=() if code is None else code.parameters,
            is_vararg=code is not None and code.is_vararg,
            chunk="" if code is None else code.chunk,
            line_defined=0 if code is None else code.line_defined,
            last_line=0 if code is None else code.last_line,
            text=None if code is None else code.text,
            size_bytes=0 if code is None else len(code.bytecode),
            id=function_id,
            upvalues=tuple(
                (names[position] if position < len(names) else "", kind, value)
                for position, (kind, value) in enumerate(upvalues)
            ),
            code=code,
        )

    def _paths(self, targets: Iterable[int]) -> dict[int, str]:
        """The paths of all that roots reach among the targets, and of what is on the way."""
        with self._reading:
            # Not the shared cursor: a function of a statement that is under way may ask.
            roots = self._connection.execute("SELECT table_id, name FROM roots ORDER BY name")
            paths = {
                table_id: root_text(name)
                for table_id, name in cast("Iterable[tuple[int, str]]", roots)
            }
        # Who waits for the path of a referrer: (what it refers to, by which label).
        waiting: dict[int, list[tuple[int, _Label]]] = {}
        frontier = {target for target in targets if target not in paths}
        seen = set(frontier)
        while frontier:
            found: set[int] = set()
            for object_id, referrer, label in self._referrers(frontier):
                if object_id in paths:
                    continue
                if referrer in paths:
                    _resolve(paths, waiting, object_id, _joined(paths[referrer], label))
                    continue
                waiting.setdefault(referrer, []).append((object_id, label))
                found.add(referrer)
            # What only leads to something whose path is known by now need not be followed.
            frontier = {
                referrer
                for referrer in found - seen
                if any(object_id not in paths for object_id, _ in waiting.get(referrer, ()))
            }
            seen |= frontier
        return paths

    def _referrers(self, ids: set[int]) -> Iterator[tuple[int, int, _Label]]:
        """Who refers to these, in an order that does not depend on chance."""
        with self._reading:
            rows = self._connection.execute(_SQL_REFERRERS, (json.dumps(sorted(ids)),))
            for object_id, referrer, label_kind, label in cast(
                "Iterable[tuple[int, int, int, Native]]", rows
            ):
                yield object_id, referrer, (label_kind, label)


def _resolve(
    paths: dict[int, str],
    waiting: dict[int, list[tuple[int, _Label]]],
    object_id: int,
    path: str,
) -> None:
    """Notes a path, and those of all that was waiting for it."""
    paths[object_id] = path
    known = [object_id]
    while known:
        referrer = known.pop()
        for waiter, label in waiting.pop(referrer, ()):
            if waiter not in paths:
                paths[waiter] = _joined(paths[referrer], label)
                known.append(waiter)


def _joined(path: str, label: _Label) -> str:
    kind, key = label
    if kind == _KEY:
        return f"{path} (a key)"
    if kind == _METATABLE:
        return f"getmetatable({path})"
    if kind == _CELL:
        return path
    if kind == _UPVALUE:
        return f"{path} (upvalue {key})" if isinstance(key, str) and key else f"{path} (upvalue)"
    return path + key_text(kind, key)


def _last_name(path: str) -> str:
    """The name at the end of a path, if there is one: `add` of `Memory.lib.add`."""
    name = path.rpartition(".")[2]
    return name if is_name(name) else ""
