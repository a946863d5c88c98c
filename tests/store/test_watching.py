"""Watchers see what is written, before and after, and how transactions end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lua_ls_persist.errors import StoreError
from lua_ls_persist.store import Store
from lua_ls_persist.store.rows import INTEGER, STRING
from lua_ls_persist.store.watching import Changes
from tests.store.helpers import new_store

ENTRY = (1, STRING, "n", INTEGER, 7)


class Recorder:
    """Notes each call, with the value of the entry at that moment."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.calls: list[tuple[object, ...]] = []
        self.refuses = False

    def _value(self) -> object:
        return (self.store.get(1, STRING, "n") or (0, None))[1]

    def before(self, changes: Changes) -> None:
        self.calls.append(("before", changes, self._value()))

    def after(self, changes: Changes) -> None:
        self.calls.append(("after", changes, self._value()))
        if self.refuses:
            raise StoreError("refused")

    def committing(self) -> None:
        self.calls.append(("committing",))

    def ended(self, *, committed: bool) -> None:
        self.calls.append(("ended", committed))

    def savepoint(self) -> None:
        self.calls.append(("savepoint",))

    def released(self) -> None:
        self.calls.append(("released",))

    def rolled_back(self) -> None:
        self.calls.append(("rolled_back",))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with new_store(tmp_path) as store:
        yield store


@pytest.fixture
def recorder(store: Store) -> Recorder:
    recorder = Recorder(store)
    store.watch(recorder)
    return recorder


def test_changes_are_seen_before_and_after(store: Store, recorder: Recorder) -> None:
    store.begin()
    store.apply([ENTRY])
    store.clear_table(1)
    store.commit()
    written, cleared = Changes(sets=[ENTRY]), Changes(cleared=(1,))
    empty = Changes([ENTRY], (), (), (), ())
    assert recorder.calls == [
        ("before", empty, None),
        ("after", empty, 7),
        ("before", cleared, 7),
        ("after", cleared, None),
        ("committing",),
        ("ended", True),
    ]
    assert empty == written


def test_inner_transactions(store: Store, recorder: Recorder) -> None:
    store.begin()
    store.savepoint()
    store.release()
    store.savepoint()
    store.rollback_to()
    store.rollback()
    assert [call[0] for call in recorder.calls] == [
        "savepoint",
        "released",
        "savepoint",
        "rolled_back",
        "ended",
    ]
    assert recorder.calls[-1] == ("ended", False)


def test_nothing_written_is_no_commit_of_data(store: Store, recorder: Recorder) -> None:
    store.begin()
    store.commit()
    assert recorder.calls == [("ended", True)]


def test_what_a_watcher_refuses_is_not_written(store: Store, recorder: Recorder) -> None:
    recorder.refuses = True
    store.begin()
    with pytest.raises(StoreError, match="refused"):
        store.apply([ENTRY])
    with pytest.raises(StoreError, match="can only be rolled back"):
        store.commit()
    store.rollback()
    assert store.get(1, STRING, "n") is None


def test_who_does_not_watch_any_more(store: Store, recorder: Recorder) -> None:
    store.unwatch(recorder)
    store.begin()
    store.apply([ENTRY])
    store.commit()
    assert recorder.calls == []
