"""Paths: how roots reach tables and functions."""

from __future__ import annotations

from pathlib import Path

import pytest

from lua_ls_persist.store import Store, place_text
from lua_ls_persist.store.rows import (
    BOOLEAN,
    FLOAT,
    FUNCTION,
    INTEGER,
    PERMANENT,
    STRING,
    TABLE,
    Native,
)
from tests.store.helpers import fill, new_code, new_store, write


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ((STRING, "users"), "Memory.users"),
        ((STRING, "end"), 'Memory["end"]'),
        ((STRING, "two words"), 'Memory["two words"]'),
        ((STRING, ""), 'Memory[""]'),
        ((STRING, b"\xff\0"), 'Memory["\\xFF\\x00"]'),
        ((STRING, "x" * 100), "Memory." + "x" * 100),
        ((STRING, "x y" * 100), 'Memory["' + "x y" * 20 + '"...]'),
        ((INTEGER, 3), "Memory[3]"),
        ((INTEGER, -(2**63)), "Memory[math.mininteger]"),
        ((FLOAT, 1.5), "Memory[1.5]"),
        ((BOOLEAN, 0), "Memory[false]"),
        ((BOOLEAN, 1), "Memory[true]"),
        ((TABLE, 1), "Memory[table 1]"),
        ((FUNCTION, 9), "Memory[function 9]"),
        ((PERMANENT, "math.sin"), "Memory[permanent 'math.sin']"),
    ],
)
def test_a_step_of_a_path(key: tuple[int, Native], path: str) -> None:
    with Store.open(None) as store:
        write(store, (1, *key, TABLE, 50), new_tables=[(50,)])
        assert store.path_of(50) == path


def test_paths_of_roots_and_of_nothing() -> None:
    with Store.open(None) as store, store.transaction():
        users, odd = store.root("users", create=True), store.root("odd name", create=True)
        store.apply(new_tables=[(50,)])
        assert store.path_of(1) == "Memory"
        assert store.path_of(users) == "users"
        assert store.path_of(odd) == 'ext.table("odd name")'
        assert store.path_of(50) is None
        assert store.path_of(12345) is None


def test_a_short_path_is_found_in_a_large_circle() -> None:
    with Store.open(None) as store:
        count = 2_000
        write(
            store,
            *[(key, STRING, "next", TABLE, key + 1) for key in range(10, 10 + count)],
            *[(key, STRING, "all", TABLE, 5) for key in range(10, 11 + count)],
            *[(5, INTEGER, key, TABLE, key) for key in range(10, 11 + count)],
            (1, STRING, "all", TABLE, 5),
            new_tables=[(5,), *[(key,) for key in range(10, 11 + count)]],
        )
        assert store.path_of(10 + count) == f"Memory.all[{10 + count}]"
        write(store, deletes=[(1, STRING, "all")])
        assert store.path_of(10 + count) is None


def test_paths_that_are_no_lua() -> None:
    with Store.open(None) as store:
        write(
            store,
            (1, STRING, "f", FUNCTION, 30),
            (1, STRING, "t", TABLE, 50),
            (1, TABLE, 51, INTEGER, 1),
            (52, STRING, "x", TABLE, 53),
            new_tables=[(50,), (51,), (52,), (53,), (54,)],
            metatables=[(52, 50)],
            cells=[(40, TABLE, 54), (41, FUNCTION, 31), (42, 0, None)],
        )
        with store.transaction():
            store.define_function(30, store.define_code(new_code()), [40, 41])
            store.define_function(31, store.define_code(new_code(1, upvalues=())), [42])
        assert store.path_of(51) == "Memory (a key)"
        assert store.path_of(52) == "getmetatable(Memory.t)"
        assert store.path_of(53) == "getmetatable(Memory.t).x"
        assert store.path_of(54) == "Memory.f (upvalue n)"
        assert store.path_of(31) == "Memory.f (upvalue _ENV)"
        assert store.path_of(30) == "Memory.f"
        assert store.path_of(42) == "Memory.f (upvalue _ENV) (upvalue)"


def test_functions_are_listed_by_path(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        fill(store)
        code = new_code(7, text=None, parameters=(), is_vararg=False, upvalues=())
        with store.transaction():
            store.define_function(60, store.define_code(code), [])
            store.define_function(61, store.define_code(code), [])
            store.apply(
                [
                    (1, STRING, "lib", TABLE, 70),
                    (70, STRING, "add", FUNCTION, 60),
                    (70, STRING, "plus", FUNCTION, 60),
                ],
                new_tables=[(70,)],
            )
        functions = store.functions()
        assert [function.path for function in functions] == ["Memory.hit", "Memory.lib.add"]
        hit, add = functions
        assert (hit.name, add.name) == ("hit", "add")
        assert (hit.id, add.id) == (10, 60)
        assert hit.parameters == ("x", "y")
        assert hit.is_vararg
        assert hit.chunk == "@shapes.lua"
        assert (hit.line_defined, hit.last_line) == (2, 2)
        assert hit.text == new_code().text
        assert hit.size_bytes == len(new_code().bytecode)
        assert hit.upvalues == (
            ("n", INTEGER, 7),
            ("_ENV", STRING, "y" * 2000),
            ("", 0, None),
            ("", TABLE, 2),
        )
        assert add.text is None
        assert add.upvalues == ()


def test_a_thousand_functions_with_one_upvalue(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        with store.transaction():
            code = store.define_code(new_code())
            for number in range(1000):
                store.define_function(1000 + number, code, [500])
            store.apply(
                [(1, INTEGER, number, FUNCTION, 1000 + number) for number in range(1000)],
                cells=[(500, INTEGER, 1)],
            )
        assert len(store.functions()) == 1000
        write(store, cells=[(500, INTEGER, 2)])
        assert {function.upvalues for function in store.functions()} == {(("n", INTEGER, 2),)}


def test_where_an_entry_is() -> None:
    with Store.open(None) as store:
        write(store, (1, STRING, "a", TABLE, 50), new_tables=[(50,), (51,)])
        assert store.entry_path(50, STRING, "b") == "Memory.a.b"
        assert store.entry_path(51, INTEGER, 2) == "table 51[2]"
        assert store.entry_path(50, STRING, "b", search=False) == "table 50.b"
        assert place_text.KEY_TEXT_LENGTH_MAX == 60
        assert store.entry_path(50, STRING, "-" * 61) == f'Memory.a["{"-" * 60}"...]'
        # Names lead to functions, so they are whole as far as people write such.
        assert place_text.NAME_LENGTH_MAX == 200
        assert store.entry_path(50, STRING, "n" * 200) == f"Memory.a.{'n' * 200}"
        assert store.entry_path(50, STRING, "n" * 201) == f'Memory.a["{"n" * 60}"...]'
