"""Previews: a bounded look at whatever stays in the VM, without running the program's code."""

from __future__ import annotations

import pytest

from lua_ls_persist.model import Preview
from lua_ls_persist.session import Session
from lua_ls_persist.session.request import PreviewLimits
from tests.session.helpers import value

LIMITS = PreviewLimits()


def preview(session: Session, source: str) -> Preview:
    found = value(session, source)
    assert isinstance(found, Preview)
    return found


def inside(found: Preview, *path: object) -> object:
    """The value at the path of keys."""
    value: object = found
    for key in path:
        assert isinstance(value, Preview)
        value = dict(value.entries)[key]  # type: ignore[index]
    return value


def test_entries_are_in_display_order(session: Session) -> None:
    found = preview(
        session, "{ z = 1, a = 2, 'one', 'two', [10] = 3, [0] = 4, [1.5] = 5, [true] = 6 }"
    )
    assert [key for key, _ in found.entries] == [1, 2, 0, 1.5, 10, "a", "z", True]
    assert found.text == '{"one", "two", [0] = 4, [1.5] = 5, [10] = 3, a = 2, z = 1, [true] = 6}'
    assert not found.omitted


def test_the_same_table_has_the_same_address(session: Session) -> None:
    found = preview(session, "(function() local t = { 1 } return { t, t, other = { 1 } } end)()")
    first, second, other = (inside(found, key) for key in (1, 2, "other"))
    assert isinstance(first, Preview)
    assert isinstance(second, Preview)
    assert isinstance(other, Preview)
    assert first == second, "shared, and no cycle: it is shown twice"
    assert first.entries == ((1, 1),)
    assert first.address == second.address != other.address
    address = preview(session, "print").address
    assert value(session, "string.format('%p', print)") == f"0x{address:x}"


def test_cycles(session: Session) -> None:
    session.evaluate("a = { name = 'a' } b = { name = 'b', a = a } a.b = b a.me = a")
    found = preview(session, "a")
    assert inside(found, "me") == Preview("table", "<cycle>", address=found.address)
    again = inside(found, "b", "a")
    assert isinstance(again, Preview)
    assert (again.text, again.entries, again.address) == ("<cycle>", (), found.address)
    assert found.text == '{b = {a = <cycle>, name = "b"}, me = <cycle>, name = "a"}'


def test_a_table_as_a_key(session: Session) -> None:
    found = preview(session, "{ [{ 1, 2 }] = 'pair', [print] = 'function' }")
    keys = [key for key, _ in found.entries]
    assert all(isinstance(key, Preview) for key in keys)
    assert {found_value for _, found_value in found.entries} == {"pair", "function"}
    session.evaluate("self_keyed = {} self_keyed[self_keyed] = true")
    assert preview(session, "self_keyed").text == "{[<cycle>] = true}"


# Limits.


def test_depth(session: Session) -> None:
    session.evaluate("deep = { 'end' } for _ = 1, 100 do deep = { deep } end")
    found: object = preview(session, "deep")
    for _ in range(LIMITS.depth - 1):
        found = inside(found, 1)  # type: ignore[arg-type]
    assert isinstance(found, Preview)
    below = inside(found, 1)
    assert below == Preview("table", "{...}", (), omitted=True, address=below.address)  # type: ignore[attr-defined]


def test_an_empty_table_below_the_depth_is_not_called_unopened(session: Session) -> None:
    found: object = preview(session, "{{{{{{}}}}}}")
    for _ in range(LIMITS.depth):
        found = inside(found, 1)  # type: ignore[arg-type]
    assert isinstance(found, Preview)
    assert (found.text, found.omitted) == ("{}", False)


@pytest.mark.parametrize("count", [LIMITS.entries - 1, LIMITS.entries, LIMITS.entries + 1, 100_000])
def test_entries(session: Session, count: int) -> None:
    source = f"(function() local t = {{}} for i = 1, {count} do t[i] = i end return t end)()"
    found = preview(session, source)
    assert len(found.entries) == min(count, LIMITS.entries)
    assert found.omitted == (count > LIMITS.entries)
    assert found.text.endswith("...}")


