"""Functions: code is stored once, signed, and nothing unsigned is taken for signed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lua_ls_persist.errors import StoreError
from lua_ls_persist.store import NewCode, Store
from lua_ls_persist.store.code import TEXT_PLAIN_BYTES_MAX
from lua_ls_persist.store.keys import CONFIG_VARIABLE
from lua_ls_persist.store.rows import INTEGER, STRING
from tests.store.helpers import BYTECODE, new_code, new_store, open_again, write


def define(store: Store, code: NewCode) -> int:
    with store.transaction(write=False):
        return store.define_code(code)


def alter(store: Store, statement: str, *bindings: Any) -> None:
    """What somebody with a SQLite tool does."""
    store._connection.execute(statement, bindings)


def with_other_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CONFIG_VARIABLE, str(tmp_path / "other"))


def test_code_comes_back_as_it_was_defined(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    code = new_code()
    code_id = define(store, code)
    with open_again(store) as store:
        row = store.code(code_id)
        assert row is not None
        assert row.signed
        assert row.id == code_id
        for name in NewCode.__slots__:
            assert getattr(row, name) == getattr(code, name)
        assert store.code(code_id + 1) is None
        assert store.unsigned_codes() == []


@pytest.mark.parametrize(
    "changes",
    [
        {"bytecode": b""},
        {"bytecode": b"\x1bLua"},
        {"bytecode": bytes(range(256)) * 2000},
        {"text": None},
        {"text": ""},
        {"text": "return 'ü🎉'"},
        {"text": b"return '\xff\x00'"},
        {"text": "-- long\n" * 10_000},
        {"text": "-- random " + "".join(chr(33 + i * i % 90) for i in range(TEXT_PLAIN_BYTES_MAX))},
        {"text": b"\xff" * 10_000},
        {"parameters": (), "upvalues": (), "is_vararg": False},
        {"parameters": ("a\udcff", 'q"', ""), "upvalues": ("\udc80",)},
        {"chunk": "=(load)", "ordinal": 2**31, "line_defined": -1, "last_line": 10**6},
    ],
    ids=str,
)
@pytest.mark.parametrize("in_memory", [False, True])
def test_code_of_all_shapes(tmp_path: Path, changes: dict[str, Any], in_memory: bool) -> None:
    with Store.open(None) if in_memory else new_store(tmp_path) as store:
        code = new_code(**changes)
        code_id = define(store, code)
        row = store.code(code_id)
        assert row is not None
        assert row.signed
        for name in NewCode.__slots__:
            assert getattr(row, name) == getattr(code, name)
        assert define(store, code) == code_id
        assert store.integrity() == []


def test_the_same_code_is_stored_once(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        first = define(store, new_code())
        assert define(store, new_code()) == first
        others = {
            define(store, new_code(**change))
            for change in (
                {"bytecode": BYTECODE},
                {"chunk": "@other.lua"},
                {"text": "other"},
                {"text": None},
                {"ordinal": 2},
                {"line_defined": 1},
                {"last_line": 3},
                {"parameters": ("x",)},
                {"is_vararg": False},
                {"upvalues": ("n",)},
            )
        }
        assert len({first, *others}) == 11
        sources = store._connection.execute("SELECT count(*) FROM sources").get
        assert sources == 4


def test_short_sources_are_readable_in_the_file_and_long_ones_small(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        define(store, new_code(text="return 1"))
        define(store, new_code(text="-- a line\n" * 10_000))
        rows: list[Any] = store._connection.execute(
            "SELECT typeof(text), length(text), text_bytes FROM sources ORDER BY id"
        ).fetchall()
    assert rows[0] == ("text", 8, 8)
    assert rows[1][0] == "blob"
    assert rows[1][1] < 1000
    assert rows[1][2] == 100_000


def test_a_function_has_code_and_cells(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        code_id = define(store, new_code())
        with store.transaction(write=False):
            store.apply(cells=[(5, INTEGER, 1), (6, STRING, "x" * 5000), (7, 0, None)])
            store.define_function(10, code_id, [7, 5, 6, 5])
            store.define_function(11, code_id, [])
        row = store.function(10)
        assert row is not None
        assert row.code_id == code_id
        assert row.cells == (
            (7, 0, None),
            (5, INTEGER, 1),
            (6, STRING, "x" * 5000),
            (5, INTEGER, 1),
        )
        function = store.function(11)
        assert function is not None
        assert function.cells == ()
        assert store.function(12) is None
        with store.transaction(write=False):
            store.define_function(10, code_id, [5])
        row = store.function(10)
        assert row is not None
        assert row.cells == ((5, INTEGER, 1),)


def test_a_function_needs_code_that_is_there() -> None:
    with Store.open(None) as store:
        store.begin()
        with pytest.raises(StoreError, match="Evaluate the function's definition again"):
            store.define_function(10, 99, [])
        store.rollback()


def test_a_cell_that_is_missing_is_damage() -> None:
    with Store.open(None) as store:
        code_id = define(store, new_code())
        with store.transaction(write=False):
            store.define_function(10, code_id, [5])
        with pytest.raises(StoreError, match="function 10 refers to cell 5, which is missing"):
            store.function(10)


def test_only_the_very_bytes_are_known(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        code = new_code()
        define(store, code)
        assert store.knows_code(code.bytecode)
        assert not store.knows_code(code.bytecode + b"\0")
        assert not store.knows_code(code.bytecode[:-1])
        assert not store.knows_code(b"")


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE code SET signature = zeroblob(32)",
        "UPDATE code SET signature = x''",
        "UPDATE code SET bytecode = zeroblob(14), compressed = 0, bytecode_bytes = 14",
        "UPDATE code SET bytecode_bytes = bytecode_bytes + 1",
        "UPDATE code SET compressed = 1 - compressed",
        "UPDATE code SET bytecode = substr(bytecode, 1, 20)",
        "UPDATE code SET bytecode_bytes = -1",
        "UPDATE code SET bytecode_bytes = 1 << 60",
    ],
)
def test_altered_code_is_not_signed_and_can_be_replaced(tmp_path: Path, statement: str) -> None:
    with new_store(tmp_path) as store:
        code = new_code()
        code_id = define(store, code)
        define(store, new_code(1))
        other = define(store, new_code(2))
        alter(store, f"{statement} WHERE id = {code_id}")
        row = store.code(code_id)
        assert row is not None
        assert not row.signed
        assert row.text == code.text
        assert store.unsigned_codes() == [code_id]
        assert any("was not signed by you" in problem for problem in store.integrity())
        with store.transaction():
            store.replace_code(code_id, code.bytecode)
        row = store.code(code_id)
        assert row is not None
        assert row.signed
        assert row.bytecode == code.bytecode
        assert store.unsigned_codes() == []
        assert store.integrity() == []
        assert define(store, new_code(2)) == other


def test_defining_altered_code_again_mends_it(tmp_path: Path) -> None:
    """Otherwise a function that was just compiled would be refused at its first call."""
    with new_store(tmp_path) as store:
        code_id = define(store, new_code())
        alter(store, "UPDATE code SET signature = zeroblob(32)")
        assert define(store, new_code()) == code_id
        assert store.unsigned_codes() == []
        alter(store, "UPDATE code SET bytecode = zeroblob(9), compressed = 0, bytecode_bytes = 9")
        assert define(store, new_code()) == code_id
        assert store.unsigned_codes() == []


def test_somebody_elses_code_is_not_signed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = new_store(tmp_path)
    code_id = define(store, new_code())
    store.close()
    with_other_key(tmp_path, monkeypatch)
    with new_store(tmp_path) as store:
        row = store.code(code_id)
        assert row is not None
        assert not row.signed
        assert not store.knows_code(new_code().bytecode)
        assert store.unsigned_codes() == [code_id]


def test_replaced_code_is_found_by_what_it_is_now(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        first, second = define(store, new_code(1)), define(store, new_code(2))
        with store.transaction():
            store.replace_code(first, new_code(3).bytecode)
        assert define(store, new_code(3)) == first
        assert define(store, new_code(1)) not in (first, second)
        with store.transaction():
            store.replace_code(first, new_code(2).bytecode)  # as the second is already
        assert define(store, new_code(2)) == second
        row = store.code(first)
        assert row is not None
        assert row.signed
        assert row.bytecode == new_code(2).bytecode
        assert store.integrity() == []
        store.begin()
        with pytest.raises(StoreError, match="There is no code number 99"):
            store.replace_code(99, b"")
        store.rollback()


def test_names_that_somebody_has_spoiled_are_no_names(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        code_id = define(store, new_code())
        for wrong in ("", "{", "7", "null", '{"a": 1}'):
            alter(store, "UPDATE code SET parameters = ?1, upvalues = ?1", wrong)
            row = store.code(code_id)
            assert row is not None
            assert row.parameters in ((), ("a",))
            assert row.signed
        write(store, (1, STRING, "f", 5, 10))
        with store.transaction():
            store.define_function(10, code_id, [])
        alter(store, "UPDATE code SET upvalues = '{'")
        assert len(store.functions()) == 1
        alter(store, "UPDATE sources SET compressed = 1")
        row = store.code(code_id)
        assert row is not None
        assert row.text is None


def test_two_hundred_kilobytes_of_bytecode(tmp_path: Path) -> None:
    bytecode = b"\x1bLua" + bytes(hash((i, i * i)) & 0xFF for i in range(200_000))
    store = new_store(tmp_path)
    code_id = define(store, new_code(bytecode=bytecode))
    with open_again(store) as store:
        row = store.code(code_id)
        assert row is not None
        assert row.bytecode == bytecode
        assert store.knows_code(bytecode)
