"""The program with a session's file that cannot be written."""

from __future__ import annotations

from pathlib import Path

import pytest

from lua_ls_persist.session import Session
from tests.cli.conftest import Cli
from tests.permissions import forbidding_folder

__all__ = ["forbidding_folder"]


@pytest.fixture
def db(forbidding_folder: Path) -> Path:
    path = forbidding_folder / "session.db"
    with Session.open(path) as session:
        assert session.evaluate("Memory[1] = { n = 1 } ext.table('rows')[1] = { n = 2 }").ok
        assert session.evaluate("function Memory.f() return 5 end").ok
    path.chmod(0o444)
    forbidding_folder.chmod(0o555)
    return path


@pytest.mark.parametrize(
    ("command", "out"),
    [
        ("tables", "Memory  2 entries\nrows    1 entry\n"),
        ("query Memory", "key  n  value\n"),
        ("count Memory", "2\n"),
        ("aggregate Memory --count", "count\n"),
        ("explain Memory", ""),
        ("functions", "Memory.f()"),
        ("history", "2  "),
        ("diff", "Memory"),
        ("export --table rows --format jsonl -", '{"n": 2}'),
        ("export -", "{"),
        ("eval -e return#Memory", "1\n"),
        ("call Memory.f", "5\n"),
    ],
)
def test_looking_says_once_that_nothing_can_be_stored(
    cli: Cli, db: Path, command: str, out: str
) -> None:
    name, *arguments = command.split()
    result = cli(name, "--db", db, *arguments)
    assert result.status == 0, result
    assert result.out.startswith(out)
    assert result.err == (
        f"{db} is read-only: it can be looked at, but nothing can be stored in it.\n"
    )


@pytest.mark.parametrize("command", ["set Memory.x 1", "collect", "undo", "drop rows"])
def test_what_stores_something_is_refused(cli: Cli, db: Path, command: str) -> None:
    name, *arguments = command.split()
    result = cli(name, "--db", db, *arguments)
    assert result.status != 0
    assert result.err.count(f"{db} is read-only: ") == 1
    assert "make it and its folder writable" in result.err


def test_doctor_tells(cli: Cli, db: Path) -> None:
    result = cli("doctor", "--db", db)
    assert result.status == 0, result
    assert f"{db} is sound: 5 entries" in result.out
    assert f"{db} is read-only: it can be looked at" in result.out


def test_lines_from_a_pipe(cli: Cli, db: Path) -> None:
    result = cli("repl", "--db", db, stdin=b"#Memory\n")
    assert (result.status, result.out) == (0, "=> 1\n")
    assert result.err.count("is read-only") == 1
