"""Memory runs out while something is stored or loaded, at every place where that can happen: the
session goes on, VM and store agree, and nothing is half there, whatever the program catches.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from lua_ls_persist.session import Session
from tests.persistence.scenarios import SCENARIOS, SETUP, Prepared, attempt, prepare
from tests.persistence.states import damage, seen, seen_afresh, stored

KIB = 1024
MEMORY_LIMIT_BYTES = 2 * 1024 * KIB
CACHED_ENTRIES = 150
"""Few, so that caches are emptied in the middle of things."""


@pytest.fixture(scope="module", params=sorted(set(SCENARIOS) - {"catches everything"}))
def prepared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return prepare(tmp_path_factory.mktemp("prepared"), request.param)


def limit_cache(session: Session) -> None:
    session._life.call(lambda runner: runner.machine.limit_cache(CACHED_ENTRIES))


FILL = """
ballast = nil
collectgarbage()
local reserve, full = ("x"):rep(...), {}
collectgarbage()
local size = 65536
while size >= 32 do
  local ok, text = pcall(string.rep, "x", size)
  ok = ok and pcall(rawset, full, #full + 1, text)
  if not ok then size = size // 2 end
end
ballast, reserve = full, nil
collectgarbage()
"""


def leave(session: Session, left_bytes: int) -> bool:
    """Fill the VM's memory up to so many bytes. False: so little is too little to end with."""
    evaluation = session.evaluate(FILL, arguments=[left_bytes])
    assert evaluation.ok or evaluation.problems[0].kind == "memory", evaluation.problems
    return evaluation.ok


def rising() -> Iterator[int]:
    """How much memory is left at each step: a hundred bytes more at first."""
    left_bytes = 0.0
    while left_bytes < MEMORY_LIMIT_BYTES // 4:
        yield int(left_bytes)
        left_bytes += max(150.0, left_bytes / 20)


@pytest.mark.slow
@pytest.mark.parametrize("cold", [False, True], ids=["cached", "cold"])
def test_memory_rises_until_it_succeeds(prepared: Prepared, tmp_path: Path, cold: bool) -> None:
    path = prepared.copy(tmp_path)
    failures = 0
    with Session.open(path, memory_limit_bytes=MEMORY_LIMIT_BYTES, resume=False) as session:
        for left_bytes in rising():
            if cold:
                session.restart()
            limit_cache(session)
            if not leave(session, left_bytes):
                continue
            evaluation = attempt(session, prepared.source)
            assert session.evaluate("ballast = nil collectgarbage()").ok
            if evaluation.ok:
                break
            failures += 1
            assert [problem.kind for problem in evaluation.problems] == ["memory"]
            assert stored(path) == prepared.before
            assert seen(session) == prepared.seen_before
        assert evaluation.ok, evaluation.problems
        assert stored(path) == prepared.after
        assert seen(session) == prepared.seen_after
    assert failures > 0, "the sweep begins below what the evaluation needs"
    assert damage(path) == []
    assert seen_afresh(path) == prepared.seen_after


CAUGHT = """
local blocks, seed = ...
local random = seed
local function chosen(count)
  random = (random * 1103515245 + 12345) % 2147483648
  return random // 65536 % count + 1
end
local full = {}
local function fill()
  local size = 65536
  while size >= 48 do
    local ok, text = pcall(string.rep, "x", size)
    ok = ok and pcall(rawset, full, #full + 1, text)
    if not ok then size = size // 2 end
  end
end
local held = { user = Memory.users.u1, up = Memory.up }
-- What is done while memory is short; afterwards it looks the same, however it was done.
local actions = {
  function(new, name)
    new[name] = { name, { name }, [name] = { name } }
  end,
  function(new, name)
    local made = { [2] = { name }, [name] = { name } }
    made.self = made
    new[name] = made
  end,
  function(new, name)
    local n = name
    new[name] = setmetatable({ false, { n } }, { __index = function() return { n } end })
  end,
  function(new, name)
    ext.transaction(function()
      new[name] = {}
      new[name][2] = { name }
      new[name][name] = new[name][2]
    end)
  end,
  function(new, name)
    local n = name
    local function f() n = n .. "" return n end
    new[name] = { f, { f() }, [name] = { f() }, f = function() return f end }
  end,
}
local others = {
  function() held.up() end,
  function() return Memory.users.u3.tags[2] end,
  function() for _, user in pairs(Memory.users) do user.age = user.age + 1 end end,
  function() for index in pairs(Memory.list) do held.last = index end end,
  function() return Memory.object(1), Memory.object.n, Memory.object:twice() end,
  function() ext.tables() ext.functions() end,
  function() held.user.tags = { 1, 2, 3 } held.user.age = 1 end,
  function() table.insert(Memory.list, 1, 0) table.remove(Memory.list, 1) end,
  function() coroutine.wrap(function() Memory.users.u2.age = 7 end)() end,
  function() Memory.thread = coroutine.create(print) end,
  function() ext.table("root" .. chosen(3))[chosen(9)] = { held.up } end,
  function() Memory.list[#Memory.list + 1] = Memory.list[#Memory.list - 20] end,
  function() collectgarbage() end,
  function() ext.collect() end,
}
local wrong
local function try(...)
  local ok, message = pcall(...)
  if not ok and not message:find("not enough memory") and not message:find("cannot persist") then
    wrong = message
  end
  return ok
end
Memory.new = Memory.new or {}
local names, done = {}, {}
for number = 1, 12 do names[number], done[number] = seed .. "." .. number, 0 end
fill()
for index = 1, blocks do full[#full] = nil end
for number = 1, 12 do
  done[number] = try(actions[chosen(#actions)], Memory.new, names[number])
  try(others[chosen(#others)])
  if chosen(6) == 1 then full[#full] = nil end
end
full = nil
collectgarbage()
-- Where something was left half done, this raises, too; what the program has seen since is undone.
ext.tables()
assert(not wrong, wrong)
local failed = 0
for number, name in ipairs(names) do
  local found = Memory.new[name]
  if done[number] then
    assert(found[2][1] == name and found[name][1] == name, "it was done, and is not there")
    if rawget(found, "f") then assert(found.f() == found[1] and found[1]() == name) end
  else
    assert(found == nil, "it was not done, and is there")
    failed = failed + 1
  end
end
return failed
"""


def check_caught(folder: Path, seed: int, steps: int) -> None:
    """Fill the memory, leave a little more at each step, and do things that are caught."""
    path = folder / "session.db"
    counts = {"kept": 0, "undone": 0, "caught": 0}
    with Session.open(path, memory_limit_bytes=MEMORY_LIMIT_BYTES) as session:
        assert session.evaluate(SETUP).ok
        there = seen(session)
        for step in range(steps):
            if step % 2:
                session.restart()
            limit_cache(session)
            before = stored(path)
            evaluation = session.evaluate(CAUGHT, arguments=[step % 60, seed + step])
            assert session.evaluate("collectgarbage()").ok
            if evaluation.ok:
                (failed,) = evaluation.values
                assert isinstance(failed, int)
                counts["kept"] += 1
                counts["caught"] += failed
                now = seen(session)
                assert seen_afresh(path) == now
                there = now
            else:
                (problem,) = evaluation.problems
                assert problem.kind == "memory", problem
                counts["undone"] += 1
                assert stored(path) == before
                assert seen(session) == there
            if step % 10 == 9:
                assert damage(path) == []
                assert session.evaluate("Memory.new = nil ext.collect()").ok
                there = seen(session)
    assert damage(path) == []
    print(counts)
    assert min(counts.values()) > 0, counts


@pytest.mark.slow
def test_programs_that_catch_everything(tmp_path: Path) -> None:
    check_caught(tmp_path, 20261121, 80)


@pytest.mark.soak
@pytest.mark.parametrize("_", range(20))
def test_many_programs_that_catch_everything(tmp_path: Path, _: int) -> None:
    seed = random.SystemRandom().getrandbits(30)
    print(f"seed {seed}")
    check_caught(tmp_path, seed, 240)


# What is done at each level of a recursion that does not end, and how it goes on to the next one.
DONE = [
    "Memory.n = Memory.n + 1",
    "ext.tables()",
    "Memory['k' .. Memory.n] = { function() return Memory end } Memory.n = Memory.n + 1",
    "local _ = Memory.users.u3.tags[1] Memory.object(1)",
    "ext.transaction(function() Memory.n = Memory.n + 1 end)",
    "local _ = #Memory.list for _ in pairs(Memory.users) do end",
]
RECURSIONS = [
    "local function f() {} return (string.gsub('x', 'x', f)) end",
    "local function f() {} return (select(2, pcall(f))) end",
    "local f f = function() {} return coroutine.wrap(f)() end",
    "local m, f = {{}} f = function() {} return setmetatable({{}}, m)[1] end m.__index = f",
]


@pytest.mark.parametrize("done", DONE)
def test_stacks_that_overflow_in_the_middle(tmp_path: Path, done: str) -> None:
    path = tmp_path / "session.db"
    with Session.open(path) as session:
        assert session.evaluate(SETUP + "Memory.n = 0").ok
        for number, recursion in enumerate(RECURSIONS * 2):
            if number == len(RECURSIONS):
                session.restart()
            evaluation = session.evaluate(
                f"{recursion.format(done)} local _, message = pcall(f) "
                "return (tostring(message):find('stack overflow', 1, true))"
            )
            assert evaluation.ok, evaluation.problems
            assert isinstance(evaluation.values[0], int)
        assert seen(session) == seen_afresh(path)
    assert damage(path) == []
