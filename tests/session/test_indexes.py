"""Indexes from Python: defined by paths, kept whatever programs do, dropped and made anew."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lua_ls_persist import QueryError, Session, SessionError, StoreError

USERS = """
local users = ext.table("users")
for i, name in ipairs { "ann", "bob", "eve" } do
  users[name] = { name = name, age = 40 + i, address = { city = i == 2 and "Bonn" or "Ulm" },
    tags = { "all", name } }
end
"""


def run_ok(session: Session, source: str) -> None:
    evaluation = session.evaluate(source)
    assert evaluation.ok, evaluation.problems


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with Session.open(tmp_path / "session.db") as session:
        run_ok(session, USERS)
        yield session


def rows(session: Session, name: str) -> int:
    return next(index.rows for index in session.indexes() if index.name == name)


def test_an_index_is_made_listed_and_dropped(session: Session) -> None:
    made = session.create_index("users", "age")
    assert (made.name, made.table, made.fields) == ("users(age)", "users", ("age",))
    assert made.kind == "btree"
    assert (made.unique, made.each, made.rows) == (False, False, 3)
    assert session.create_index("users", ["age"]) == made
    session.create_index("users", ["address.city", "age"])
    assert [index.name for index in session.indexes("users")] == [
        "users(age)",
        "users(address.city, age)",
    ]
    assert session.indexes("Memory") == []
    session.drop_index("users", "age")
    session.drop_index("users(address.city, age)")
    assert session.indexes() == []
    assert session.integrity() == []


def test_indexes_follow_what_programs_write(session: Session) -> None:
    session.create_index("users", "age")
    session.create_index("users", "tags", each=True)
    session.create_index("users", "name", kind="text")
    session.create_index("users", "address.city", kind="hash")
    for source in (
        "ext.table('users').joe = { name = 'joe', age = 1 }",
        "ext.table('users').ann.age = 7",
        "ext.table('users').bob.address.city = 'Ulm'",
        "table.insert(ext.table('users').bob.tags, 'x') ext.table('users').eve.tags = nil",
        "ext.table('users').eve = nil",
        "local u = ext.table('users') u.ann, u.bob = u.bob, u.ann",
        "local u = ext.table('users') for k in pairs(u) do u[k] = nil end u[1] = { age = 3 }",
        "for i = 1, 3000 do ext.table('users')[i] = { name = 'n' .. i, age = i, tags = { i } } end",
        "pcall(ext.transaction, function() ext.table('users')[5].age = 0 error() end)",
        "ext.transaction(function() ext.table('users')[5].age = 1 ext.table('users')[6] = nil end)",
    ):
        run_ok(session, source)
        assert session.integrity() == [], source
    assert rows(session, "users(age)") == 2999


def test_a_path_that_leads_elsewhere(session: Session) -> None:
    run_ok(session, "Memory.users = { a = { age = 1 }, b = { age = 2 } }")
    run_ok(session, "other = { c = { age = 3 } }")
    made = session.create_index("Memory", "users.age")
    assert (made.name, made.rows) == ("Memory.users(age)", 2)
    run_ok(session, "Memory.users = other")
    assert rows(session, "Memory.users(age)") == 1
    run_ok(session, "Memory.users = nil")
    assert rows(session, "Memory.users(age)") == 0
    run_ok(session, "Memory.users = {} for i = 1, 500 do Memory.users[i] = { age = i } end")
    assert rows(session, "Memory.users(age)") == 500
    assert session.integrity() == []


def test_dropping_a_root_drops_its_indexes(session: Session) -> None:
    session.create_index("users", "age")
    session.drop("users")
    assert session.indexes() == []
    assert session.integrity() == []


def test_a_conflict_undoes_the_evaluation(session: Session) -> None:
    session.create_index("users", "name", unique=True)
    session.create_index("users", "tags", kind="hash", unique=False, each=True)
    run_ok(session, "local u = ext.table('users') u.ann.name, u.bob.name = 'bob', 'ann'")
    evaluation = session.evaluate("before = 1 ext.table('users').joe = { name = 'eve' }")
    (problem,) = evaluation.problems
    assert problem.kind == "persistence"
    assert problem.message == (
        'The index users(name) is unique, and users.eve and users.joe both have "eve". '
        "Change one of them."
    )
    assert session.evaluate("before, ext.table('users').joe").values == (None, None)
    assert session.integrity() == []


def test_data_that_are_not_unique(session: Session) -> None:
    with pytest.raises(StoreError, match=r"users\(address.city\) is unique.*\"Ulm\""):
        session.create_index("users", "address.city", kind="hash", unique=True)
    assert session.indexes() == []
    with pytest.raises(StoreError, match=r"users\(tags\) is unique.*\"all\""):
        session.create_index("users", "tags", each=True, unique=True)
    session.create_index("users", ["address.city", "nothing"], unique=True)  # missing never is
    assert session.integrity() == []


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (("nobody", "age"), {}, "there is no table nobody"),
        (("users.ann.age", "x"), {}, "there is no table users.ann.age"),
        (("users", "age"), {"kind": "tree"}, "kind: an index is of kind btree, hash or text"),
        (("users", []), {}, "fields: an index has 1 to 8 fields"),
        (("users", ["a", "a"]), {}, "a field is there twice"),
        (("users", ["a", "b"]), {"each": True}, "one entry an element has one field"),
        (("users", "a"), {"kind": "text", "unique": True}, "neither unique nor"),
        (("users", "1 + 1"), {}, "is no field"),
        (("Memory", ["users.age", "others.age"]), {}, "are those of one table"),
    ],
)
def test_what_makes_no_sense(
    session: Session, arguments: tuple[str, str], options: dict[str, object], message: str
) -> None:
    with pytest.raises(QueryError, match=message):
        session.create_index(*arguments, **options)  # type: ignore[arg-type]
    assert session.indexes() == []


def test_an_index_that_is_another_one(session: Session) -> None:
    session.create_index("users", "age")
    with pytest.raises(QueryError, match="there is an index users\\(age\\) already"):
        session.create_index("users", "age", unique=True)
    session.create_index("users", "age", kind="hash")
    with pytest.raises(QueryError, match="there is no index users\\(name\\)"):
        session.drop_index("users", "name")
    session.drop_index("users", "age")
    assert session.indexes() == []


def test_one_kind_of_an_index_is_dropped(session: Session) -> None:
    for kind in ("btree", "hash"):
        session.create_index("users", "age", kind=kind)
    with pytest.raises(QueryError, match="there is no index users\\(age\\)"):
        session.drop_index("users", "age", kind="text")
    session.drop_index("users", "age", kind="hash")
    assert [index.kind for index in session.indexes()] == ["btree"]
    with pytest.raises(QueryError, match="there is no index users\\(age\\)"):
        session.drop_index("users(age)", kind="hash")
    session.drop_index("users(age)", kind="btree")
    assert session.indexes() == []


def test_progress_and_giving_up(session: Session) -> None:
    run_ok(session, "for i = 1, 20000 do ext.table('many')[i] = { n = i } end")
    seen: list[tuple[int, int]] = []
    session.create_index("many", "n", on_progress=lambda *counts: seen.append(counts))
    assert seen[-1] == (20000, 20000)
    assert seen == sorted(seen)
    assert len(seen) > 3

    def give_up(done: int, total: int) -> None:
        raise ValueError(done, total)

    def interrupt(_done: int, _total: int) -> None:
        assert session.interrupt()

    for kind in ("btree", "hash", "text"):
        with pytest.raises(ValueError, match="20000"):
            session.create_index("many", "@key", kind=kind, on_progress=give_up)
        with pytest.raises(SessionError, match="building the index was interrupted"):
            session.create_index("many", "@key", kind=kind, on_progress=interrupt)
    assert [index.name for index in session.indexes()] == ["many(n)"]
    assert session.integrity() == []


def test_indexes_go_with_backups_and_exports(session: Session, tmp_path: Path) -> None:
    session.create_index("users", "age")
    session.create_index("users", "tags", each=True, kind="hash")
    run_ok(session, "Memory.gone = { { x = 1 } }")
    session.create_index("Memory", "gone.x")
    run_ok(session, "Memory.gone = nil")
    before = session.indexes()
    session.backup(tmp_path / "backup.db")
    with (tmp_path / "export.jsonl").open("w", encoding="utf-8") as file:
        session.export_lines(file)
    run_ok(session, "ext.drop('users')")
    session.restore(tmp_path / "backup.db")
    assert session.indexes() == before
    run_ok(session, "ext.table('users').ann.age = 9")
    assert session.integrity() == []
    with (
        Session.open() as other,
        (tmp_path / "export.jsonl").open(encoding="utf-8") as file,
    ):
        other.import_lines(file)
        assert other.indexes() == before
        run_ok(other, "ext.table('users').ann.age = 9")
        assert other.integrity() == []


def test_another_session_keeps_indexes_too(session: Session) -> None:
    with Session.open(session.path) as other:
        run_ok(other, "return ext.table('users').ann.age")
        session.create_index("users", "age")
        run_ok(other, "ext.table('users').ann.age = 1")
        assert other.integrity() == []
        other.drop_index("users", "age")
        run_ok(session, "ext.table('users').ann.age = 2")
        assert session.integrity() == []


def test_indexes_and_collection(session: Session) -> None:
    session.create_index("users", "tags", each=True)
    run_ok(session, "Memory.old = { { n = 1 }, { n = { 2 } } }")
    session.create_index("Memory", "old.n")
    run_ok(
        session,
        "ext.table('users').ann = nil ext.table('users').bob.tags = { 'new' } Memory.old = { {} } "
        "ext.collect() ext.table('users').zoe = { tags = { 1, 1.0, 2 } }",
    )
    session.collect()
    assert session.integrity() == []
    assert rows(session, "users(tags)") == 1 + 2 + 2
    session.restart()
    run_ok(session, "ext.table('users').zoe.tags[1] = nil")
    assert session.integrity() == []


def test_a_fork_has_indexes_of_its_own(session: Session) -> None:
    session.create_index("users", "age")
    with session.fork() as fork:
        run_ok(fork, "ext.table('users').joe = { age = 1 }")
        assert rows(fork, "users(age)") == 4
        assert fork.integrity() == []
    assert rows(session, "users(age)") == 3


def test_what_is_undone_and_redone(session: Session) -> None:
    session.create_index("users", "age")
    session.create_index("users", "tags", each=True, kind="hash")
    for source in (
        "ext.table('users').ann.age = 7 ext.table('users').bob = nil",
        "local u = ext.table('users') u.zoe = { age = 9, tags = { 1 } } u.eve.tags[2] = nil",
        "Memory.other = { { n = 1 } }",
    ):
        run_ok(session, source)
    session.create_index("Memory", "other.n")
    for _ in range(2):
        for count in (1, 3):
            session.undo(count)
            assert session.integrity() == []
        assert rows(session, "users(age)") == 3
        assert [index.name for index in session.indexes()] == ["users(age)", "users(tags)"]
        session.redo(4)
        assert session.integrity() == []
        assert rows(session, "users(age)") == 3
        assert rows(session, "Memory.other(n)") == 1


def test_a_root_that_is_undone(session: Session, tmp_path: Path) -> None:
    run_ok(session, "ext.table('more')[1] = { n = 1 }")
    with Session.open(tmp_path / "session.db") as other:
        other.create_index("more", "n")
        session.undo()
        assert rows(session, "more(n)") == 0
    session.collect()
    assert session.integrity() == []
    run_ok(session, "ext.table('more')[1] = { n = 1 } ext.table('more')[2] = { n = 2 }")
    assert rows(session, "more(n)") == 2
    assert session.integrity() == []