def test_nodes(session: Session) -> None:
    """A wide and deep table is looked at until there is enough, not until it is through."""
    session.evaluate("""
        local function tree(depth)
          if depth == 0 then return 'leaf' end
          local t = {}
          for i = 1, 20 do t[i] = tree(depth - 1) end
          return t
        end
        wide = tree(4)
    """)

    def count(found: object) -> int:
        if not isinstance(found, Preview):
            return 1
        return 1 + sum(count(key) + count(item) for key, item in found.entries)

    result = session.evaluate("wide")
    assert count(result.values[0]) <= 2 * LIMITS.nodes + 2
    assert result.duration_s < 1
    assert "..." in result.text


def test_many_values_share_no_limit(session: Session) -> None:
    first, second = session.evaluate("{1, 2}, {3, {4}}").values
    assert isinstance(first, Preview)
    assert isinstance(second, Preview)
    assert (first.text, second.text) == ("{1, 2}", "{3, {4}}")


def test_long_strings(session: Session) -> None:
    """Whole as a result of its own, cut inside a table."""
    assert value(session, "('x'):rep(100000)") == "x" * 100_000
    exact, cut = (inside(preview(session, f"{{('x'):rep({n})}}"), 1) for n in (1000, 1001))
    assert exact == "x" * 1000
    assert isinstance(cut, Preview)
    assert (cut.kind, cut.length_bytes) == ("string", 1001)
    assert cut.text.endswith('"... (1001 bytes)')
    assert cut.text.startswith('"xxx')


@pytest.mark.parametrize("before", range(996, 1001))
def test_a_string_cut_through_a_character(session: Session, before: int) -> None:
    found = inside(preview(session, f"{{('x'):rep({before}) .. ('€'):rep(9)}}"), 1)
    assert isinstance(found, Preview)
    assert "\\x" not in found.text


def test_long_strings_of_any_bytes(session: Session) -> None:
    found = inside(preview(session, "{('\\xff'):rep(2000)}"), 1)
    assert isinstance(found, Preview)
    assert found.length_bytes == 2000
    assert found.text.startswith('"\\xFF\\xFF')


# Metatables and the rest.


def test_the_name_of_a_metatable(session: Session) -> None:
    found = preview(session, "setmetatable({ x = 1 }, { __name = 'Point' })")
    assert (found.detail, found.text) == ("Point", "{x = 1}")
    assert preview(session, "setmetatable({}, { __name = 5 })").detail == ""
    assert preview(session, "setmetatable({}, { __name = ('n'):rep(1000) })").detail == "n" * 200


def test_no_code_runs(session: Session) -> None:
    session.evaluate("""
        local function no() error('this must not run') end
        trap = setmetatable({ own = 1 }, {
          __index = no, __pairs = no, __len = no, __tostring = no, __eq = no, __metatable = no,
          __name = setmetatable({}, { __tostring = no }),
        })
    """)
    assert preview(session, "trap").text == "{own = 1}"


def test_functions(session: Session) -> None:
    source = "\nreturn function() end, print, load('return 1'), load('', '@x.lua'), load('', '=y')"
    result = session.evaluate(source, name="dir/main.lua")
    found = [item.text for item in result.values if isinstance(item, Preview)]
    assert found == [
        "<function dir/main.lua:2>",
        "<built-in function>",
        "<function (string):0>",
        "<function x.lua:0>",
        "<function y:0>",
    ]


def test_threads_and_userdata(session: Session) -> None:
    thread, handle = session.evaluate("coroutine.create(print), io.stdout").values
    assert isinstance(thread, Preview)
    assert isinstance(handle, Preview)
    assert (thread.kind, thread.text) == ("thread", "<thread>")
    assert (handle.kind, handle.text, handle.detail) == ("userdata", "<userdata FILE*>", "FILE*")


def test_names_in_any_bytes(session: Session) -> None:
    assert preview(session, "setmetatable({}, { __name = '\\xffü' })").detail == "\ufffdü"
    found = session.evaluate("function() end", name="caf\udce9.lua").values[0]
    assert isinstance(found, Preview)
    assert found.detail == "caf\ufffd.lua:1"


def test_weak_tables(session: Session) -> None:
    session.evaluate("weak = setmetatable({ {}, {}, 'kept' }, { __mode = 'v' }) collectgarbage()")
    assert preview(session, "weak").entries == ((3, "kept"),)


def test_the_globals(session: Session) -> None:
    """A large table with cycles of its own."""
    result = session.evaluate("_G")
    found = result.values[0]
    assert isinstance(found, Preview)
    assert inside(found, "_G") == Preview("table", "<cycle>", address=found.address)
    assert inside(found, "_VERSION") == "Lua 5.4"
    assert "print = <built-in function>" in result.text
