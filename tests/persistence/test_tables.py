"""Tables of odd shapes, each stored and looked at from every side."""

from __future__ import annotations

from tests.persistence.ways import Place

ITSELF = (
    "local t = Memory.t return t[t] == t, t.t == t, getmetatable(t) == t, t.other, next(t) ~= nil"
)


def test_a_table_as_its_own_key_value_and_metatable(place: Place) -> None:
    place.check(
        "local t = {} t[t], t.t, t.__index = t, t, function(_, k) return k end "
        "Memory.t = setmetatable(t, t)",
        ITSELF,
        *['true, true, true, "other", true'] * 2,
    )


def test_a_table_stored_as_its_own_key_afterwards(place: Place) -> None:
    place.run("Memory.t = {}")
    place.move()
    place.check(
        "local t = Memory.t t[t] = t t.t = t t.__index = function(_, k) return k end "
        "setmetatable(t, t)",
        ITSELF,
        *['true, true, true, "other", true'] * 2,
    )


def test_keys_that_are_objects(place: Place) -> None:
    place.check(
        """
        local a, b, f = {}, {}, function() return "f" end
        Memory.a, Memory.b, Memory.f = a, b, f
        Memory.t = {
          [a] = b, [b] = a, [f] = f, [print] = string.rep, [math] = math, [_G] = 1,
          [true] = false, [false] = true,
        }
        """,
        """
        local t, n = Memory.t, 0
        for k, v in pairs(t) do assert(t[k] == v) n = n + 1 end
        return n, t[Memory.a] == Memory.b, t[Memory.b] == Memory.a, t[Memory.f] == Memory.f,
          t[print] == string.rep, t[math] == math, t[_G], t[true], t[false]
        """,
        *["8, true, true, true, true, true, 1, false, true"] * 2,
    )


def test_many_functions_as_keys(place: Place) -> None:
    """More than a page of them, with values of every kind."""
    place.check(
        """
        Memory.fs, Memory.t = {}, {}
        for i = 1, 1200 do
          local f = function() return i end
          Memory.fs[i] = f
          Memory.t[f] = ({ i, f, math, print, "text", { i } })[i % 6 + 1]
        end
        """,
        """
        local fs, t, n = Memory.fs, Memory.t, 0
        for k, v in pairs(t) do
          local i = k()
          assert(fs[i] == k)
          local kind = i % 6
          assert(kind ~= 0 or v == i)
          assert(kind ~= 1 or v == k)
          assert(kind ~= 2 or v == math)
          assert(kind ~= 3 or v == print)
          assert(kind ~= 4 or v == "text")
          assert(kind ~= 5 or v[1] == i)
          n = n + 1
        end
        return n
        """,
        "1200",
        "1200",
    )


def test_the_border_of_a_list_that_shrinks(place: Place) -> None:
    place.run("Memory.t = {} for i = 1, 700 do Memory.t[i] = i end")
    for left in (699, 512, 511, 257, 256, 255, 1, 0):
        place.move()
        place.run(f"for i = #Memory.t, {left + 1}, -1 do Memory.t[i] = nil end")
        place.move()
        assert place.run("#Memory.t, rawlen(Memory.t), Memory.t[#Memory.t]") == (
            left,
            left,
            left or None,
        )


def test_any_border_of_a_list_with_holes(place: Place) -> None:
    place.run("Memory.t = { 1, 2, nil, 4, nil, nil, 7 } Memory.t[20] = 20")
    for _ in range(2):
        place.move()
        (border,) = place.run("#Memory.t")
        assert border in {2, 4, 7, 20}
    assert place.run("local n = 0 for i in ipairs(Memory.t) do n = i end return n") == (2,)


def test_10000_levels_of_everything(place: Place) -> None:
    """Tables, metatables and functions in each other take no stack, neither here nor there."""
    place.run(
        """
        local t, f = { bottom = true }, function() return "bottom" end
        for i = 1, 10000 do
          t = setmetatable({ i }, { __index = t })
          local inner = f
          f = function() return inner, i end
        end
        Memory.t, Memory.f = t, f
        """
    )
    place.move()
    look = """
    local t, f, n, m = Memory.t, Memory.f, 0, 0
    while getmetatable(t) do t, n = getmetatable(t).__index, n + 1 end
    while true do
      local inner, i = f()
      if not i then return n, t.bottom, m, inner end
      f, m = inner, m + 1
    end
    """
    assert place.text(look) == '10000, true, 10000, "bottom"'
