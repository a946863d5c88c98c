"""A session goes on where the last one was, or says why it does not; forks; what is done idle."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import apsw
import pytest

from lua_ls_persist.errors import SessionClosedError, StoreError
from lua_ls_persist.session import Session, idle
from lua_ls_persist.session.owner import Owner
from lua_ls_persist.store import Store
from tests.session.helpers import problem, value
from tests.session.persistent import Restarted

STATE = """
x = { 1, { y = 2 } }
local n = 0
function count() n = n + 1 return n end
numbers = coroutine.wrap(function() for i = 1, 100 do coroutine.yield(i) end end)
weak = setmetatable({ x }, { __mode = "v" })
Memory.t = { a = 1 }
t = Memory.t
numbers() count()
"""
LOOK = "x[2].y, count(), numbers(), weak[1] == x, t == Memory.t, t.a"


def stored_images(path: Path) -> int:
    with Store.open(path) as store:
        return store.sizes().images


# Going on


def test_it_goes_on(stored: Restarted) -> None:
    assert "there is no image of an earlier session" in stored.session.started
    stored.run(STATE)
    for number in range(2, 5):
        stored.again(resume=True)
        assert stored.session.resumed
        assert stored.session.started == "The session goes on where the last one was."
        assert stored.run(LOOK) == (2, number, number, True, True, 1)


def test_without_resume_it_starts_anew(stored: Restarted) -> None:
    stored.run("x = 1 Memory.x = 2")
    stored.again(resume=False)
    assert not stored.session.resumed
    assert stored.session.started == "The session starts anew, as was asked for."
    assert stored.run("x, Memory.x") == (None, 2)


def test_a_session_in_memory_has_no_image(session: Session) -> None:
    assert (session.resumed, session.path) == (False, None)
    assert session.started == "The session starts anew, in memory."


def test_a_session_that_did_nothing_keeps_the_image(stored: Restarted) -> None:
    stored.run("x = 1")
    for _ in range(3):
        stored.again(resume=True)
    assert stored.run("x") == (1,)
    assert stored_images(stored.path) == 1


def test_after_a_failed_evaluation(stored: Restarted) -> None:
    stored.run("x = 1")
    stored.evaluate("x = 2 error('x')")
    stored.again(resume=True)
    assert stored.run("x") == (1,)


def test_source_texts_and_long_names_go_along(stored: Restarted) -> None:
    name = "folder/" * 60 + "name.lua"
    stored.evaluate("function f()\n  error('here')\nend", name=name, line=5)
    stored.again(resume=True)
    found = problem(stored.evaluate("f()"))
    assert (found.chunk, found.line) == (name, 7)
    stored.run("Memory.f = f")
    (function,) = stored.session.functions()
    assert (function.chunk, function.text) == (name, "function f()\n  error('here')\nend")


def test_numbers_of_source_texts_are_not_used_again(stored: Restarted) -> None:
    stored.run("function old() return 'old' end")
    stored.again(resume=True)
    for number in range(5):
        stored.run(f"function new{number}() return {number} end")
    stored.run("Memory.old, Memory.new = old, new3")
    texts = {function.name: function.text for function in stored.session.functions()}
    assert texts == {
        "old": "function old() return 'old' end",
        "new": "function new3() return 3 end",
    }


def test_settings_are_those_of_the_new_session(stored: Restarted) -> None:
    stored.settings["allow_bytecode"] = True
    stored.again(resume=True)
    load = "(load(string.dump(function() return 42 end)))"
    assert stored.run(f"x = 1 return {load}()") == (42,)
    stored.settings["allow_bytecode"] = False
    stored.again(resume=True)
    assert stored.run(f"x, {load}") == (1, None)


# Not going on


def test_when_the_data_have_changed(stored: Restarted) -> None:
    stored.run("x = 1 Memory.x = 1")
    stored.session.close()
    with Store.open(stored.path) as store, store.transaction():
        store.apply(sets=[(1, 4, "x", 2, 2)])
    stored.session = Session.open(stored.path)
    assert stored.session.started == (
        "The session starts anew: the data have changed since the last session's image was made."
    )
    assert stored.run("x, Memory.x") == (None, 2)


def test_when_the_process_ended_without_closing(path: Path) -> None:
    script = """
