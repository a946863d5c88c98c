"""JSON Lines: everything goes out and comes back as it was, or nothing does."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lua_ls_persist.errors import StoreError
from lua_ls_persist.store import Store, as_native, exchange, exchange_reading
from lua_ls_persist.store.jsonlines import from_json, to_json
from lua_ls_persist.store.keys import CONFIG_VARIABLE
from lua_ls_persist.store.rows import FLOAT, FUNCTION, INTEGER, STRING, TABLE
from tests.store.helpers import (
    as_value,
    contents,
    exact,
    fill,
    new_code,
    new_store,
    write,
)
from tests.store.test_values import VALUES


def exported(store: Store) -> str:
    file = io.StringIO()
    count = store.export_lines(file)
    assert count == len(file.getvalue().splitlines())
    return file.getvalue()


def test_a_store_goes_out_and_comes_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange_reading, "ROWS_AT_ONCE", 4)
    with new_store(tmp_path) as store, Store.open(tmp_path / "copy.db") as copy:
        fill(store)
        values = [value for value in VALUES if value[0] != FUNCTION]  # there is no such function
        write(store, *[(3, INTEGER, index, *value) for index, value in enumerate(values)])
        write(store, new_tables=[(77,)], metatables=[(1, 77)])
        text = exported(store)
        path = tmp_path / "export.jsonl"
        path.write_text(text, encoding="utf-8", newline="\n")
        with path.open(encoding="utf-8") as file:
            assert copy.import_lines(file) == len(text.splitlines())
        assert contents(copy) == contents(store)
        assert copy.integrity() == []
        assert [*exported(copy).splitlines()][1:] == [*text.splitlines()][1:]
        assert copy.unsigned_codes() == []
        with copy.transaction():
            assert copy.reserve(1) == 78


def test_what_an_export_looks_like(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        with store.transaction():
            users = store.root("users", create=True)
            store.apply(
                [
                    (users, STRING, "ann", TABLE, 5),
                    (5, STRING, "age", FLOAT, 0.1),
                    (5, INTEGER, 2**60, STRING, b"\xff"),
                ],
                new_tables=[(5,)],
            )
        lines = [json.loads(line) for line in exported(store).splitlines()]
    assert lines[0]["lua-ls-persist"] == 1
    assert lines[1:] == [
        {"table": 1, "root": "Memory"},
        {"table": 2, "root": "users"},
        {"table": 5},
        {"in": 2, "key": "ann", "value": {"table": 5}},
        {"in": 5, "key": {"integer": str(2**60)}, "value": {"bytes": "/w=="}},
        {"in": 5, "key": "age", "value": {"float": "0.1"}},
        {"end": {"codes": 0, "cells": 0, "functions": 0, "tables": 3, "entries": 3}},
    ]


def test_an_import_goes_into_an_empty_store_only(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        fill(store)
        before = contents(store)
        with pytest.raises(StoreError, match="has content already"):
            store.import_lines(io.StringIO(exported(store)))
        assert contents(store) == before
        assert not store.in_transaction


def test_somebody_elses_functions_come_along_and_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with new_store(tmp_path) as store:
        fill(store)
        text = exported(store)
    monkeypatch.setenv(CONFIG_VARIABLE, str(tmp_path / "other"))
    with Store.open(tmp_path / "copy.db") as copy:
        copy.import_lines(text.splitlines())
        assert copy.unsigned_codes() == [1]
        row = copy.code(1)
        assert row is not None
        assert row.text == new_code().text
        with copy.transaction():
            copy.replace_code(1, row.bytecode)
        assert copy.unsigned_codes() == []


def test_progress_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "LINES_BETWEEN_REPORTS", 5)
    told: list[int] = []
    with new_store(tmp_path) as store, Store.open(None) as copy:
        fill(store)
        file = io.StringIO()
        count = store.export_lines(file, on_progress=told.append)
        assert told == [*range(5, count + 1, 5)]
        told.clear()
        copy.import_lines(file.getvalue().splitlines(), on_progress=told.append)
        assert told == [*range(5, count + 1, 5)]


def test_an_export_is_one_snapshot(tmp_path: Path) -> None:
    class Disturbing(io.StringIO):
        def write(self, text: str) -> int:
            with store.transaction() if not store.in_transaction else other.transaction():
                pass
            write(other, (1, INTEGER, len(self.getvalue()), INTEGER, 1))
            other.changed_by_others()
            return super().write(text)

    with new_store(tmp_path) as store, new_store(tmp_path) as other:
        fill(store)
        other.changed_by_others()
        expected = exported(store).splitlines()[1:]
        file = Disturbing()
        store.export_lines(file)
        assert file.getvalue().splitlines()[1:] == expected


@pytest.mark.parametrize("value", VALUES, ids=lambda value: repr(value)[:40])
def test_values_are_exact(value: tuple[int, Any]) -> None:
    there = json.loads(json.dumps(to_json(*value)))
    kind, back = from_json(there)
    assert (kind, exact(back)) == (value[0], exact(value[1]))
    assert type(back) is type(value[1])


@given(st.one_of(st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(), st.binary()))
def test_any_value_is_exact(value: Any) -> None:
    kind, native = as_value(as_native(value) if isinstance(value, bytes) else value)
    back = from_json(json.loads(json.dumps(to_json(kind, native))))
    assert (back[0], exact(back[1])) == (kind, exact(native))


@pytest.mark.parametrize(
    "wrong",
    [
        1.5,
        2**63,
        -(2**63) - 1,
        [],
        {},
        {"float": "1", "nan": "x"},
        {"float": 1.0},
        {"float": "nan"},
        {"float": "x"},
        {"nan": "7ff0000000000000"},
        {"nan": "7ff8"},
        {"nan": "x" * 16},
        {"integer": 5},
        {"integer": str(2**63)},
        {"integer": "1.5"},
        {"bytes": "?"},
        {"bytes": 1},
        {"table": 0},
        {"table": True},
        {"table": "1"},
        {"function": -1},
        {"function": 2**63},
        {"permanent": 1},
        {"thread": 1},
        "\ud800",
    ],
    ids=repr,
)
def test_what_is_no_value_is_refused(wrong: Any) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        from_json(wrong)


HEAD = '{"lua-ls-persist": 1}'
MEMORY = '{"table": 1, "root": "Memory"}'
END = '{"end": {"codes": 0, "cells": 0, "functions": 0, "tables": 1, "entries": 0}}'


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "ends after line 0 without its last line"),
        ([HEAD], "ends after line 1 without"),
        ([HEAD, MEMORY], "ends after line 2 without"),
        (["x"], "Line 1 of the import makes no sense: Expecting value"),
        (["[]"], "Line 1 .*: it is no JSON object"),
        ([MEMORY], "Line 1 .*: it does not begin an export of lua-ls-persist"),
        (['{"lua-ls-persist": 2}'], "Line 1 .*: it is an export of version 2; 1 is known"),
        ([HEAD, '{"what": 1}'], "Line 2 .*: it is of no known sort"),
        ([HEAD, '{"in": 1, "key": 1}'], "Line 2 .*: 'value' is missing"),
        ([HEAD, '{"in": 1, "key": null, "value": 1}'], "Line 2 .*: neither a key nor a value"),
        ([HEAD, '{"in": 1, "key": 1, "value": null}'], "Line 2 .*: neither a key nor a value"),
        ([HEAD, '{"in": 1, "key": {"float": "2.0"}, "value": 1}'], "Line 2 .*: a key is no NaN"),
        (
            [HEAD, '{"in": 1, "key": {"nan": "7ff8000000000000"}, "value": 1}'],
            "Line 2 .*: a key is no NaN",
        ),
        ([HEAD, '{"in": 0, "key": 1, "value": 1}'], "Line 2 .*: 0 is no id"),
        ([HEAD, '{"table": 1}'], "Line 2 .*: Memory is always table 1"),
        ([HEAD, '{"table": 2, "root": "Memory"}'], "Line 2 .*: Memory is always table 1"),
        ([HEAD, '{"table": 2, "root": 5}'], "Line 2 .*: the name of a root is a string"),
        (
            [HEAD, '{"table": 2, "root": "a"}', '{"table": 3, "root": "a"}'],
            "Line 3 .*: UNIQUE constraint failed",
        ),
        ([HEAD, '{"function": 5, "code": 1, "cells": []}'], "The code of a function"),
        ([HEAD, '{"code": 1, "bytecode": "?"}'], "Line 2 .* is missing"),
        ([HEAD, MEMORY, END, MEMORY], "Line 4 .*: there is something behind the last line"),
        ([HEAD, MEMORY, MEMORY, END], "Line 4 .*: .* were exported, but .* are here"),
        (
            [HEAD, MEMORY, '{"in": 1, "key": 1, "value": {"table": 9}}', END.replace("0}}", "1}}")],
            "does not fit together: in table 1, the entry 1 refers to table 9, which is missing",
        ),
    ],
)
def test_what_is_no_export_is_refused_whole(lines: list[str], message: str) -> None:
    with Store.open(None) as store:
        before = contents(store)
        with pytest.raises(StoreError, match=message):
            store.import_lines(lines)
        assert contents(store) == before
        assert not store.in_transaction
        store.import_lines([HEAD, MEMORY, END])


def test_every_truncation_is_refused(tmp_path: Path) -> None:
    with new_store(tmp_path) as store, Store.open(None) as copy:
        fill(store)
        text = exported(store)
        before = contents(copy)
        for length in range(0, len(text) - 2, 97):
            with pytest.raises(StoreError):
                copy.import_lines(text[:length].splitlines())
            assert contents(copy) == before
