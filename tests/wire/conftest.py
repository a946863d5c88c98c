from __future__ import annotations

from collections.abc import Iterator

import pytest

from lua_ls_persist.vm import Machine, load_core


@pytest.fixture(scope="module")
def machine() -> Iterator[Machine]:
    with Machine(load_core()) as machine:
        yield machine
