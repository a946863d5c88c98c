from __future__ import annotations

from collections.abc import Iterator

import pytest

from lua_ls_persist.vm import CompiledCore, Machine, load_core


@pytest.fixture(scope="session")
def core() -> CompiledCore:
    return load_core()


@pytest.fixture(scope="session")
def checked_core() -> CompiledCore:
    """The core as it is stopped where memory protection was not tried."""
    return load_core(stop_kind="epoch")


@pytest.fixture
def machine(core: CompiledCore) -> Iterator[Machine]:
    with Machine(core) as machine:
        yield machine
