"""What every test run needs: folders of its own, and repeatable randomness."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import settings

pytest.register_assert_rewrite("tests.expectations")

XDG_VARIABLES = ("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_STATE_HOME")
SOAK_EXAMPLES = 2_000
USER_FOLDERS = pytest.StashKey[Path]()

# A failing example is printed with the line that replays it. Times on a shared machine say nothing.
settings.register_profile("plain", print_blob=True, deadline=None)
settings.register_profile("soak", settings.get_profile("plain"), max_examples=SOAK_EXAMPLES)
settings.load_profile("plain")


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