import os, sys
from lua_ls_persist import Session
session = Session.open(sys.argv[1])
session.evaluate("x = 1 Memory.x = 1")
os._exit(0)
"""
    subprocess.run([sys.executable, "-c", script, str(path)], check=True)
    with Session.open(path) as session:
        assert not session.resumed
        assert session.evaluate("x, Memory.x").values == (None, 1)


def test_when_the_core_is_another_one(stored: Restarted) -> None:
    stored.run("x = 1")
    stored.session.close()
    connection = apsw.Connection(str(stored.path))
    connection.execute("UPDATE images SET core_sha256 = zeroblob(32)")
    connection.close()
    stored.session = Session.open(stored.path)
    assert "another version of lua-ls-persist" in stored.session.started
    assert stored.run("x") == (None,)


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE image_pieces SET content = zeroblob(length(content))",
        "UPDATE images SET segments = '[[0, 100000], [200000, 5]]'",
        "DELETE FROM image_pieces",
        "UPDATE images SET details = '{}'",
    ],
)
def test_when_the_image_is_damaged(stored: Restarted, damage: str) -> None:
    stored.run("x = 1 Memory.x = 1")
    stored.session.close()
    connection = apsw.Connection(str(stored.path))
    connection.execute(damage)
    connection.close()
    stored.session = Session.open(stored.path)
    assert "damaged" in stored.session.started
    assert stored.run("x, Memory.x") == (None, 1)


def test_when_the_vm_would_not_fit(stored: Restarted) -> None:
    stored.run("blob = ('x'):rep(8000000) Memory.x = 1")
    stored.settings["memory_limit_bytes"] = 4 * 1024 * 1024
    stored.again(resume=True)
    assert "does not fit into the memory limit" in stored.session.started
    assert stored.run("blob, Memory.x") == (None, 1)


def test_a_restart_is_for_good(stored: Restarted) -> None:
    stored.run("x = 1 Memory.x = 1")
    stored.again(resume=True)
    stored.session.restart()
    assert (stored.session.resumed, stored.session.started) == (
        False,
        "The session was restarted.",
    )
    assert stored.run("x, Memory.x") == (None, 1)
    stored.session.restart()
    stored.again(resume=True)
    assert stored.run("x, Memory.x") == (None, 1)


def test_two_sessions_go_on_from_one_image(stored: Restarted) -> None:
    """Both have the same ids reserved; the tables that they make are different ones."""
    stored.run("x = 1 Memory.t = {}")
    stored.again(resume=True)
    with Session.open(stored.path) as other:
        assert other.resumed
        stored.run("Memory.a = { 'a' }")
        assert other.evaluate("Memory.b = { 'b' } x = 2").ok
        assert stored.text("Memory.a, Memory.b, x") == '{"a"}, {"b"}, 1'
    assert stored.session.integrity() == []


def test_a_session_that_others_have_overtaken_keeps_an_image_that_fits(stored: Restarted) -> None:
    stored.run("x = 1 local n = 0 function Memory.up() n = n + 1 return n end up = Memory.up")
    with Session.open(stored.path, resume=False) as other:
        assert value(other, "Memory.up()") == 1
    stored.again(resume=True)
    assert stored.session.resumed
    assert stored.run("x, up()") == (1, 2)


# Idle


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Idle time begins soon, also after something that took long, as on a busy machine."""
    for name in ("IMAGE_AFTER_S", "COLLECT_AFTER_S"):
        monkeypatch.setattr(idle, name, 0.01)
    for name in ("IMAGE_TIMES_COST", "COLLECT_TIMES_COST"):
        monkeypatch.setattr(idle, name, 0)


@pytest.mark.usefixtures("impatient")
def test_an_image_is_kept_in_idle_time(path: Path) -> None:
    with Session.open(path) as session:
        session.evaluate("x = 2 Memory.x = 1")
        wait_for(lambda: session.sizes().images > 0)
        with Session.open(path) as other:
            assert other.resumed
            assert value(other, "x") == 2


@pytest.mark.usefixtures("impatient")
def test_rows_can_be_read_by_any_tool_after_a_while(path: Path) -> None:
    with Session.open(path) as session:
        session.evaluate("ext.table('users').ann = { name = 'Ann', age = 41 }")
        wait_for(lambda: session.sizes().images > 0)
    connection = apsw.Connection(str(path))
    names = [row[0] for row in connection.execute("SELECT name FROM sqlite_schema")]
    (view,) = [name for name in names if str(name).endswith("users")]
    rows = connection.execute(f'SELECT key, age FROM "{view}"').fetchall()
    assert rows == [("ann", 41)]
    connection.close()


