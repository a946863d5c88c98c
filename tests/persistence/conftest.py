from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lua_ls_persist.session import idle, steering
from tests.persistence.ways import TINY_CACHE_ENTRIES, WAYS, Place


@pytest.fixture(autouse=True)
def no_idle_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine it might come anywhere in a test; tests of it say when it comes."""
    monkeypatch.setattr(idle, "IMAGE_AFTER_S", 3600.0)


@pytest.fixture(params=WAYS)
def place(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Place]:
    way: str = request.param
    if "no cache" in way:
        monkeypatch.setattr(steering, "CACHED_ENTRIES_MAX", TINY_CACHE_ENTRIES)
    place = Place(tmp_path / "session.db", way)
    yield place
    place.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "session.db"
