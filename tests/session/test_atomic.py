"""A failed evaluation leaves no trace, whatever it did and however it failed."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future

import pytest

from lua_ls_persist.model import Evaluation
from lua_ls_persist.session import Session
from tests.session.helpers import LONG_IN_C, problem

MIB = 1024 * 1024

STATE = """
x = 1
list = { 1, 2, 3, nested = { deep = { "value" } } }
same = list.nested
proxy = setmetatable({}, { __index = list, __name = "Proxy" })
do
  local hidden, shared = 0, "old"
  function count() hidden = hidden + 1 return hidden end
  function get() return shared end
  function set(new) shared = new end
end
numbers = coroutine.wrap(function() for i = 1, 1000 do coroutine.yield(i) end end)
sleeping = coroutine.create(function(a) local b = coroutine.yield(a) return b end)
coroutine.resume(sleeping, 5)
count() numbers()
weak = setmetatable({ list }, { __mode = "v" })
math.randomseed(42)
collectgarbage("generational")
warn("@off")
"""

# Everything that can be seen of it. Numbers and the like are drawn, so a look changes things too.
LOOK = """
local out = {}
local function add(...) for i = 1, select("#", ...) do out[#out + 1] = tostring((select(i, ...))) end end
add(x, #list, list[2], list.nested.deep[1], same == list.nested, proxy.nested == same)
add(getmetatable(proxy).__name, getmetatable("").__index == string)
add(get(), count(), numbers(), coroutine.status(sleeping), weak[1] == list)
add(math.random(1000000), math.random(), collectgarbage("count") > 0)
local mode = collectgarbage("incremental")
collectgarbage(mode)
add(mode, new_global, package.loaded.made, package.preload.made, package.path, string.added)
add(debug.gethook(), debug.getregistry().added, debug.getmetatable(1), print == _G.print)
local names = {}
for name in pairs(_G) do names[#names + 1] = name end
table.sort(names)
add(table.concat(names, " "))
return table.concat(out, "; ")
"""  # noqa: E501

SPOIL = """
x = 2
list[2], list.nested.deep[1], list.nested = "changed", "changed", {}
setmetatable(proxy, { __name = "Other" })
getmetatable("").__index = { len = 1 }
set("new") count() numbers() numbers()
coroutine.resume(sleeping, 6)
new_global = true
package.loaded.made, package.preload.made, package.path = {}, print, "elsewhere"
string.added = 1
debug.getregistry().added = 1
debug.setmetatable(1, { __index = { double = 2 } })
math.randomseed(7)
collectgarbage("incremental")
print, tostring, error_function = nil, nil, error
for i = 1, 1000 do list[i] = { string.rep("text", i % 50) } end
_G.count, _ENV.get = nil, nil
"""

WAYS_TO_FAIL = {
    "an error": ("error('x')", "runtime"),
    "an error value": ("error({ code = 1 })", "runtime"),
    "an operation": ("local n = nil + 1", "runtime"),
    "an error in a coroutine": (
        "coroutine.wrap(function() coroutine.yield() error('x') end)() error('y')",
        "runtime",
    ),
    "an error while closing": (
        "local c <close> = setmetatable({}, { __close = function() error('x') end })",
        "runtime",
    ),
    "stack overflow": ("local function f() return f() + 1 end f()", "runtime"),
    "C stack overflow": (
        "local t = setmetatable({}, {}) getmetatable(t).__index = t return t.x",
        "runtime",
    ),
    "a time limit": ("while true do end", "timeout"),
    "a time limit with pcall": ("while true do pcall(error) end", "timeout"),
    "a time limit in C": (
        "return string.find(string.rep('a', 40), string.rep('a?', 40) .. 'b')",
        "timeout",
    ),
    "a time limit in a finalizer": (
        "setmetatable({}, { __gc = function() while true do end end }) collectgarbage()",
        "timeout",
    ),
    "out of memory": ("local t = {} while true do t[#t + 1] = { t } end", "memory"),
    "out of memory at once": ("return string.rep('x', 1 << 29)", "memory"),
}


@pytest.fixture
def session() -> Iterator[Session]:
    with Session.open(memory_limit_bytes=128 * MIB, time_limit_s=5.0) as session:
        assert session.evaluate(STATE).ok
        yield session


def look(session: Session) -> str:
    result = session.evaluate(LOOK)
    assert result.ok, result.problems
    assert isinstance(result.values[0], str)
    return result.values[0]


def expected() -> list[str]:
    """What two looks in a row find when nothing happens in between."""
    with Session.open(memory_limit_bytes=128 * MIB) as session:
        session.evaluate(STATE)
        return [look(session), look(session)]


@pytest.mark.parametrize("way", WAYS_TO_FAIL)
def test_nothing_is_left(session: Session, way: str) -> None:
    failing, kind = WAYS_TO_FAIL[way]
    for number in range(2):
        limit_s = 0.05 if kind == "timeout" else 20.0
        found = problem(session.evaluate(SPOIL + failing, time_limit_s=limit_s))
        assert found.kind == kind
        assert look(session) == expected()[number]


def test_nothing_is_left_after_an_interrupt(session: Session) -> None:
    for number in range(2):
        future: Future[Evaluation] = session.submit(
            SPOIL + "io.write(string.rep('x', 20000)) while true do end",
            time_limit_s=None,
            on_output=lambda _: session.interrupt(),
        )
        assert problem(future.result(10)).kind == "interrupt"
        assert look(session) == expected()[number]


def test_what_succeeded_stays(session: Session) -> None:
    session.evaluate("x = 10")
    session.evaluate("x = 20 error('no')")
    session.evaluate("x = x + 1")
    session.evaluate("x = 30 while true do end", time_limit_s=0.02)
    assert session.evaluate("x, count()").values == (11, 2)


def test_running_a_repaired_line_again_counts_once(session: Session) -> None:
    session.evaluate("visits = 0")
    assert not session.evaluate("visits = visits + 1 prnt('typo')").ok
    assert session.evaluate("visits = visits + 1 print('repaired')").ok
    assert session.evaluate("visits").values == (1,)


def test_a_syntax_error_runs_nothing(session: Session) -> None:
    assert problem(session.evaluate("x = 99 print('ran') end")).kind == "syntax"
    assert session.evaluate("x").values == (1,)


def test_a_large_state(session: Session) -> None:
    """Also when the VM has grown in the failed evaluation, and in one that succeeded."""
    session.evaluate("big = {} for i = 1, 100000 do big[i] = { i } end")
    found = problem(
        session.evaluate("for i = 1, 100000 do big[i] = { ('x'):rep(200) } end error('x')")
    )
    assert found.kind == "runtime"
    assert session.evaluate("#big, big[1][1], big[100000][1]").values == (100000, 1, 100000)
    session.evaluate("big = nil collectgarbage()")
    assert session.evaluate("error('x')").ok is False
    assert session.evaluate("big, x").values == (None, 1)


def test_a_coroutine_that_the_failed_evaluation_finished(session: Session) -> None:
    session.evaluate("for _ in numbers do end error('x')")
    assert session.evaluate("numbers()").values == (2,)
    session.evaluate("coroutine.close(sleeping) error('x')")
    assert session.evaluate("coroutine.resume(sleeping, 'awake')").values == (True, "awake")


def test_a_program_s_own_hook(session: Session) -> None:
    session.evaluate("calls = 0 debug.sethook(function() calls = calls + 1 end, 'c')")
    before = session.evaluate("calls").values[0]
    assert isinstance(before, int)
    session.evaluate("debug.sethook() error('x')")
    after = session.evaluate("calls").values[0]
    assert isinstance(after, int)
    assert after > before, "the hook is there again"
    session.evaluate("debug.sethook()")


# keep_error_effects.


@pytest.fixture
def keeping() -> Iterator[Session]:
    with Session.open(keep_error_effects=True, memory_limit_bytes=4 * MIB) as session:
        session.evaluate("x = 1")
        yield session


def test_effects_of_a_plain_error_may_be_kept(keeping: Session) -> None:
    found = problem(keeping.evaluate("x = 2 error('no')"))
    assert found.kind == "runtime"
    assert keeping.evaluate("x").values == (2,)


def test_a_stopped_evaluation_is_never_kept(keeping: Session) -> None:
    for source, limit_s in (
        ("x = 3 while true do end", 0.03),
        (f"x = 3 return ({LONG_IN_C})", 0.03),
        ("x = 3 local t = {} while true do t[#t + 1] = {} end", 20.0),
    ):
        assert not keeping.evaluate(source, time_limit_s=limit_s).ok
        assert keeping.evaluate("x").values == (1,)
    with pytest.raises(ZeroDivisionError):
        keeping.evaluate("x = 3 print('x')", on_output=lambda _: 1 // 0 and None)
    assert keeping.evaluate("x").values == (1,)


def test_after_kept_effects_a_failure_goes_back_to_them(keeping: Session) -> None:
    keeping.evaluate("x = 2 error('no')")
    keeping.evaluate("x = 3 while true do end", time_limit_s=0.03)
    assert keeping.evaluate("x").values == (2,)
