"""Definitions in the history: schemas, indexes, versions, undone and redone with the data."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

import pytest

from lua_ls_persist.errors import LuaPersistError, StoreError
from lua_ls_persist.session import Session
from tests.persistence.states import defined, stored
from tests.session.history.evaluating import run
from tests.session.history.runs import Run

STEPS: Final = 40

# `people` is mostly there; what a schema or a unique index refuses undoes its evaluation.
STATEMENTS = (
    "ext.table('people')[{a}] = {{ age = {b}, name = 'n{b}', tags = {{ 't{a}', {b} }} }}",
    "ext.table('people')[{a}] = {{ age = 'old', name = 'n{a}', boss = {b} }}",
    "for i = 4, 30 do ext.table('people')[i] = {{ age = i, name = 'n' .. i, tags = 'text' }} end",
    "ext.table('people')[{a}] = nil",
    "local p = ext.table('people')[{a}] if p then p.age = {b} p.tags = {{ {a}, 'x' }} end",
    "local p = ext.table('people')[{a}] if p then p.inner = {{ deep = {{ {b} }} }} end",
    "ext.table('boss')[{a}] = {{ name = 'b{a}' }}",
    "ext.table('boss')[{a}] = nil",
    "ext.drop('people')",
    "ext.drop('boss')",
    "M.people = ext.table('people')",
    "M.people = {{ {{ age = {b} }} }}",
    "M.people = nil",
    # Schemas.
    "ext.schema('people', {{ fields = {{ age = 'integer', name = 'string?' }} }})",
    "ext.schema('people', {{ fields = {{ age = {{ type = 'integer', max = {b} * 10 }} }} }})",
    "ext.schema('people', {{ fields = {{ boss = {{ ref = 'boss', optional = true }} }} }})",
    "ext.schema('people', {{ fields = {{ name = {{ type = 'string', default = 'd{a}' }} }} }})",
    "ext.schema('Memory.people', {{ fields = {{ age = 'any' }} }})",
    "ext.schema('people', false)",
    "ext.schema('Memory.people', false)",
    # Indexes.
    "ext.index('people', 'age')",
    "ext.index('people', 'age', {{ unique = true }})",
    "ext.index('people', {{ 'name', 'age' }})",
    "ext.index('people', 'tags', {{ each = true, kind = 'hash' }})",
    "ext.index('people', 'name', {{ kind = 'text' }})",
    "ext.index('Memory.people', 'age', {{ unique = {a} == 1 }})",
    "pcall(ext.drop_index, 'people', 'age')",
    "pcall(ext.drop_index, 'people', {{ 'name', 'age' }})",
    "pcall(ext.drop_index, 'people', 'tags')",
    "pcall(ext.drop_index, 'Memory.people', 'age')",
    "pcall(ext.drop_index, 'people', 'age') ext.index('people', 'age', {{ unique = true }})",
    # Migrations, inner transactions, errors.
    "ext.migrate('people', {a}, function(row) row.age = (tonumber(row.age) or 0) + 1 end)",
    "pcall(ext.transaction, function() ext.schema('people', false) ext.drop('boss') error() end)",
    "pcall(ext.transaction, function() ext.index('people', 'inner') error('no') end)",
    "ext.transaction(function() ext.index('people', 'in') ext.drop_index('people', 'in') end)",
    "ext.schema('people', false) ext.index('people', 'boss') error('all of it goes')",
)


def _from_python(run: Run) -> None:
    """What changes definitions from outside of the VM."""
    session, chance = run.session, run.random
    calls: tuple[Callable[[], object], ...] = (
        lambda: session.create_index("people", ["age", "name"]),
        lambda: session.create_index("people", "name", unique=True),
        lambda: session.drop_index("people", "name"),
        lambda: session.drop_index("people", ["age", "name"]),
        lambda: session.set_schema("boss", {"fields": {"name": "string"}, "extra": False}),
        lambda: session.set_schema("boss", None),
        lambda: session.drop("people"),
    )
    with suppress(LuaPersistError):  # there may be no such table, or it may not fit
        chance.choice(calls)()


class DefinitionRun(Run):
    """Definitions also from Python; and the indexes are compared with the data at each place."""

    def evaluate(self) -> None:
        if self.random.random() < 0.2:
            _from_python(self)
        else:
            super().evaluate()

    def check(self) -> None:
        super().check()
        assert self.session.integrity() == []


@pytest.mark.parametrize("seed", range(12))
def test_back_and_forth(seed: int) -> None:
    DefinitionRun.back_and_forth(seed, STATEMENTS, STEPS)


# One by one


def everything(path: Path) -> str:
    return stored(path) + defined(path)


def test_what_defines_is_recorded_wherever_it_comes_from(path: Path) -> None:
    with Session.open(path) as session:
        run(session, "ext.table('users').ann = { age = 1, tags = { 'a' } }")
        run(session, "ext.schema('users', { fields = { age = 'integer' } })")
        run(session, "ext.index('users', 'age', { unique = true })")
        session.create_index("users", ["tags"], kind="hash", each=True)
        session.set_schema("Memory.later", {"fields": {"n": "number"}})
        session.drop_index("users", "age")
        session.set_schema("users", None)
        told = [(entry.name, entry.source, entry.keys) for entry in session.history()]
        assert told[:5] == [
            ("(schema)", "remove schema of users", ("the schema of users",)),
            ("(index)", "drop index users(age)", ("the index users(age)",)),
            ("(schema)", "set schema of Memory.later", ("the schema of Memory.later",)),
            ("(index)", "create index users(tags)", ("the hash index users(tags)",)),
            (
                "test.lua",
                "ext.index('users', 'age', { unique = true })",
                ("the index users(age)",),
            ),
        ]
        # What is there already, and is to be the same, is no change.
        number = session.history(1)[0].number
        run(session, "ext.index('users', 'tags', { kind = 'hash', each = true })")
        session.set_schema("Memory.later", {"fields": {"n": "number"}})
        session.rebuild_index("users", "tags")
        assert session.history(1)[0].number == number


def test_back_to_each_point_and_forth_again(path: Path) -> None:
    with Session.open(path) as session:
        points = [everything(path)]
        for source in (
            "users = ext.table('users') for i = 1, 99 do users[i] = { n = i, tags = { i } } end",
            "ext.index('users', 'n', { unique = true }) ext.schema('users', { type = 'table' })",
            "ext.schema('users', { fields = { n = 'integer' } })",
            "users[1] = nil ext.index('users', 'tags', { each = true, kind = 'hash' })",
            "ext.migrate('users', 1, function(row) row.n = row.n + 1000 end)",
            "ext.drop_index('users', 'n') ext.index('users', 'n') ext.schema('users', false)",
            "ext.schema('users', { fields = { n = 'number' } }) users[2] = { n = 1004.5 }",
            "ext.drop('users')",
            "ext.table('users')[1] = { n = 'another' }",
        ):
            run(session, source)
            points.append(everything(path))
        for point in reversed(points[:-1]):
            session.undo()
            assert everything(path) == point
            assert session.integrity() == []
        for point in points[1:]:
            session.redo()
            assert everything(path) == point
            assert session.integrity() == []
        session.undo(len(points) - 1)
        assert everything(path) == points[0]
        session.redo(len(points) - 2)
        assert everything(path) == points[-2]
    with Session.open(path, resume=False) as session:  # by what the file knows alone
        session.undo(4)
        assert everything(path) == points[-6]
        assert session.integrity() == []
        # What is defined is kept to again.
        (problem,) = session.evaluate("ext.table('users')[600] = { n = 'x' }").problems
        assert "expected integer" in problem.message
        (problem,) = session.evaluate("ext.table('users')[600] = { n = 7 }").problems
        assert "The index users(n) is unique" in problem.message


def test_a_program_hears_at_once_what_is_expected_after_undo(path: Path) -> None:
    with Session.open(path) as session:
        run(session, "u = ext.table('users') u.ann = { age = 1 }")
        run(session, "ext.schema('users', { fields = { age = 'integer' } })")
        session.undo()
        run(session, "u.ann.age = 'free'")
        session.undo()
        assert session.redo(2).evaluations[0].source == "u.ann.age = 'free'"
        session.undo()
        session.set_schema("users", {"fields": {"age": "integer"}})
        run(session, "plain = 1")
        session.set_schema("users", None)
        session.undo()
        (problem,) = session.evaluate("u.ann.age = 'no'", name="at.lua").problems
        assert (problem.chunk, problem.line) == ("at.lua", 1)
        assert "users.ann.age: expected integer" in problem.message


def test_rows_that_refer_to_nothing_come_back_as_they_were(path: Path) -> None:
    """References are not followed up where the row goes that is referred to."""
    with Session.open(path) as session:
        run(session, "ext.table('cities').rome = {} ext.table('users').ann = { city = 'rome' }")
        run(session, "ext.schema('users', { fields = { city = { ref = 'cities' } } })")
        run(session, "ext.table('cities').rome = nil")
        before = everything(path)
        run(session, "ext.table('users').ann = nil")
        run(session, "ext.schema('users', false)")
        session.undo(2)
        assert everything(path) == before
        # Afterwards they are followed up as ever.
        assert not session.evaluate("ext.table('users').bob = { city = 'rome' }").ok


def test_what_others_defined_stands_in_the_way(path: Path) -> None:
    with Session.open(path) as session, Session.open(path) as other:
        run(
            session, "ext.table('users').ann = { age = 'old' } ext.table('users').bob = { age = 1 }"
        )
        run(session, "ext.table('users').ann.age = 41")
        run(other, "ext.schema('users', { fields = { age = 'integer' } })")
        before = everything(path)
        with pytest.raises(StoreError) as caught:
            session.undo()
        assert str(caught.value) == (
            "Evaluation 2 cannot be undone: what was there does not follow a schema that was set "
            "later. Take that schema away, or change it, then try again.\n"
            'users.ann.age: expected integer, got string "old"'
        )
        assert everything(path) == before
        assert run(session, "return ext.table('users').ann.age") == "41"
        other.undo()
        session.undo()
        assert run(session, "return ext.table('users').ann.age") == '"old"'
        session.redo()
        run(session, "ext.table('users').bob.age = 42")
        other.create_index("users", "age", unique=True)
        run(session, "ext.table('users').bob.age = 43")
        session.undo()
        before = everything(path)
        run(other, "ext.table('users').eve = { age = 1 }")
        with pytest.raises(StoreError) as caught:
            session.undo()
        first, second = str(caught.value).splitlines()
        assert first == (
            "Evaluation 7 cannot be undone: what was there does not fit an index that was made "
            "later. Drop that index, then try again."
        )
        assert second.startswith("The index users(age) is unique, and users.bob and users.eve")
        assert session.integrity() == []
        other.undo()
        assert everything(path) == before


def test_a_definition_that_others_changed_is_not_undone(path: Path) -> None:
    with Session.open(path) as session, Session.open(path) as other:
        run(session, "ext.table('users').ann = { age = 1 }")
        run(session, "ext.schema('users', { fields = { age = 'integer' } })")
        run(session, "ext.index('users', 'age')")
        run(other, "ext.drop_index('users', 'age')")
        with pytest.raises(StoreError, match=r"session has changed the index users\(age\)"):
            session.undo()
        other.undo()
        session.undo()
        other.set_schema("users", {"fields": {"age": "number"}})
        with pytest.raises(StoreError, match="another session has changed the schema of users "):
            session.undo()


def test_a_schema_that_comes_back_must_fit_what_others_stored(path: Path) -> None:
    with Session.open(path) as session, Session.open(path) as other:
        run(session, "ext.table('users').ann = { age = 1 }")
        run(session, "ext.schema('users', { fields = { age = 'integer' } })")
        run(session, "ext.schema('users', false)")
        run(other, "ext.table('users').bob = { age = 'young' }")
        before = everything(path)
        with pytest.raises(StoreError, match=r'users\.bob\.age: expected integer, got string "y'):
            session.undo()
        assert everything(path) == before
        assert session.schemas() == {}


def test_what_was_imported_is_undone_with_its_definitions(path: Path, tmp_path: Path) -> None:
    with Session.open(path) as session:
        run(session, "ext.table('users').ann = { age = 1 }")
        run(session, "ext.schema('users', { fields = { age = 'integer' } })")
        run(
            session,
            "Memory.no = {} ext.index('users', 'age') ext.index('Memory.no', 'x') Memory.no = nil",
        )
        with (tmp_path / "lines.jsonl").open("w") as file:
            session.export_lines(file)
    with Session.open(tmp_path / "copy.db") as session:
        with (tmp_path / "lines.jsonl").open() as file:
            session.import_lines(file)
        after = everything(tmp_path / "copy.db")
        session.undo()
        assert (session.indexes(), session.schemas()) == ([], {})
        session.redo()
        assert everything(tmp_path / "copy.db") == after
        assert session.integrity() == []


def test_differences_tell_definitions(path: Path) -> None:
    with Session.open(path) as session:
        run(session, "ext.table('users').ann = { age = 1 }")
        first = session.history(1)[0].number
        run(session, "ext.index('users', 'age', { unique = true })")
        second = session.history(1)[0].number
        run(session, "ext.schema('users', { fields = { age = 'integer' } })")
        run(session, "ext.drop_index('users', 'age') ext.index('users', 'age')")
        told = {row.place: (row.before, row.after) for row in session.diff(second)}
        assert told == {
            "the schema of users": (None, '{"fields": {"age": "integer"}}'),
            "the index users(age)": (
                '{"unique":true,"each":false}',
                '{"unique":false,"each":false}',
            ),
        }
        told = {row.place: (row.before, row.after) for row in session.diff(first, second)}
        assert told == {"the index users(age)": (None, '{"unique":true,"each":false}')}
        # What was there and is there again, the same, is none.
        run(session, "ext.drop_index('users', 'age') ext.index('users', 'age', { unique = true })")
        assert [row.place for row in session.diff(second)] == ["the schema of users"]


def test_the_vm_goes_on_after_an_index_was_made_from_outside(path: Path) -> None:
    """An image is kept of the VM as it was, although nothing was evaluated since the last one."""
    with Session.open(path) as session:
        run(session, "ext.table('users').ann = { age = 1 } global = 42")
    changes: tuple[Callable[[Session], object], ...] = (
        lambda session: session.create_index("users", "age"),
        lambda session: session.set_schema("users", {"fields": {"age": "integer"}}),
    )
    for change in changes:
        with Session.open(path) as session:
            assert session.resumed
            change(session)
    with Session.open(path) as session:
        assert session.resumed, session.started
        assert run(session, "return global, ext.table('users').ann.age") == "42, 1"


def test_without_a_history_definitions_are_as_ever(path: Path) -> None:
    with Session.open(path, history_limit_evaluations=0) as session:
        run(session, "ext.table('users').ann = { age = 1 }")
        run(session, "ext.index('users', 'age') ext.schema('users', { fields = { age = 'any' } })")
        assert session.history() == []
        assert [one.name for one in session.indexes()] == ["users(age)"]
