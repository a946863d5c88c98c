"""Undo and redo of the evaluations of one session."""

from __future__ import annotations

from pathlib import Path

import pytest

from lua_ls_persist.errors import SessionError
from lua_ls_persist.session import Session
from tests.persistence.states import stored
from tests.session.history.evaluating import newest, run


def test_undo_and_redo_of_store_and_vm(session: Session, path: Path) -> None:
    run(session, "x = 1 Memory.users = { ann = { age = 1 } }")
    before = stored(path)
    run(
        session,
        "x = 2 Memory.users.ann.age = 2 Memory.users.bob = {} setmetatable(Memory.users, {})",
    )
    after = stored(path)
    went = session.undo()
    assert [entry.source[:5] for entry in went.evaluations] == ["x = 2"]
    assert went.vm == "restored"
    assert went.text.startswith("Evaluation ")
    assert stored(path) == before
    assert run(session, "return x, Memory.users.ann.age, Memory.users.bob") == "1, 1, nil"
    assert newest(session).undone
    assert session.redo().vm == "restored"
    assert stored(path) == after
    assert run(session, "return x, Memory.users.ann.age, getmetatable(Memory.users)") == "2, 2, {}"
    assert not newest(session).undone


FILL = "for i = 1, 30 do t['k' .. i] = i end"
EMPTY = "for i = 1, 30 do t['k' .. i] = nil end"


@pytest.mark.parametrize("before", ["", FILL])
@pytest.mark.parametrize(
    "program",
    [
        FILL,
        f"{EMPTY} look() for i = 11, 50 do t['k' .. i] = -i end",
        f"for i = 1, 30 do t['n' .. i] = 0 look() end {EMPTY} look() {FILL} look() {EMPTY}",
        # What was taken out and put in is back, and then it is really changed.
        f"""
        pcall(ext.transaction, function()
          {EMPTY} look() for i = 1, 30 do t['n' .. i] = 0 end look() error('no')
        end)
        assert(next(t) == kept)
        for i = 21, 60 do t['k' .. i] = -i end look() {EMPTY}
        """,
    ],
)
def test_tables_that_are_empty_at_some_moment(
    session: Session, path: Path, before: str, program: str
) -> None:
    """All writes are in the file where `look` is called: more come to a table without entries."""
    run(session, f"t = ext.table('t') {before} kept = next(t) function look() ext.count(t) end")
    first = stored(path)
    run(session, program)
    second = stored(path)
    session.undo()
    assert stored(path) == first
    session.redo()
    assert stored(path) == second


def test_several_at_once(session: Session, path: Path) -> None:
    states = [stored(path)]
    for number in range(4):
        run(session, f"x = {number} Memory[{number}] = {{ {number} }} Memory[{number} - 1] = nil")
        states.append(stored(path))
    assert len(session.undo(3).evaluations) == 3
    assert (stored(path), run(session, "return x")) == (states[1], "0")
    assert len(session.redo(2).evaluations) == 2
    assert (stored(path), run(session, "return x")) == (states[3], "2")
    assert len(session.undo(99).evaluations) == 3
    assert stored(path) == states[0]
    nothing = session.undo()
    assert (nothing.evaluations, nothing.vm) == ((), "kept")
    assert nothing.text == "There is nothing to undo."
    assert len(session.redo(99).evaluations) == 4
    assert (stored(path), run(session, "return x")) == (states[4], "3")
    with pytest.raises(SessionError, match="count is 0"):
        session.undo(0)


def test_what_was_undone_is_gone_when_something_else_is_written(session: Session) -> None:
    run(session, "Memory.a = 1")
    run(session, "Memory.a = 2")
    session.undo()
    run(session, "return Memory.a")
    run(session, "Memory.b = 1")
    assert session.redo().text == "There is nothing to redo."
    assert [entry.source for entry in session.history()] == ["Memory.b = 1", "Memory.a = 1"]


