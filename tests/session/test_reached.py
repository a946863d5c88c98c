"""Which stored functions keys lead to: from named tables, and from variables of functions."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lua_ls_persist import Session
from lua_ls_persist.session.following import METATABLES_MAX
from lua_ls_persist.session.sights import StoredWay

PROGRAM = """
local Base = {}
Base.__index = Base
function Base.greet() end
local function helper() end
local lib = { inner = { f = helper }, [1] = helper }
calls = 0
function Memory.use() return helper, lib, Base end
Memory.object = setmetatable({ own = function() end }, Base)
Memory.trap = setmetatable({}, { __index = function() calls = calls + 1 end })
ext.table("tools")[true] = helper
ext.table("tools").note = print
ext.table("tools").count = 1
"""


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with Session.open() as session:
        assert session.evaluate(PROGRAM).ok
        session.restart()
        yield session


def from_use(upvalue: str, *keys: str | int) -> StoredWay:
    return StoredWay(keys, function="Memory.use", upvalue=upvalue)


@pytest.mark.parametrize(
    ("way", "defined_at"),
    [
        (StoredWay(("use",), "Memory"), 8),
        (StoredWay(("object", "own"), "Memory"), 9),
        (StoredWay(("object", "greet"), "Memory"), 4),
        (StoredWay((True,), "tools"), 5),
        (from_use("helper"), 5),
        (from_use("lib", "inner", "f"), 5),
        (from_use("lib", 1), 5),
        (from_use("Base", "greet"), 4),
        # No function, none of Lua's, or nothing there.
        (StoredWay((), "Memory"), None),
        (StoredWay(("object",), "Memory"), None),
        (StoredWay(("note",), "tools"), None),
        (StoredWay(("count", "x"), "tools"), None),
        (StoredWay(("nothing", "x"), "Memory"), None),
        (StoredWay(("trap", "x"), "Memory"), None),
        (StoredWay(("use",), "no table"), None),
        (from_use("other"), None),
        (StoredWay((), function="Memory.gone", upvalue="x"), None),
    ],
)
def test_ways(session: Session, way: StoredWay, defined_at: int | None) -> None:
    (path,) = session.reached([way])
    found = {function.path: function.line for function in session.functions()}
    assert (None if path is None else found[path]) == defined_at


def test_nothing_is_run(session: Session) -> None:
    session.reached([StoredWay(("trap", "x"), "Memory")])
    assert session.evaluate("return calls").values == (None,), "a fresh VM, in which nobody counted"


def test_metatables_that_go_in_a_circle_or_on_and_on() -> None:
    program = f"""
    local circle = {{}}
    circle.__index = circle
    Memory.circle = setmetatable(circle, circle)
    local last = {{ f = function() end }}
    for _ = 1, {METATABLES_MAX} do last = setmetatable({{}}, {{ __index = last }}) end
    Memory.deep = last
    """
    with Session.open() as session:
        assert session.evaluate(program).ok
        ways = [StoredWay((name, "f"), "Memory") for name in ("circle", "deep")]
        assert session.reached(ways) == [None, None]