@pytest.mark.usefixtures("impatient")
def test_garbage_is_collected_in_idle_time(path: Path) -> None:
    with Session.open(path, history_limit_evaluations=0) as session:
        session.evaluate("Memory.t = {} for i = 1, 300 do Memory.t[i] = { i } end kept = Memory.t")
        session.evaluate("Memory.t = nil")
        assert session.evaluate("#kept").values == (300,)
        session.evaluate("kept = nil collectgarbage()")

        def is_collected() -> bool:
            # The image that still held the table is one of the last few.
            session.evaluate("Memory.x = (Memory.x or 0) + 1")
            time.sleep(0.1)
            return session.sizes().tables == 1

        wait_for(is_collected)
        assert session.integrity() == []


def test_a_full_disk_in_idle_time_is_no_end(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def failing(*_: object, **__: object) -> bool:
        raise StoreError("the disk is full")

    monkeypatch.setattr(idle, "IMAGE_AFTER_S", 0.01)
    with Session.open(path) as session:
        with monkeypatch.context() as patch, caplog.at_level(logging.WARNING):
            patch.setattr(Store, "save_image", failing)
            session.evaluate("Memory.x = 1")
            wait_for(lambda: "the disk is full" in caplog.text)
        assert value(session, "Memory.x") == 1


def test_an_image_that_cannot_be_kept_at_the_end(
    stored: Restarted, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def failing(*_: object, **__: object) -> bool:
        raise StoreError("the disk is full")

    stored.run("Memory.x = 1")
    with monkeypatch.context() as patch, caplog.at_level(logging.WARNING):
        patch.setattr(Store, "save_image", failing)
        stored.again(resume=True)
    assert "no image of the session was kept: the disk is full" in caplog.text
    assert stored.run("Memory.x") == (1,)


def test_work_goes_before_what_is_done_idle() -> None:
    done: list[str] = []
    ended = threading.Event()

    def be_idle() -> None:
        done.append("idle")
        ended.set()

    owner = Owner("test", be_idle)
    asked = threading.Event()

    def rest() -> None:
        assert asked.wait(60)
        owner.rest(0.0)

    owner.submit(rest)
    for number in range(3):
        owner.submit(lambda number=number: done.append(str(number)))  # type: ignore[misc]
    asked.set()
    assert ended.wait(10)
    assert done == ["0", "1", "2", "idle"]
    assert owner.call(owner.has_work) is False
    owner.close(lambda: None)


def test_idle_work_that_fails_does_not_end_the_thread(caplog: pytest.LogCaptureFixture) -> None:
    def be_idle() -> None:
        raise ZeroDivisionError

    owner = Owner("test", be_idle)
    owner.call(lambda: owner.rest(0.0))
    wait_for(lambda: "ZeroDivisionError" in caplog.text)
    assert owner.call(lambda: 42) == 42
    owner.close(lambda: None)


# Forks


def test_a_fork_has_the_same_vm_and_data(stored: Restarted) -> None:
    stored.run(STATE)
    with stored.session.fork() as fork:
        assert (fork.resumed, fork.path) == (True, None)
        assert fork.started == "A fork goes on where its origin was."
        assert fork.evaluate(LOOK).values == (2, 2, 2, True, True, 1)
        assert fork.evaluate("Memory.t.a = 5 x = nil Memory.new = {}").ok
        assert stored.run(LOOK) == (2, 2, 2, True, True, 1)
        stored.run("Memory.t.a = 7")
        assert fork.evaluate("t.a, x, Memory.new").text == "5, nil, {}"
    assert stored.run("Memory.t.a, Memory.new") == (7, None)


def test_a_fork_of_a_session_in_memory(session: Session) -> None:
    session.evaluate(STATE)
    with session.fork() as fork:
        assert fork.evaluate(LOOK).values == (2, 2, 2, True, True, 1)
        fork.evaluate("Memory.t.a = 5")
        with fork.fork() as second:
            assert value(second, "Memory.t.a") == 5
    assert session.evaluate(LOOK).values == (2, 2, 2, True, True, 1)


def test_a_fork_outlives_its_origin(stored: Restarted) -> None:
    stored.run("Memory.x = 1 y = 2")
    fork = stored.session.fork()
    stored.session.close()
    assert fork.evaluate("Memory.x, y").values == (1, 2)
    fork.close()
    with pytest.raises(SessionClosedError):
        fork.evaluate("1")


def test_a_fork_leaves_no_file(stored: Restarted, tmp_path: Path) -> None:
    stored.run("Memory.x = 1")
    fork = stored.session.fork()
    folder = fork._life._folder
    assert folder is not None
    assert Path(folder.name).is_dir()
    fork.close()
    assert not Path(folder.name).exists()
