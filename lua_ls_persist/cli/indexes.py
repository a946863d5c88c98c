"""The commands about indexes: listed, made, dropped, made anew."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from lua_ls_persist.cli import exits
from lua_ls_persist.cli.progress import shown
from lua_ls_persist.cli.stored import listed, opened, opened_to_look, print_json, told
from lua_ls_persist.cli.terminal import Terminal
from lua_ls_persist.jsonable import index_to_json

if TYPE_CHECKING:
    from lua_ls_persist.model import IndexInfo


def list_(table: str | None, db: Path | None, limit: int | None, *, as_json: bool) -> int:
    """Lists indexes."""
    with opened_to_look(db) as session:
        found = listed(session.indexes(table), limit, "indexes")
    if as_json:
        return print_json([index_to_json(index) for index in found])
    terminal = Terminal()
    width = max((len(index.name) for index in found), default=0)
    for index in found:
        ending = "row" if index.rows == 1 else "rows"
        terminal.write(f"{index.name:{width}}  {_described(index)}  {index.rows} {ending}\n")
    if not found:
        terminal.write_error("There are no indexes.\n")
    return exits.SUCCESS


def create(
    table: str,
    fields: Sequence[str],
    db: Path | None,
    *,
    kind: str,
    unique: bool,
    each: bool,
    as_json: bool,
) -> int:
    """Makes an index."""
    with opened(db) as session, shown("Reading rows") as progress:
        made = session.create_index(
            table, fields, kind=kind, unique=unique, each=each, on_progress=progress.part
        )
    ending = "row" if made.rows == 1 else "rows"
    text = f"{made.name} has {made.rows} {ending}."
    return told(index_to_json(made), text, as_json=as_json)


def drop(table: str, fields: Sequence[str], db: Path | None, *, as_json: bool) -> int:
    """Removes an index."""
    with opened(db) as session:
        session.drop_index(table, fields or None)
    name = _named(table, fields)
    return told({"dropped": name}, f"{name} was dropped.", as_json=as_json)


def rebuild(table: str | None, fields: Sequence[str], db: Path | None, *, as_json: bool) -> int:
    """Makes an index anew, or all of them."""
    with opened(db) as session, shown("Reading rows") as progress:
        names = (
            list(dict.fromkeys(index.name for index in session.indexes()))
            if table is None
            else [_named(table, fields)]
        )
        if table is not None and fields:
            session.rebuild_index(table, fields, on_progress=progress.part)
        else:
            for name in names:
                session.rebuild_index(name, on_progress=progress.part)
    text = "".join(f"{name} was made anew.\n" for name in names) or "There are no indexes."
    return told({"rebuilt": names}, text, as_json=as_json)


def _named(table: str, fields: Sequence[str]) -> str:
    return f"{table}({', '.join(fields)})" if fields else table


def _described(index: IndexInfo) -> str:
    words = [index.kind]
    words += [name for name in ("unique", "each") if getattr(index, name)]
    return ", ".join(words)
