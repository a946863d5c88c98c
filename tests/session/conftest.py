from __future__ import annotations

from collections.abc import Iterator

import pytest

from lua_ls_persist.session import Session


@pytest.fixture
def session() -> Iterator[Session]:
    with Session.open() as session:
        yield session
