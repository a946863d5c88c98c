"""Metatables, their events and classes, each stored and looked at from every side."""

from __future__ import annotations

import pytest

from tests.persistence.ways import Place

EVENTS = {
    "add": "o + 1",
    "sub": "1 - o",
    "mul": "o * o",
    "div": "o / 2",
    "mod": "o % 2",
    "pow": "o ^ 2",
    "unm": "-o",
    "idiv": "o // 2",
    "band": "o & 2",
    "bor": "2 | o",
    "bxor": "o ~ 2",
    "shl": "o << 2",
    "shr": "o >> 2",
    "bnot": "~o",
    "concat": "o .. 'x'",
    "len": "#o",
    "eq": "o == Memory.other",
    "lt": "o < Memory.other",
    "le": "o <= Memory.other",
    "index": "o.missing",
    "call": "o(1)",
    "tostring": "tostring(o)",
}


@pytest.mark.parametrize("event", EVENTS)
def test_a_metamethod(place: Place, event: str) -> None:
    """Set with the metatable, removed from it, set again, replaced."""
    use = f"local o = Memory.o return select(2, pcall(function() return {EVENTS[event]} end))"
    place.run(
        f"""
        local mt = {{ __{event} = function() return "one" end }}
        Memory.o, Memory.other = setmetatable({{}}, mt), setmetatable({{}}, mt)
        """
    )
    truth = event in ("eq", "lt", "le")
    place.move()
    assert place.run(use) == (True if truth else "one",)
    place.run(f"local mt = getmetatable(Memory.o) mt.__{event} = nil assert(mt.__{event} == nil)")
    (without,) = place.run(use)
    assert without is not True
    assert without != "one"
    place.move()
    (found,) = place.run(use)
    assert type(found) is type(without)
    place.run(f"getmetatable(Memory.o).__{event} = function() return 'two' end")
    assert place.run(use) == (True if truth else "two",)
    place.run(f"getmetatable(Memory.other).__{event} = function() return 'three' end")
    place.move()
    assert place.run(use) == (True if truth else "three",)


def test_a_stored_class_is_the_metatable_of_a_plain_table(place: Place) -> None:
    place.run(
        """
        Memory.lib = { class = {} }
        local class = Memory.lib.class
        class.__index = class
        class.__add = function(a, b) return "sum" end
        function class.hello() return "hello" end
        """
    )
    place.move()
    look = "local o = setmetatable({}, Memory.lib.class) return o.hello(), o + o"
    assert place.run(look) == ("hello", "sum")


def test_a_chain_of_classes(place: Place) -> None:
    """Longer than C calls can be nested, and with an end that is a loop."""
    place.run(
        """
        local c = { answer = 42 }
        for i = 1, 1000 do c = setmetatable({ i }, { __index = c, __newindex = c }) end
        Memory.c = c
        Memory.c.new = "at the end"
        """
    )
    place.move()
    assert place.run("Memory.c.answer, rawget(Memory.c, 'new'), Memory.c.new") == (
        42,
        None,
        "at the end",
    )
    place.run("local t = setmetatable({}, {}) getmetatable(t).__index = t Memory.loop = t")
    place.move()
    (_, message) = place.run("pcall(function() return Memory.loop.x end)")
    assert message == "(eval):1: '__index' chain too long; possible loop"


def test_metamethods_that_yield(place: Place) -> None:
    place.run(
        """
        local yield = coroutine.yield
        Memory.o = setmetatable({}, {
          __index = function(_, k) return yield(k) end,
          __newindex = function(_, k, v) yield(v) end,
          __add = function() return yield("add") end,
          __eq = function() return yield("eq") end,
          __call = function() return yield("call") end,
          __len = function() return yield("len") end,
          __pairs = function(t) yield("pairs") return next, {}, nil end,
          __close = function() yield("close") end,
        })
        Memory.p = setmetatable({}, { __index = Memory.o })
        """
    )
    place.move()
    look = """
    local o, p = Memory.o, Memory.p
    local co = coroutine.wrap(function()
      o.z = "newindex"
      local t = { o.index, o + o, o == p, o(), #o, p.inherited }
      for _ in pairs(o) do end
      do local c <close> = o end
      return "end"
    end)
    local seen = {}
    repeat seen[#seen + 1] = co("x") until seen[#seen] == "end"
    return table.concat(seen, " ")
    """
    # == of a table with another metatable asks the first one.
    assert place.run(look) == ("newindex index add eq call len inherited pairs close end",)
