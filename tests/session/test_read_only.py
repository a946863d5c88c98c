"""Sessions on a file that cannot be written: all can be looked at, and nothing is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lua_ls_persist.errors import StoreError
from lua_ls_persist.session import Session
from tests.permissions import forbidding_folder

__all__ = ["forbidding_folder"]

SETUP = """
    for number = 1, 100 do Memory[number] = { size = number } end
    ext.index("Memory", "size")
    ext.schema("notes", { fields = { text = "string" } })
    ext.table("notes").first = { text = "hello" }
    local calls = 0
    function Memory.up() calls = calls + 1 return calls end
    global = 42
"""


@pytest.fixture
def path(forbidding_folder: Path) -> Path:
    """A read-only file in a read-only folder, with something of everything."""
    path = forbidding_folder / "session.db"
    with Session.open(path) as session:
        assert session.evaluate(SETUP).ok
        session.save_image("kept")
    path.chmod(0o444)
    forbidding_folder.chmod(0o555)
    return path


@pytest.fixture
def session(path: Path) -> Iterator[Session]:
    with Session.open(path) as session:
        yield session


def refusal(session: Session) -> str:
    """The message of all that would store something."""
    return (
        f"{session.read_only} To store something, make it and its folder writable, "
        "or copy it elsewhere."
    )


def test_it_goes_on_where_the_last_one_was_and_says_so(session: Session, path: Path) -> None:
    assert session.resumed
    assert session.read_only == (
        f"{path} is read-only: it can be looked at, but nothing can be stored in it."
    )
    assert session.started == (f"The session goes on where the last one was. {session.read_only}")
    assert session.evaluate("global").values == (42,)


def test_a_file_that_can_be_written_says_nothing(forbidding_folder: Path) -> None:
    for place in (None, forbidding_folder / "new.db"):
        with Session.open(place) as session:
            assert session.read_only == ""
            assert "read-only" not in session.started


LOOKS: dict[str, Callable[[Session], object]] = {
    "tables": lambda session: [(table.name, table.entries) for table in session.tables()],
    "functions": lambda session: [one.path for one in session.functions()],
    "query": lambda session: session.query("Memory", where=[["size", ">", 98]]).rows,
    "count": lambda session: session.count("Memory", [["size", "<=", 5]]),
    "explain": lambda session: session.explain("Memory", where=[["size", "<", 5]]).index,
    "aggregate": lambda session: session.aggregate("Memory", sum="size"),
    "rows": lambda session: session.rows("Memory", order_by="size", limit=5),
    "profile": lambda session: session.profile("Memory", "size"),
    "inspect": lambda session: session.inspect("Memory"),
    "get": lambda session: session.get("notes.first.text"),
    "history": lambda session: [entry.number for entry in session.history()],
    "diff": lambda session: [row.place for row in session.diff()],
    "indexes": lambda session: [index.name for index in session.indexes()],
    "schema": lambda session: session.schema("notes"),
    "images": lambda session: [image.name for image in session.images()],
    "integrity": lambda session: session.integrity(),
    "sizes": lambda session: session.sizes().entries,
    "evaluate": lambda session: session.evaluate("return #Memory, ext.count('Memory')").text,
    "call": lambda session: session.evaluate("ext.explain('Memory', {where={'size','>',1}})").ok,
}


@pytest.mark.parametrize("look", LOOKS)
def test_what_only_looks_sees_what_it_saw_before(
    forbidding_folder: Path, path: Path, look: str
) -> None:
    with Session.open(path) as session:
        found = LOOKS[look](session)
    forbidding_folder.chmod(0o755)
    path.chmod(0o644)
    with Session.open(path) as session:
        assert LOOKS[look](session) == found
    assert found not in (None, "", 0)


def test_what_is_stored_leaves_by_copies(session: Session, tmp_path: Path) -> None:
    session.backup(tmp_path / "backup.db")
    session.export_data("notes", tmp_path / "notes.csv")
    session.export_lines(tmp_path / "all.jsonl")
    with Session.open(tmp_path / "backup.db") as copy:
        assert copy.evaluate("Memory.new = 1 return #Memory").values == (100,)
    with session.fork() as fork:
        assert fork.read_only == ""
        assert fork.evaluate("Memory.new = global return Memory.up()").values == (1,)


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("global = 7\nMemory.new = 1", None),
        ("global = 7\next.table('new')", 2),
        ("global = 7\nMemory[1].size = 2 return ext.count('Memory')", 2),
        ("global = 7\nreturn Memory.up()", None),
        ("global = 7\next.drop('notes')", 2),
        ("global = 7\next.transaction(function() Memory.x = 1 end)", 2),
        ("global = 7\nfor n = 1, 20000 do Memory[n] = { n } end", 2),
    ],
)
def test_an_evaluation_that_stores_something_fails_as_a_whole(
    session: Session, source: str, line: int | None
) -> None:
    result = session.evaluate(source, name="cell")
    (problem,) = result.problems
    assert (problem.kind, problem.message, problem.line) == ("persistence", refusal(session), line)
    assert session.evaluate("return global, #Memory, Memory[1].size, Memory.new").values == (
        42,
        100,
        1,
        None,
    )


CHANGES: dict[str, Callable[[Session], object]] = {
    "undo": lambda session: session.undo(),
    "collect": lambda session: session.collect(),
    "vacuum": lambda session: session.vacuum(),
    "save_image": lambda session: session.save_image("new"),
    "drop_image": lambda session: session.drop_image("kept"),
    "create_index": lambda session: session.create_index("Memory", "other"),
    "rebuild_index": lambda session: session.rebuild_index("Memory", "size"),
    "check_schemas": lambda session: session.check_schemas(),  # marks what it has looked at
    "set_schema": lambda session: session.set_schema("notes", None),
    "compress": lambda session: session.compress("Memory"),
    "forget_history": lambda session: session.forget_history(),
    "drop": lambda session: session.drop("notes"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_what_changes_something_is_refused(session: Session, change: str) -> None:
    with pytest.raises(StoreError) as caught:
        CHANGES[change](session)
    assert str(caught.value) == refusal(session)
    assert session.evaluate("return #Memory, global").values == (100, 42)


def test_programs_run_and_their_globals_last_until_the_end(path: Path) -> None:
    with Session.open(path) as session:
        assert session.evaluate("global = global + 1 return global").values == (43,)
        assert session.evaluate("return global").values == (43,)
        session.restart()
        assert session.evaluate("return global, #Memory").values == (None, 100)
        session.restore_image("kept")
        assert session.evaluate("return global").values == (42,)
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    with Session.open(path) as session:
        assert session.evaluate("return global").values == (42,)
