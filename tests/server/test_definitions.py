"""Which statement defines which function, and the program that brings a stored one up to date."""

from __future__ import annotations

import pytest

from lua_ls_persist.model import StoredFunction
from lua_ls_persist.server.definitions import definition_of, definitions_in, update_source
from lua_ls_persist.server.forms import syntax_of
from lua_ls_persist.session import Session
from tests.server.marks import document, marked

SOURCE = """\
local n = 1
⟦function Memory.hit(by) n = n + by end⟧
⟦local function helper(x)
  ⟦function Memory.inner() end⟧
  return x
end⟧
⟦Account.deposit = function(a) return a end⟧
⟦local f = function() end⟧
⟦function Account:draw() return self end⟧
Memory.t = { g = function() end }
local a, b = function() end, function() end
⟦M["x y"] = function() end⟧
print(function() end)"""


def stored(path: str, text: str = "", line: int = 1) -> StoredFunction:
    name = path.rpartition(".")[2]
    return StoredFunction(path, name, (), False, "main.lua", line, line, text, 0, ())


def test_definitions() -> None:
    source = SOURCE.replace("⟦", "").replace("⟧", "")
    text = document(source)
    found = definitions_in(syntax_of(text))
    assert marked(text, [one.range for one in found]) == SOURCE
    assert [(one.target, one.base, one.is_local) for one in found] == [
        ("Memory.hit", "Memory", False),
        ("helper", "helper", True),
        ("Memory.inner", "Memory", False),
        ("Account.deposit", "Account", False),
        ("f", "f", True),
        ("Account.draw", "Account", False),
        ('M["x y"]', "M", False),
    ]


@pytest.mark.parametrize(
    ("function", "target"),
    [
        (stored("Memory.hit"), "Memory.hit"),
        (stored("Memory.bank", "function Account:draw() end"), "Account.draw"),
        (stored("Memory.lib.helper", "local function helper(y)"), "helper"),
        (stored("bank.deposit"), "Account.deposit"),
        (stored('M["x y"]'), 'M["x y"]'),
        (stored("Memory.nothing", "return function() end"), None),
        (stored("Memory.f (upvalue g)"), None),
    ],
)
def test_the_definition_of_a_stored_function(function: StoredFunction, target: str | None) -> None:
    source = SOURCE.replace("⟦", "").replace("⟧", "")
    found = definition_of(function, definitions_in(syntax_of(document(source))))
    assert (None if found is None else found.target) == target


def test_of_several_the_nearest_is_taken() -> None:
    text = document("function Memory.f() end\n" * 5)
    found = definition_of(stored("Memory.f", line=4), definitions_in(syntax_of(text)))
    assert found is not None
    assert found.range.start.row == 3


@pytest.mark.parametrize("rows_above", [0, 1, 5])
def test_an_update_s_lines_are_those_of_the_document(rows_above: int) -> None:
    body = "function Memory.hit(by)\n  n = n + by\n  return n\nend"
    text = document("\n" * rows_above + body)
    (definition,) = definitions_in(syntax_of(text))
    source, line = update_source(definition, body, ["n", "_ENV"], base_is_local=False)
    with Session.open() as session:
        session.evaluate("local n = 5 function Memory.hit() return n end")
        done = session.evaluate(source, line=line, arguments=[["Memory", "hit"]], mode="chunk")
        assert done.values == ("n", "")
        (function,) = session.functions()
        assert function.text == body
        assert function.line == rows_above + 1
        assert session.call("Memory.hit", 2).values == (7,)
        globals_ = "__lua_persist_keys, __old, __new, n"
        assert session.evaluate(globals_).values == (None,) * 4
