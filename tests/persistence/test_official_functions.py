"""Lua's official test suite from the store: its files are stored as functions, and run elsewhere.

Each file's text is loaded as a function that is stored. The next session, without an image, loads
the function from the store and runs it, in three ways: as it is; with an external table for its
globals; and with a hook that stores every function at its first call, and with it all that its
upvalues reach, in the middle of the test that uses them.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from lua_ls_persist.model import Evaluation, Value
from lua_ls_persist.session import Session, steering
from tests.official.test_official import PORTABLE, RESULTS, check_ok, suite_folder

MEMORY_LIMIT_BYTES = 64 * 1024 * 1024
TIME_LIMIT_S = 120.0

FILES = (
    "bitwise.lua",
    "bwcoercion.lua",
    "calls.lua",
    "closure.lua",
    "constructs.lua",
    "coroutine.lua",
    "db.lua",
    "errors.lua",
    "events.lua",
    "gc.lua",
    "goto.lua",
    "locals.lua",
    "math.lua",
    "nextvar.lua",
    "pm.lua",
    "sort.lua",
    "strings.lua",
    "tpack.lua",
    "utf8.lua",
    "vararg.lua",
)
NOT_WITH_AN_ENVIRONMENT = {
    "coroutine.lua": "counts the calls that a hook sees, and those of metamethods are among them",
    "db.lua": "checks which lines and calls a hook sees",
    "errors.lua": "runs programs in which global variables are not those of its environment",
    "nextvar.lua": "goes through _G and looks for print there",
}
NOT_WITH_A_HOOK = {
    "db.lua": "sets hooks of its own",
    "errors.lua": "leaves a C function without a name in an upvalue, which cannot be stored",
    "gc.lua": "looks for what is collected, and what is stored is not",
    "locals.lua": "sets hooks of its own",
}
RUNS_ONCE = {"bwcoercion.lua", "events.lua"}
"""Files that assign to _ENV: an upvalue of the stored function, which stays what it is then."""
SLOW_WITHOUT_CACHE = {"constructs.lua", "gc.lua"}
TINY_CACHE_ENTRIES = 40

STORE = "local text, name = ... Memory.file = assert(load(text, '@' .. name))"
STORE_WITH_ENVIRONMENT = """
local text, name = ...
local environment = setmetatable({}, { __index = _G })
Memory.environment = environment
environment._G = environment
function environment.load(source, name, mode, ...)
  if select("#", ...) == 0 then return load(source, name, mode, environment) end
  return load(source, name, mode, ...)
end
Memory.file = assert(load(text, "@" .. name, "t", environment))
"""
RUN_AND_STORE = """
local seen, busy = setmetatable({}, { __mode = "k" }), false
local function store(f)
  if seen[f] then return end
  seen[f] = true
  if debug.getinfo(f, "S").what == "C" then return end
  Memory.functions[#Memory.functions + 1] = f
end
Memory.functions = {}
debug.sethook(function()
  if busy then return end
  busy = true
  -- Coroutines and nameless C functions in upvalues are refused.
  pcall(store, debug.getinfo(2, "f").func)
  busy = false
end, "c")
local results = table.pack(Memory.file())
debug.sethook()
return #Memory.functions, table.unpack(results, 1, results.n)
"""


def opened(path: Path) -> Session:
    """A session with a fresh VM, in which the suite can run."""
    session = Session.open(
        path,
        memory_limit_bytes=MEMORY_LIMIT_BYTES,
        time_limit_s=TIME_LIMIT_S,
        allow_bytecode=True,
        folders=[suite_folder()],
        resume=False,
    )
    assert session.evaluate(PORTABLE, mode="chunk").ok
    return session


def store(path: Path, name: str, program: str = STORE) -> None:
    """Store a file's text as a function, by itself."""
    with opened(path) as session:
        text = (suite_folder() / name).read_bytes()
        check_ok(session.evaluate(program, arguments=[text, name]))


def check_results(name: str, results: tuple[Value, ...]) -> None:
    if name in RESULTS:
        assert results[0] == RESULTS[name]


def run(path: Path, source: str) -> Evaluation:
    """Evaluate in a fresh VM."""
    with opened(path) as session:
        evaluation = session.evaluate(source, mode="chunk", name="(run)")
        check_ok(evaluation)
        assert session.integrity() == []
    return evaluation


@pytest.fixture(params=["cache", "next to no cache"])
def cache(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    cache: str = request.param
    if cache != "cache":
        monkeypatch.setattr(steering, "CACHED_ENTRIES_MAX", TINY_CACHE_ENTRIES)
    return cache


@pytest.mark.parametrize("name", FILES)
def test_as_it_is(name: str, tmp_path: Path) -> None:
    path = tmp_path / "session.db"
    store(path, name)
    for _ in range(1 if name in RUNS_ONCE else 2):
        check_results(name, run(path, "return Memory.file()").values)


@pytest.mark.parametrize("name", [name for name in FILES if name not in NOT_WITH_AN_ENVIRONMENT])
@pytest.mark.usefixtures("cache")
def test_with_an_external_table_for_globals(name: str, tmp_path: Path) -> None:
    path = tmp_path / "session.db"
    store(path, name, STORE_WITH_ENVIRONMENT)
    check_results(name, run(path, "return Memory.file()").values)


@pytest.mark.parametrize("name", [name for name in FILES if name not in NOT_WITH_A_HOOK])
def test_while_its_functions_are_stored(name: str, cache: str, tmp_path: Path) -> None:
    if name in SLOW_WITHOUT_CACHE and cache != "cache":
        return
    path = tmp_path / "session.db"
    store(path, name)
    stored, *results = run(path, RUN_AND_STORE).values
    check_results(name, tuple(results))
    assert isinstance(stored, int)
    assert stored > 0
    # All of them can be loaded again, and the file works with what is left in its upvalues.
    look = "local n = 0 for _, f in ipairs(Memory.functions) do n = n + debug.getinfo(f).nups end "
    assert run(path, look + "return #Memory.functions").values == (stored,)
    if name not in RUNS_ONCE:
        check_results(name, run(path, "return Memory.file()").values)
