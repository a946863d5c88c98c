from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lua_ls_persist.session import Session, idle
from tests.session.persistent import Restarted


@pytest.fixture(autouse=True)
def no_idle_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """On a busy machine it might come anywhere in a test; tests of it say when it comes."""
    monkeypatch.setattr(idle, "IMAGE_AFTER_S", 3600.0)


@pytest.fixture
def session() -> Iterator[Session]:
    with Session.open() as session:
        yield session


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where a session's file may be."""
    return tmp_path / "session.db"


@pytest.fixture
def stored(path: Path) -> Iterator[Restarted]:
    """A session on a file, to be closed and opened again."""
    restarted = Restarted(path)
    yield restarted
    restarted.close()
