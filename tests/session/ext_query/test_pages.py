"""Rows that a program finds: live ones, in pieces, and in pages by cursors."""

from __future__ import annotations

from pathlib import Path

import pytest

from lua_ls_persist.session import Session
from tests.session.ext_query.asking import FILL
from tests.session.helpers import message, value

# Without a limit


def test_rows_come_in_pieces(session: Session) -> None:
    result = session.evaluate(
        """
        local rows = ext.query("users", { order_by = "name" })
        local names, order = {}, true
        for place, row in ipairs(rows) do
          names[place] = row.value.name
          order = order and (place == 1 or names[place - 1] < names[place])
        end
        local again = 0
        for place, row in pairs(rows) do
          assert(names[place] == row.value.name)
          again = again + 1
        end
        return #names, order, again, #rows, rows[1000].value.name == names[1000], rows[1001],
          rows[1].value.name == names[1], rows[600].value.name == names[600],
          rows[257.0].value.name == names[257], tostring(rows):match("^query: ") ~= nil,
          rows[0], rows[1.5], rows.next, rows.x, rows[-1], rows[5000]
        """
    )
    assert result.ok, result.problems
    expected = (1000, True, 1000, 1000, True, None, True, True, True, True)
    assert result.values == (*expected, None, None, None, None, None, None)


def test_exactly_as_many_as_a_piece_has(session: Session) -> None:
    for count in (0, 1, 255, 256, 257, 512):
        session.evaluate(f"Memory.t = {{}} for i = 1, {count} do Memory.t[i] = i end")
        source = (
            "local n = 0 for i, row in ipairs(ext.query('Memory.t')) do n = n + row.value end"
            " return n"
        )
        assert session.evaluate(source).values == (count * (count + 1) // 2,)


def test_rows_that_come_and_go_meanwhile(session: Session) -> None:
    """Those that stay are all met, once."""
    result = session.evaluate(
        """
        local users, seen = ext.table("users"), {}
        for place, row in ipairs(ext.query("users", { where = { "age", "<", 40 } })) do
          assert(not seen[row.key])
          seen[row.key] = true
          if place % 50 == 0 then
            users["z" .. place] = { age = 1 }
            users["a" .. place] = { age = 1 }
            users[row.key] = nil
          end
        end
        local missed = 0
        for key, user in pairs(users) do
          if user.age < 40 and key:sub(1, 1) == "u" and not seen[key] then missed = missed + 1 end
        end
        return missed
        """
    )
    assert result.values == (0,)


def test_they_need_little_memory() -> None:
    with Session.open(memory_limit_bytes=2 * 1024 * 1024, time_limit_s=60) as session:
        for start in range(0, 20_000, 5_000):
            assert session.evaluate(
                f"local t = ext.table('t') for i = {start + 1}, {start + 5_000} do"
                " t[i] = { n = i, text = ('x'):rep(100) } end"
            ).ok
        result = session.evaluate(
            "local n = 0 for _, row in ipairs(ext.query('t', { where = { 'n', '>', 0 } })) do"
            " n = n + #row.value.text end return n"
        )
        assert result.ok, result.problems
        assert result.values == (2_000_000,)


def test_rows_of_a_query_are_no_place_for_data(session: Session) -> None:
    assert message(session, "ext.query('users')[1] = 2", calls_ours=False) == (
        "the rows of a query cannot be assigned"
    )
    text = message(session, "Memory.rows = ext.query('users')")
    assert text.startswith("Memory.rows (metatable).__")
    assert text.endswith(": cannot persist a C function that has no name (see ext.permanent)")
    assert session.evaluate("Memory.page = ext.query('users', { limit = 2 })").ok
    assert session.get("Memory.page[2].value.age") == session.get("users.u10.age")


def test_the_functions_of_rows_stay_hidden(session: Session) -> None:
    """A program may have them, but not what they consist of."""
    result = session.evaluate(
        """
        local index = debug.getmetatable(ext.query("users")).__index
        local own = 1
        local function mine() return own end
        return type(index), debug.getupvalue(index, 1), debug.setupvalue(index, 1, 2),
          debug.upvalueid(index, 1), pcall(debug.upvaluejoin, mine, 1, index, 1),
          debug.getinfo(index, "S").what, debug.getlocal(index, 1)
        """
    )
    assert result.ok, result.problems
    assert result.values[:5] == ("function", None, None, None, False)
    assert (
        session.evaluate(
            "local f = debug.getmetatable(ext.query('users')).__index"
            " return pcall(load, string.dump(f), 'x', 'b')"
        ).values[1]
        is None
    )


# Pages


@pytest.mark.parametrize("select", ["nil", "{ 'name' }"])
def test_pages_end_to_end(session: Session, select: str) -> None:
    result = session.evaluate(
        f"""
        local seen, count, after = {{}}, 0, nil
        repeat
          local page = ext.query("users", {{
            order_by = {{ "city", "age" }}, limit = 64, after = after, select = {select},
          }})
          for _, row in ipairs(page) do
            assert(not seen[row.key])
            seen[row.key], count = true, count + 1
          end
          after = page.next
        until not after
        return count
        """
    )
    assert result.values == (1000,)


def test_a_cursor_without_a_limit(session: Session) -> None:
    result = session.evaluate(
        "local page = ext.query('users', { order_by = 'name', limit = 300 })"
        " local rest = ext.query('users', { order_by = 'name', after = page.next })"
        " local n = 0 for _ in ipairs(rest) do n = n + 1 end"
        " return n, rest[1].value.name > page[300].value.name"
    )
    assert result.values == (700, True)


def test_a_cursor_outlives_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "session.db"
    with Session.open(path) as session:
        session.evaluate(FILL)
        cursor = value(session, "ext.query('users', { order_by = 'age', limit = 10 }).next")
    with Session.open(path, resume=False) as session:
        result = session.evaluate(
            "return ext.query('users', { order_by = 'age', limit = 1, after = ... })[1].value.age",
            arguments=[str(cursor)],
        )
        assert result.values == (0,)
