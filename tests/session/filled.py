"""Sessions that begin with data which take a while to make: each test has a fork of one.

A module that imports these fixtures has one more, `filling`: the source that makes the data.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lua_ls_persist.session import Session


@pytest.fixture(scope="module")
def filled(filling: str) -> Iterator[Session]:
    """Not changed by the tests that use it."""
    with Session.open() as opened:
        assert opened.evaluate(filling).ok
        yield opened


@pytest.fixture
def session(filled: Session) -> Iterator[Session]:
    with filled.fork() as fork:
        yield fork
