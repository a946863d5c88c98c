from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from lua_ls_persist.session import Session


@pytest.fixture
def session(path: Path, caplog: pytest.LogCaptureFixture) -> Iterator[Session]:
    caplog.set_level(logging.WARNING)
    with Session.open(path) as opened:
        yield opened
        assert opened.integrity() == []
    assert not [record.message for record in caplog.records if "damaged" in record.message]
