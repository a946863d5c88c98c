"""What every test run needs: folders of its own, and repeatable randomness."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

XDG_VARIABLES = ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")
USER_FOLDERS = pytest.StashKey[Path]()

# A failing example is printed with the line that replays it. Times on a shared machine say nothing.
settings.register_profile("lua-ls-persist", print_blob=True, deadline=None)
settings.load_profile("lua-ls-persist")


def pytest_configure(config: pytest.Config) -> None:
    """Give the run, its workers and the servers they start one set of fresh user folders."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        return  # inherited from the process that started the run
    folders = Path(tempfile.mkdtemp(prefix="lua-ls-persist-tests-"))
    config.stash[USER_FOLDERS] = folders
    for name in XDG_VARIABLES:
        os.environ[name] = str(folders / name.removeprefix("XDG_").lower())


def pytest_unconfigure(config: pytest.Config) -> None:
    folders = config.stash.get(USER_FOLDERS, None)
    if folders is not None:
        shutil.rmtree(folders, ignore_errors=True)


@pytest.fixture(scope="session")
def project_root() -> Path:
    return Path(__file__).resolve().parent.parent
