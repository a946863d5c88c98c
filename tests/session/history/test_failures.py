"""Undo that fails, or ends in its middle, leaves what was there before it, or what comes after."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lua_ls_persist.errors import StoreError
from lua_ls_persist.session import Session
from lua_ls_persist.store import HistoryLimits, Store
from tests.persistence.states import damage, defined, seen_afresh, stored

FILL = """
Memory.t = {} for i = 1, 3000 do Memory.t[i] = { i, name = 'name ' .. i } end
ext.index('Memory.t', 'name', { unique = true })
"""
CHANGE = """
for i = 1, 3000, 2 do Memory.t[i] = nil end
for i = 2, 3000, 2 do Memory.t[i].name = ('x'):rep(i % 1500) .. i end
setmetatable(Memory.t, { __len = function() return 1 end })
ext.table('other')[1] = Memory.t
ext.drop_index('Memory.t', 'name')
ext.schema('Memory.t', { fields = { name = 'string' } })
"""

UNDOING = """
import sys
from lua_ls_persist.session import Session

with Session.open(sys.argv[1], resume=False) as session:
    print("ready", flush=True)
    while True:
        session.undo()
        session.redo()
"""


def everything(path: Path) -> str:
    """All data and all definitions."""
    return stored(path) + defined(path)


def prepared(path: Path) -> tuple[str, str]:
    """What is stored before an evaluation and after it."""
    with Session.open(path) as session:
        assert session.evaluate(FILL).ok
        before = everything(path)
        assert session.evaluate(CHANGE).ok
    return before, everything(path)


def test_a_full_disk_in_the_middle_of_undo(tmp_path: Path) -> None:
    path = tmp_path / "session.db"
    before, after = prepared(path)
    with Session.open(path) as session:
        connection = session._life.runner.store._connection
        assert session.evaluate("x = 5").ok
        pages = connection.pragma("page_count")
        free = connection.pragma("freelist_count")
        messages: list[str] = []
        for more in (0, 1, 5, 20):
            connection.pragma("max_page_count", pages + more)
            try:
                session.undo()
            except StoreError as error:
                messages.append(str(error))
                assert everything(path) == after
                assert session.evaluate("return x").values == (5,)
                assert not session.history(1)[0].undone
            else:
                break
        assert messages or free
        assert all("the disk is full" in message for message in messages)
        connection.pragma("max_page_count", 1_000_000)
        if everything(path) == after:
            session.undo()
        assert everything(path) == before
        session.redo()
        assert everything(path) == after
    assert damage(path) == []


@pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGKILL")
@pytest.mark.parametrize("seed", range(3))
def test_killed_in_the_middle_of_undo(tmp_path: Path, seed: int) -> None:
    path = tmp_path / "session.db"
    before, after = prepared(path)
    chance = random.Random(seed)
    for _ in range(3):
        child = subprocess.Popen(
            [sys.executable, "-c", UNDOING, str(path)], stdout=subprocess.PIPE, env=os.environ
        )
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        time.sleep(chance.random() * 0.3)
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        now = everything(path)
        assert now in (before, after)
        with Session.open(path) as session:
            newest = session.history(1)[0]
            assert newest.undone == (now == before)
            if not newest.undone:
                session.undo()
                assert everything(path) == before
            session.redo()
        assert everything(path) == after
        assert damage(path) == []
    assert seen_afresh(path)


def test_each_statement_of_undo_may_fail(tmp_path: Path) -> None:
    path = tmp_path / "session.db"
    before, after = prepared(path)
    with Session.open(path) as session:
        store = session._life.runner.store
        failed = 0
        for power in range(40):
            left = int(1.35**power) + power

            def stopping() -> bool:
                nonlocal left
                left -= 1
                return left <= 0

            store._connection.set_progress_handler(stopping, 200)
            try:
                session.undo()
            except StoreError:
                failed += 1
                store._connection.set_progress_handler(None)
                assert everything(path) == after
                continue
            store._connection.set_progress_handler(None)
            break
        assert failed > 3
        assert everything(path) == before
    assert damage(path) == []


def test_emptied_tables_come_back(tmp_path: Path) -> None:
    with Store.open(tmp_path / "store.db") as store:
        store.keep_history(
            session="s", limits=HistoryLimits(), describe=lambda: ("name", b"source")
        )
        with store.transaction():
            first = store.reserve(1)
            store.apply(
                [(1, 2, 1, 7, first), (1, 4, "long", 4, "x" * 2000), (first, 2, 1, 2, 1)],
                new_tables=[(first,)],
            )
        with store.transaction():
            store.clear_table(1)
            store.clear_table(first)
            # What is announced again is not new.
            store.apply([(1, 4, "k", 1, 1)], new_tables=[(first,)])
        with store.transaction():
            assert store.undo() is not None
        assert store.get(1, 2, 1) == (7, first)
        assert store.get(1, 4, "long") == (4, "x" * 2000)
        assert store.get(first, 2, 1) == (2, 1)
        assert store.get(1, 4, "k") is None
        with store.transaction():
            assert store.redo() is not None
        assert (store.get(1, 2, 1), store.get(first, 2, 1)) == (None, None)
        assert store.get(1, 4, "k") == (1, 1)
        assert store.integrity() == []
