"""The look at the WAL index says what SQLite would say."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from lua_ls_persist.store import Store, transactions, walindex
from lua_ls_persist.store.rows import INTEGER, STRING
from lua_ls_persist.store.walindex import HEADER_BYTES, header_reader
from tests.store.helpers import new_store

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="SQLite is asked elsewhere")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with new_store(tmp_path) as store:
        yield store


def path_of(store: Store) -> Path:
    assert store.path is not None
    return store.path


def write(path: Path, number: int) -> None:
    """Somebody else commits."""
    with Store.open(path) as other:
        other.begin(write=True)
        other.changed_by_others()
        other.apply([(1, STRING, "n", INTEGER, number)])
        other.commit()


def test_the_header_changes_with_each_commit(store: Store) -> None:
    read = header_reader(path_of(store))
    assert read is not None
    seen = {read()}
    for number in range(10):
        write(path_of(store), number)
        assert read() == read()
        seen.add(read())
    assert len(seen) == 11
    assert {len(header) for header in seen} == {HEADER_BYTES}


def test_the_name_may_be_a_link_and_have_odd_characters(tmp_path: Path) -> None:
    folder = tmp_path / "a folder, (deleted) é"
    folder.mkdir()
    (tmp_path / "link").symlink_to(folder)
    with new_store(tmp_path / "link") as store:
        assert header_reader(path_of(store)) is not None


def test_without_a_connection_there_is_none(store: Store, tmp_path: Path) -> None:
    assert header_reader(tmp_path / "no.db") is None
    (tmp_path / "other.db-shm").write_bytes(bytes(32768))
    assert header_reader(tmp_path / "other.db") is None
    store.close()
    assert header_reader(path_of(store)) is None


def test_two_mappings_are_not_told_apart(store: Store) -> None:
    """Python's own SQLite is another copy: it maps the file as well, and may end that before us."""
    with closing(sqlite3.connect(path_of(store))) as connection:
        connection.execute("SELECT count(*) FROM entries").fetchone()
        assert header_reader(path_of(store)) is None


def test_where_there_is_no_list_of_mappings(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(walindex, "_MAPPINGS", Path("/no/such/list"))
    assert header_reader(path_of(store)) is None


@pytest.mark.parametrize("looks", [1, 10**9])
def test_commits_are_noticed(store: Store, looks: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the header as well as without it; one's own commits are none of others."""
    monkeypatch.setattr(transactions, "LOOKS_BEFORE_HEADER", looks)
    for number in range(20):
        assert not store.changed_by_others()
        if number % 3:
            write(path_of(store), number)
            assert store.changed_by_others()
        else:
            store.begin()
            store.apply([(1, STRING, "own", INTEGER, number)])
            store.commit()
        if number % 4 == 0:
            store.checkpoint()
        assert not store.changed_by_others()
        assert not store.changed_by_others()
    assert (store._read_header is not None) == (looks == 1)


def test_sqlite_is_asked_only_after_a_commit(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(5):
        store.changed_by_others()
    asked: list[None] = []
    ask = store._data_version

    def counted() -> int:
        asked.append(None)
        return ask()

    monkeypatch.setattr(store, "_data_version", counted)
    for _ in range(10):
        assert not store.changed_by_others()
    assert asked == []
    write(path_of(store), 1)
    assert store.changed_by_others()
    assert not store.changed_by_others()
    assert asked == [None]


def test_a_closed_store_does_not_look(store: Store) -> None:
    for _ in range(5):
        store.changed_by_others()
    store.close()
    assert store._read_header is None
