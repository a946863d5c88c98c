"""The command about schemas: showing, setting, deriving, checking them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from lua_ls_persist.cli import exits
from lua_ls_persist.cli.parameters import SessionOptions
from lua_ls_persist.cli.progress import shown
from lua_ls_persist.cli.stored import STDIO, file_of, text_file
from lua_ls_persist.cli.terminal import Terminal
from lua_ls_persist.errors import SchemaViolationError

if TYPE_CHECKING:
    from lua_ls_persist.model import SchemaViolation
    from lua_ls_persist.session import Session

_CLASS = "---@class"


def schema(
    table: str | None,
    what: str,
    source: str | None,
    class_name: str | None,
    options: SessionOptions,
    *,
    as_json: bool,
) -> int:
    """Does what was asked for: `show`, `set`, `derive`, `drop`, `check` or `annotations`."""
    from lua_ls_persist.session import Session

    change = None if source is None else _change(source, class_name)
    path = file_of(options.db, create=what == "set")
    with Session.open(path, resume=False, **options.arguments()) as session:
        if what not in ("set", "drop", "check"):
            Terminal().note(session.read_only)
        if what == "check":
            return _check(session, table, as_json=as_json)
        if table is None:
            return _list(session, as_json=as_json)
        if change is not None:
            try:
                change(session, table)
            except SchemaViolationError as error:
                return _violations(error.violations, Terminal().write_error, as_json=as_json)
            return _told(f"{table} has this schema now.", {"table": table}, as_json=as_json)
        if what == "drop":
            had_one = session.schema(table) is not None
            session.set_schema(table, None)
            text = f"{table} has no schema any more." if had_one else f"{table} had no schema."
            return _told(text, {"table": table, "dropped": had_one}, as_json=as_json)
        if what == "annotations":
            return _annotations(session, table, as_json=as_json)
        if what == "derive":
            with shown("Looking at rows") as progress:
                found = session.derive_schema(table, on_progress=progress.count)
        else:
            found = session.schema(table)
    if found is None and not as_json:
        Terminal().write_error(f"{table} has no schema.\n")
        return exits.SUCCESS
    return _print(found, as_json=as_json)


def _list(session: Session, *, as_json: bool) -> int:
    found = session.schemas()
    if not found and not as_json:
        Terminal().write_error("No table has a schema.\n")
        return exits.SUCCESS
    return _print(found, as_json=as_json)


def _check(session: Session, table: str | None, *, as_json: bool) -> int:
    found = session.check_schemas(table)
    if table is not None and session.schema(table) is None and not as_json:
        # Otherwise a slip of the pen would pass for a table in order.
        Terminal().write_error(f"{table} has no schema.\n")
    elif not found and not as_json:
        Terminal().write("Everything follows its schema.\n")
    return _violations(found, Terminal().write, as_json=as_json)


def _violations(
    found: Sequence[SchemaViolation], write: Callable[[str], None], *, as_json: bool
) -> int:
    """Lists them."""
    if as_json:
        listed = [{"path": one.path, "expected": one.expected, "got": one.got} for one in found]
        _print(listed, as_json=True)
    else:
        write("".join(f"{violation}\n" for violation in found))
    return exits.PROBLEM if found else exits.SUCCESS


def _annotations(session: Session, table: str, *, as_json: bool) -> int:
    text = session.schema_annotations(table)
    Terminal().write_utf8(json.dumps(text, ensure_ascii=False) + "\n" if as_json else text)
    return exits.SUCCESS


def _change(source: str, class_name: str | None) -> Callable[[Session, str], None]:
    """Sets the schema that a file has: JSON, Lua that returns it, or Lua with annotations."""
    with text_file(source, "r") as file:
        text = file.read()
    if class_name is not None or (_CLASS in text and "return" not in text):
        return lambda session, table: session.set_schema_annotations(
            table, text, class_name=class_name
        )
    definition = (
        _from_lua(text, source) if Path(source).suffix == ".lua" else _from_json(text, source)
    )
    return lambda session, table: session.set_schema(table, definition)


def _from_json(text: str, source: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        name = "standard input" if source == STDIO else source
        raise click.UsageError(f"{name} is no JSON: {error}.") from error


def _from_lua(text: str, name: str) -> Any:
    """What a Lua file returns, run in a session of its own that has no data."""
    from lua_ls_persist.session import Session

    with Session.open() as scratch:
        outcome = scratch.evaluate(
            f"ext.schema('schema', (function(...) {text}\nend)(...))", name=name, mode="chunk"
        )
        if not outcome.ok:
            raise click.UsageError("; ".join(str(problem) for problem in outcome.problems))
        return scratch.schema("schema")


def _print(found: Any, *, as_json: bool) -> int:
    text = json.dumps(found, ensure_ascii=False, indent=None if as_json else 2)
    Terminal().write_utf8(text + "\n")
    return exits.SUCCESS


def _told(text: str, facts: dict[str, Any], *, as_json: bool) -> int:
    if as_json:
        return _print(facts, as_json=True)
    Terminal().write(f"{text}\n")
    return exits.SUCCESS
