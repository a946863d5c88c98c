"""Changing what is stored from Python: batches, single entries, interrupts, progress."""

from __future__ import annotations

import threading
import time

import pytest

from lua_ls_persist.errors import SessionError, WireError
from lua_ls_persist.model import Preview
from lua_ls_persist.session import Session
from tests.session.helpers import entries, problem, value

# From Python


def test_from_python(session: Session) -> None:
    result = session.batch(
        [
            {"op": "set", "table": "users", "key": "ann", "value": {"tags": ["a", "b"]}},
            {"op": "get", "table": "users", "key": "ann"},
            {"op": "get", "table": "users", "key": "bob"},
            {"op": "set", "table": "users", "key": b"\xff\0", "value": 1.5},
        ]
    )
    assert result.ok
    first, row, absent, last = result.values
    assert (first, absent, last) == (True, None, True)
    assert isinstance(row, Preview)
    assert row.text == '{tags = {"a", "b"}}'
    assert value(session, r'ext.table("users")["\xff\0"]') == 1.5


def test_a_failing_one_from_python(session: Session) -> None:
    found = problem(session.batch([{"op": "set", "table": "u", "key": 1, "value": 1}, {"op": "x"}]))
    assert found.message == (
        "batch operation 2 (x table): "
        "op is not one of set, insert, get, delete, update, query and count"
    )
    assert (found.chunk, found.line, found.traceback) == ("", None, ())
    assert session.info("u") is None


def test_programs_cannot_come_between(session: Session) -> None:
    session.evaluate(
        """
        ext.batch, ext.transaction, pcall, type, error, rawget = nil, nil, nil, nil, nil, nil
        next, table.unpack, string.find, string.format = nil, nil, nil, nil
        local meta = debug.getmetatable("")
        meta.__index = function() error("changed") end
        ext, _G.Memory = nil, nil
        """
    )
    assert session.batch([{"op": "set", "table": "Memory", "key": "x", "value": 1}]).ok
    assert session.set("Memory.users", {}).ok
    assert session.set("Memory.users.ann", {"age": 1}).ok
    assert session.get("Memory.users.ann.age") == 1


def test_what_lua_has_no_value_for(session: Session) -> None:
    with pytest.raises(WireError, match="has no counterpart in Lua"):
        session.batch([{"op": "set", "table": "u", "key": 1, "value": object()}])


def test_on_progress_that_raises_undoes_it(session: Session) -> None:
    def fail(done: int, total: int) -> None:
        raise RuntimeError("seen enough")

    operations = [{"op": "set", "table": "u", "key": n, "value": n} for n in range(1000)]
    with pytest.raises(RuntimeError, match="seen enough"):
        session.batch(operations, on_progress=fail)
    assert session.info("u") is None
    assert session.batch(operations).ok


def test_it_can_be_interrupted(session: Session) -> None:
    begun = threading.Event()
    session.evaluate(
        """
        setmetatable(ext.table("slow"), { __newindex = function(t, k, v)
          if k == 700 then while true do end end
          rawset(t, k, v)
        end })
        """
    )
    operations = [{"op": "set", "table": "slow", "key": n, "value": n} for n in range(1000)]
    future = session.submit_batch(operations, on_progress=lambda *_: begun.set())
    assert begun.wait(20)
    asked = time.monotonic()
    while not future.done():
        session.interrupt()
        time.sleep(0.005)
    assert time.monotonic() - asked < 5
    assert problem(future.result()).kind == "interrupt"
    assert entries(session, "slow") == 0


# Set and delete


def test_set_and_delete(session: Session) -> None:
    assert session.set("users.ann", {"age": 41, "tags": ["a"]}).ok
    assert session.set("users.ann.age", 42).ok
    assert session.set(["users", "ann", "first name"], "Ann").ok
    assert session.set("users[3]", True).ok
    assert session.get("users.ann.age") == 42
    assert session.get('users.ann["first name"]') == "Ann"
    assert session.get("users[3]") is True
    assert session.delete("users.ann.age").values == (True,)
    assert session.delete("users.ann.age").values == (False,)
    assert session.set("users.ann", None).ok
    assert session.get("users.ann") is None


def test_half_characters_in_keys(session: Session) -> None:
    # As an editor may send them.
    assert session.set(["Memory", "\ud800"], 1).ok
    assert session.get(["Memory", "\ud800"]) == 1
    assert session.delete(["Memory", "\ud800"]).values == (True,)
    assert problem(session.call(["Memory", "\ud800"])).message.endswith("is nil, not a function")


def test_deleting_what_is_not_there_changes_nothing(session: Session) -> None:
    session.set("Memory.a", 1)
    assert session.delete("Memory.b").values == (False,)
    assert session.delete("nobody.ann").values == (False,)
    assert session.delete("nobody.ann.age").values == (False,)
    assert session.batch([{"op": "delete", "table": "Memory", "key": "b"}]).values == (False,)
    assert [table.name for table in session.tables()] == ["Memory"]
    assert len(session.history()) == 1
    assert problem(session.delete("Memory.b.c")).message == "there is no table Memory.b"


def test_deleting_asks_the_metatable(session: Session) -> None:
    assert session.evaluate(
        "Memory.deleted = {} Memory.proxy = setmetatable({}, { __newindex = function(_, key, value)"
        " Memory.deleted[#Memory.deleted + 1] = key .. tostring(value) end })"
    ).ok
    assert session.delete("Memory.proxy.x").values == (False,)
    operation = {"op": "delete", "table": "Memory.proxy", "key": "y"}
    assert session.batch([operation]).values == (False,)
    assert value(session, "table.concat(Memory.deleted, ' ')") == "xnil ynil"


def test_long_values_can_be_set(session: Session) -> None:
    text = "long " * 100_000
    assert session.set("Memory.text", {"deep": [text, text + "!"]}).ok
    assert value(session, "#Memory.text.deep[2]") == len(text) + 1


def test_where_nothing_can_be_set(session: Session) -> None:
    with pytest.raises(SessionError, match="Memory is a table of its own; name an entry of it"):
        session.set("Memory", 1)
    with pytest.raises(SessionError, match="is no path"):
        session.delete("1")
    session.set("Memory.n", 1)
    assert problem(session.set("Memory.a.b", 1)).message == "there is no table Memory.a"
    assert problem(session.set("Memory.n.b", 1)).message == ("Memory.n is a number, not a table")
