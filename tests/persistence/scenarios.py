"""Evaluations that use every part of what persistence is made of, for tests that make them fail.

Each begins with what `SETUP` has stored, and can be run once.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path

from lua_ls_persist.model import Evaluation
from lua_ls_persist.session import Session
from tests.persistence.states import damage, seen, seen_afresh, stored

SETUP = """
Memory.list, Memory.users = {}, {}
for index = 1, 300 do Memory.list[index] = index end
for index = 1, 8 do Memory.users["u" .. index] = { age = index, tags = { "a", "b" } } end
local class = { __call = function(self, by) self.n = self.n + by return self.n end }
class.__index = class
function class:twice() return self.n * 2 end
Memory.object = setmetatable({ n = 1 }, class)
local count = 0
function Memory.up() count = count + 1 return count end
function Memory.count() return count end
Memory.text = ("long "):rep(1000)
ext.table("old").value = 1
ext.table("other").object = Memory.object
Memory.rubbish = { {}, { function() return count end } }
"""

SCENARIOS = {
    "adopts": """
        local new = { a = { b = { c = 1 } }, list = { 1, 2, 3 }, text = ("x"):rep(5000) }
        new.self, new[new], new.of = new, "itself", setmetatable({}, { __index = new.a })
        Memory.new = new
        Memory.text = nil
        Memory.users.u1 = new.a
        """,
    "goes through and changes": """
        for index, value in pairs(Memory.list) do
          if index % 50 == 0 then Memory.list[index] = { value } end
          if index % 50 == 1 then Memory.list[index] = nil end
        end
        for _, user in pairs(Memory.users) do user.age = user.age + 1 user.tags[3] = "c" end
        Memory.length = #Memory.list
        """,
    "functions": """
        local n, g = 0
        function g() n = n + 1 return Memory.up() + n end
        Memory.g, Memory.h = g, function() return g end
        Memory.object(g())
        Memory.users.u2.on = function(...) return select("#", ...), n end
        debug.setmetatable(Memory.object, nil)
        """,
    "transactions": """
        ext.transaction(function()
          Memory.inside = { 1 }
          Memory.up()
          assert(not pcall(ext.transaction, function()
            Memory.inside[2] = { 2 }
            Memory.up()
            error("undone")
          end))
          ext.transaction(function() Memory.inside[3] = Memory.object:twice() end)
        end)
        assert(not pcall(ext.transaction, function()
          Memory.users = nil
          ext.drop("old")
          error("undone")
        end))
        Memory.outside = true
        """,
    "roots": """
        ext.table("new").x = { 1 }
        ext.drop("old")
        ext.table("other").object = ext.table()
        local names = {}
        for _, root in ipairs(ext.tables()) do names[#names + 1] = root.name end
        Memory.names = table.concat(names, " ") .. ext.info("new").entries .. #ext.functions()
        """,
    "collects": """
        Memory.rubbish = nil
        ext.collect()
        Memory.rubbish = { 1 }
        assert(ext.memory().functions > 0)
        Memory.object.n = Memory.list[290]
        """,
    "catches everything": """
        for step = 1, 6 do
          pcall(function() Memory["k" .. step] = { step, { step } } ext.tables() end)
          pcall(function() Memory.users["u" .. step] = nil return #Memory.list end)
          pcall(function() Memory.object(step) for _ in pairs(Memory.users) do end end)
          pcall(ext.transaction, function() Memory.up() Memory.list[step] = nil end)
        end
        """,
}


@dataclass(frozen=True)
class Prepared:
    """A scenario with the file it begins with, and what is there before and after it."""

    name: str
    source: str
    path: Path
    before: str
    seen_before: str
    after: str
    seen_after: str

    def copy(self, folder: Path) -> Path:
        """A file of its own to run it on."""
        path = folder / "session.db"
        for suffix in ("-wal", "-shm"):
            path.with_name(path.name + suffix).unlink(missing_ok=True)
        shutil.copyfile(self.path, path)
        return path


def prepare(folder: Path, name: str, more: str = "") -> Prepared:
    """Run a scenario, with more behind it, as it is meant to be."""
    source = SCENARIOS[name] + more
    base, done = folder / "base.db", folder / "done.db"
    with Session.open(base) as session:
        assert session.evaluate(SETUP, name="setup").ok
    before, seen_before = stored(base), seen_afresh(base)
    shutil.copyfile(base, done)
    with Session.open(done, resume=False) as session:
        run(session, source)
        seen_after = seen(session)
    after = stored(done)
    assert after != before
    assert seen_afresh(done) == seen_after
    assert damage(done) == []
    return Prepared(name, source, base, before, seen_before, after, seen_after)


def run(session: Session, source: str) -> None:
    """Run a scenario, which must succeed."""
    evaluation = attempt(session, source)
    assert evaluation.ok, evaluation.problems


def attempt(session: Session, source: str) -> Evaluation:
    """Run a scenario."""
    return session.evaluate(source, name="scenario", time_limit_s=60)
