"""A file whose content makes no sense is told as damaged, with the next step, whoever reads it."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from lua_ls_persist import Session, StoreError

FILLED = """
local users = ext.table("users")
for i = 1, 20 do users["u" .. i] = { name = "Ann", age = i } end
local count = 0
function Memory.hit() count = count + 1 return count end
ext.index("users", "age")
ext.schema("users", { fields = { age = "integer", name = "string" } })
"""
NOT_UTF8 = "CAST(x'416eff' AS TEXT)"

Look = Callable[[Session], object]
LOOKS: dict[str, Look] = {
    "tables": lambda session: session.tables(),
    "functions": lambda session: session.functions(),
    "rows": lambda session: session.rows("users"),
    "query": lambda session: session.query("users", where=["name", "=", "Bob"], limit=5),
    "export": lambda session: session.export_lines(io.StringIO()),
    "write": lambda session: session.create_index("users", "name", kind="hash"),
}


def spoiled(path: Path, statement: str) -> Path:
    """A session's file in which somebody has changed something by hand."""
    with Session.open(path) as session:
        assert session.evaluate(FILLED).ok
    connection = apsw.Connection(str(path))
    connection.execute("PRAGMA ignore_check_constraints = 1")
    connection.execute(statement)
    connection.execute("UPDATE counters SET value = value + 1 WHERE name = 'commits'")
    connection.close()
    return path


@pytest.mark.parametrize(
    ("statement", "look", "why"),
    [
        (f"UPDATE roots SET name = {NOT_UTF8} WHERE name = 'users'", "tables", "not UTF-8"),
        (f"UPDATE entries SET value = {NOT_UTF8} WHERE value = 'Ann'", "rows", "not UTF-8"),
        (f"UPDATE entries SET value = {NOT_UTF8} WHERE value = 'Ann'", "export", "not UTF-8"),
        ("UPDATE entries SET kind = 77 WHERE key = 'name'", "rows", "is of kind 77"),
        ("UPDATE entries SET kind = 77 WHERE key = 'name'", "export", "is of kind 77"),
        ("UPDATE cells SET kind = 77 WHERE kind = 2", "functions", "is of kind 77"),
        ("UPDATE cells SET value = x'ff' WHERE kind = 2", "export", "is a SQLite blob"),
        ("UPDATE indexes SET kind = 'none'", "write", "definition of index"),
        ("UPDATE schemas SET definition = 'none'", "export", "no JSON"),
    ],
)
def test_it_is_told(tmp_path: Path, statement: str, look: str, why: str) -> None:
    path = spoiled(tmp_path / "session.db", statement)
    with Session.open(path) as session:
        with pytest.raises(StoreError) as caught:
            LOOKS[look](session)
        assert str(caught.value).startswith(f"{path} is damaged: ")
        assert why in str(caught.value)
        assert str(caught.value).endswith(f"lua-ls-persist doctor --db {path} --repair NEW")
        assert any(why in problem for problem in session.integrity())


@pytest.mark.parametrize(
    "statement",
    [
        f"UPDATE entries SET value = {NOT_UTF8} WHERE value = 'Ann'",
        "UPDATE entries SET kind = 77 WHERE key = 'name'",
        "UPDATE entries SET key_kind = 77 WHERE key = 'name'",
    ],
)
def test_for_a_program_it_is_a_problem(tmp_path: Path, statement: str) -> None:
    with Session.open(spoiled(tmp_path / "session.db", statement)) as session:
        result = session.evaluate("return ext.table('users').u7.name")
        assert [problem.kind for problem in result.problems] == ["persistence"]
        assert "is damaged" in result.problems[0].message
        assert session.evaluate("Memory.fine = 1 return Memory.hit()").values == (1,)


@pytest.mark.parametrize("counter", ["collections", "commits"])
def test_a_file_without_its_counters_is_not_opened(tmp_path: Path, counter: str) -> None:
    statement = f"UPDATE counters SET name = 'other' WHERE name = '{counter}'"
    path = tmp_path / "session.db"
    with Session.open(path) as session:
        assert session.evaluate(FILLED).ok
    connection = apsw.Connection(str(path))
    connection.execute(statement)
    connection.close()
    with pytest.raises(StoreError, match=f"the counter {counter} is missing"):
        Session.open(path)


def test_the_check_finds_texts_everywhere(tmp_path: Path) -> None:
    path = spoiled(tmp_path / "session.db", f"UPDATE sources SET chunk = {NOT_UTF8}")
    with Session.open(path) as session:
        assert session.integrity() == ["in sources.chunk, a text is not UTF-8: b'An\\xff'"]


def test_what_a_caller_raises_is_not_looked_into(tmp_path: Path) -> None:
    path = spoiled(tmp_path / "session.db", "UPDATE entries SET kind = 77 WHERE key = 'name'")

    def on_output(_piece: object) -> None:
        raise ValueError("mine")

    with Session.open(path) as session, pytest.raises(ValueError, match="mine"):
        session.evaluate("print(1)", on_output=on_output)


def test_a_path_with_a_space_is_quoted(tmp_path: Path) -> None:
    path = spoiled(tmp_path / "my session.db", "UPDATE schemas SET definition = 'none'")
    with Session.open(path) as session, pytest.raises(StoreError, match=f'--db "{path}" --repair'):
        LOOKS["export"](session)
