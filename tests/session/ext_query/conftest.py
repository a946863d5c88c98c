from __future__ import annotations

from collections.abc import Iterator

import pytest

from lua_ls_persist.session import Session
from tests.session.ext_query.asking import FILL


@pytest.fixture(scope="module")
def filled() -> Iterator[Session]:
    """Not changed by the tests that use it."""
    with Session.open() as opened:
        assert opened.evaluate(FILL).ok
        yield opened


@pytest.fixture
def session(filled: Session) -> Iterator[Session]:
    with filled.fork() as fork:
        yield fork
