"""A session with room for many values, and random numbers that are the same in every run."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from lua_ls_persist.session import Session
from tests.core.numbers.values import SEED


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with Session.open(memory_limit_bytes=512 * 1024 * 1024, time_limit_s=120.0) as session:
        yield session


@pytest.fixture
def rng() -> random.Random:
    return random.Random(SEED)
