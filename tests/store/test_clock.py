"""Clocks are set back. What is new, and what is old, never depends on the time that they tell."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone, tzinfo
from pathlib import Path

import pytest

from lua_ls_persist.session import Session
from lua_ls_persist.store.images import IMAGES_KEPT
from lua_ls_persist.store.rows import INTEGER
from tests.store.helpers import new_store, write
from tests.store.test_images import CORE, image

BEGIN = datetime(2031, 5, 1, 12, tzinfo=timezone.utc)


class Backwards(datetime):
    """Whoever asks for the time gets one that is a day earlier than what was told before."""

    asked = 0

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        Backwards.asked += 1
        return (BEGIN - timedelta(days=Backwards.asked)).astimezone(tz)


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Backwards, "asked", 0)
    for module in ("recording", "images"):
        monkeypatch.setattr(f"lua_ls_persist.store.{module}.datetime", Backwards)


def test_the_history_is_in_the_order_of_the_evaluations(tmp_path: Path) -> None:
    path = tmp_path / "session.db"
    for step in (1, 2):
        with Session.open(path, history_limit_evaluations=3) as session:
            for number in (1, 2):
                assert session.evaluate(f"Memory.n = {10 * step + number}").ok
    with Session.open(path, history_limit_evaluations=3) as session:
        entries = session.history()
        assert [entry.number for entry in entries] == [4, 3, 2]
        times = [entry.made_utc for entry in entries]
        assert times == sorted(times)  # which is the wrong way round
        assert session.diff(3)[0].after == 22
        session.undo()
        assert session.get("Memory.n") == 21
        session.undo()
        assert session.get("Memory.n") == 12
        session.redo(2)
        assert session.get("Memory.n") == 22


def test_the_newest_images_stay_and_the_newest_is_gone_on_from(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        write(store, (1, INTEGER, 1, INTEGER, 1))
        saved = [image(store, evaluations=number) for number in range(IMAGES_KEPT + 3)]
        for one in saved:
            assert store.save_image(one)
        assert store.load_image(CORE) == saved[-1]
        kept = store.images()
        assert [row.evaluations for row in kept] == [6, 5, 4, 3]
        times = [row.saved_utc for row in kept]
        assert times == sorted(times)


def test_a_session_goes_on_from_what_was_kept_last(tmp_path: Path) -> None:
    path = tmp_path / "session.db"
    for number in range(3):
        with Session.open(path) as session:
            assert session.evaluate(f"before, n = n, {number}").ok
    with Session.open(path) as session:
        assert session.resumed
        assert session.evaluate("return n, before").values == (2, 1)
