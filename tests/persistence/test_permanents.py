"""What is stored by its name, and what cannot be stored at all."""

from __future__ import annotations

import pytest

from tests.persistence.ways import Place

# -- permanents

LIBRARIES = "_G string table math utf8 coroutine os io debug package ext"


def test_every_function_of_the_libraries(place: Place) -> None:
    place.run(
        f"""
        Memory.libraries = {{}}
        for name in ("{LIBRARIES}"):gmatch("%S+") do
          local kept = {{}}
          Memory.libraries[name] = kept
          for key, value in pairs(_G[name]) do
            if type(value) == "function" and debug.getinfo(value, "S").what == "C" then
              kept[key] = value
            end
          end
        end
        """
    )
    place.move()
    look = """
    local n = 0
    for name, kept in pairs(Memory.libraries) do
      for key, value in pairs(kept) do
        assert(value == _G[name][key], name .. "." .. key)
        n = n + 1
      end
    end
    return n
    """
    (count,) = place.run(look)
    assert isinstance(count, int)
    assert count > 140


def test_a_global_that_replaces_a_library_function(place: Place) -> None:
    """A function is stored by what it is, not by the name under which it was found."""
    place.run(
        "local print0 = print function print(...) return 'mine', print0 == print end "
        "Memory.mine, Memory.theirs = print, print0"
    )
    place.move()
    assert place.run("(Memory.mine())") == ("mine",)
    assert place.run("Memory.theirs == Memory.mine") == (False,)


# -- what cannot be stored

REFUSED = [
    ("Memory.jobs = { main = coroutine.create(print) }", "Memory.jobs.main", "a coroutine"),
    ("Memory[coroutine.create(print)] = 1", "Memory[thread]", "a coroutine"),
    ("Memory.t = { [coroutine.create(print)] = 1 }", "Memory.t (a key)", "a coroutine"),
    (
        "local co = coroutine.create(print) Memory.f = function() return co end",
        "Memory.f (upvalue co)",
        "a coroutine",
    ),
    (
        "local t = {} Memory.f = function() return t end t.x = { coroutine.create(print) }",
        "Memory.f (upvalue t).x[1]",
        "a coroutine",
    ),
    (
        "Memory.t = setmetatable({}, { __index = { co = coroutine.create(print) } })",
        "Memory.t (metatable).__index.co",
        "a coroutine",
    ),
    ("Memory.gm = ('x'):gmatch('x')", "Memory.gm", "a C function that has no name"),
    ("Memory.w = { coroutine.wrap(print) }", "Memory.w[1]", "a C function that has no name"),
]


@pytest.mark.parametrize(("program", "path", "what"), REFUSED)
def test_what_is_refused(place: Place, program: str, path: str, what: str) -> None:
    place.run("Memory.before = 1")
    place.move()
    result = place.evaluate(program)
    assert not result.ok
    assert result.problems[0].message.startswith(f"{path}: cannot persist {what}")
    # As much of it as is no part of the refused assignment stays, if the error is caught.
    stays = 1 if path.startswith("Memory.f (upvalue t)") else 0
    place.run(f"pcall(function() {program} end) Memory.after = 2")
    place.move()
    look = "local n = 0 for k in pairs(Memory) do n = n + 1 end return n"
    assert place.run(look) == (2 + stays,)
