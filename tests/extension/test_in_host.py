"""The extension inside a real VS Code, through VS Code's own API."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.extension.host import failures, run_suites

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


SUITES = {
    "setup": "life,manifest,tracking,pure,cells,newRows,setup",
    "server": "evaluate,views,indexing,prompt",
    "commands": "commands,settings",
    "untrusted": "untrusted",
    "folders": "folders",
}
FOLDERS = {"folders": ("first", "second")}
TESTS_MIN = {"setup": 105, "server": 52, "commands": 44, "untrusted": 2, "folders": 5}


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("name", SUITES)
def test_the_extension_in_a_real_editor(name: str, tmp_path: Path) -> None:
    outcomes = run_suites(
        tmp_path, SUITES[name], trust=name == "untrusted", folders=FOLDERS.get(name, ())
    )
    failed = failures(outcomes)
    assert not failed, failed
    assert len(outcomes) >= TESTS_MIN[name]