def test_ids_of_what_was_undone_are_not_used_again(session: Session) -> None:
    run(session, "Memory.a = {}")
    run(session, "Memory.b = { 1, 2, 3 }")
    session.undo()
    run(session, "Memory.c = {}")
    assert run(session, "return #Memory.c, next(Memory.c)") == "0, nil"


def test_shared_upvalues_go_back_together(session: Session) -> None:
    run(
        session, "local n = 0 function Memory.up() n = n + 1 end function Memory.get() return n end"
    )
    session.call("Memory.up")
    session.call("Memory.up")
    session.undo()
    assert session.call("Memory.get").values == (1,)
    session.restart()
    assert session.call("Memory.get").values == (1,)
    session.redo()
    assert session.call("Memory.get").values == (2,)


def test_dropping_a_root_is_undone_without_the_vm(session: Session) -> None:
    run(session, "ext.table('log')[1] = { 'first' } x = 1")
    run(session, "x = 2")
    assert session.drop("log")
    assert newest(session).source == "drop log"
    assert session.undo().vm == "kept"
    assert run(session, "return x, ext.table('log')[1][1]") == '2, "first"'
    session.redo()
    assert run(session, "return ext.info('log')") == "nil"
    session.undo()
    assert session.collect().tables == 0
    run(session, "ext.drop('log')")
    session.undo()
    assert run(session, "return ext.table('log')[1][1]") == '"first"'


def test_long_strings_come_back(session: Session, path: Path) -> None:
    run(
        session,
        "Memory.text = ('a'):rep(5000) local s = ('b'):rep(2000) "
        "function Memory.f(t) local old = s s = t or s return old end",
    )
    before = stored(path)
    run(session, "Memory.text = ('c'):rep(3000) Memory.f('short')")
    run(session, "Memory.text = nil Memory.f(('d'):rep(1000))")
    after = stored(path)
    session.undo(2)
    assert stored(path) == before
    session.redo(2)
    assert stored(path) == after
    session.undo(2)
    run(session, "Memory.other = 1")
    assert stored(path).count("aaa") > 0
    assert session.sizes().long_strings == 2


def test_a_migration_can_run_again_after_it_was_undone(session: Session) -> None:
    run(session, "Memory.users = { ann = { name = 'Ann' } }")
    migrate = "return ext.migrate('Memory.users', 1, function(user) user.old = user.name end)"
    run(session, migrate)
    session.undo()
    assert run(session, "return Memory.users.ann.old") == "nil"
    run(session, migrate)
    assert run(session, "return Memory.users.ann.old") == '"Ann"'


def test_an_import_is_undone(session: Session, path: Path, tmp_path: Path) -> None:
    with Session.open(tmp_path / "other.db") as other:
        run(
            other,
            "Memory.a = { 1 } ext.table('t').x = Memory.a setmetatable(Memory, { __len = 1 })",
        )
        with (tmp_path / "lines").open("w", encoding="utf-8") as file:
            other.export_lines(file)
    empty = stored(path)
    with (tmp_path / "lines").open(encoding="utf-8") as file:
        session.import_lines(file)
    full = stored(path)
    assert newest(session).name == "(import)"
    session.undo()
    assert stored(path) == empty
    session.redo()
    assert stored(path) == full
    assert run(session, "return ext.table('t').x == Memory.a") == "true"


def test_a_table_of_many_entries_is_emptied_and_filled_again(session: Session, path: Path) -> None:
    run(
        session,
        "for i = 1, 12000 do Memory[i] = i Memory['k' .. i] = i / 3 Memory[i + 0.5] = 1 end",
    )
    before = stored(path)
    run(session, "for k in pairs(Memory) do Memory[k] = nil end Memory['\\0\\255'] = 1")
    session.undo()
    assert stored(path) == before
    assert run(session, "return #Memory, Memory['\\0\\255']") == "12000, nil"
