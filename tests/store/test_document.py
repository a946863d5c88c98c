"""docs/store.md tells the format of the file as it is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lua_ls_persist.store import APPLICATION_ID, FORMAT_VERSION, Store
from lua_ls_persist.store.entries import LONG_STRING_LENGTH
from lua_ls_persist.store.rows import INTEGER, STRING
from lua_ls_persist.store.views import COLUMNS_MAX, ROWS_LOOKED_AT_MAX
from tests.store.helpers import new_store, write


@pytest.fixture(scope="module")
def document(project_root: Path) -> str:
    return (project_root / "docs" / "store.md").read_text(encoding="utf-8")


def test_every_table_and_view_is_described(document: str) -> None:
    with Store.open(None) as store:
        rows = store._connection.execute(
            "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view')"
        ).fetchall()
    assert {f"`{row[0]}`" for row in rows} - set(re.findall(r"`\w+`", document)) == set()


def test_every_kind_is_described(document: str) -> None:
    with Store.open(None) as store:
        rows = store._connection.execute("SELECT kind FROM kinds ORDER BY kind").fetchall()
    described = re.findall(r"^\| (\d+) \|", document, re.MULTILINE)
    assert [str(row[0]) for row in rows] == described


def test_the_numbers_are_right(document: str) -> None:
    assert f"The file is of format {FORMAT_VERSION}." in document
    assert f"0x{APPLICATION_ID:X}" in document
    assert f"more than {LONG_STRING_LENGTH} characters" in document
    assert f"the first {ROWS_LOOKED_AT_MAX:,} rows" in document
    assert f"frequent {COLUMNS_MAX} of them" in document


def test_what_is_written_by_hand_is_read(tmp_path: Path, document: str) -> None:
    found = re.search(r"INSERT INTO entries VALUES \(.*?\)", document)
    counted = re.search(r"UPDATE counters SET value = .*?'commits'", document)
    assert found is not None
    assert counted is not None
    with new_store(tmp_path) as store, new_store(tmp_path) as other:
        write(store, (1, STRING, "x", INTEGER, 1))
        other.changed_by_others()
        other._connection.execute(found[0])
        other._connection.execute(counted[0])
        assert store.changed_by_others()
        assert store.get(1, STRING, "answer") == (INTEGER, 42)
        assert store.state == 2
        assert store.integrity() == []
