"""The extension inside a real VS Code, through VS Code's own API."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.extension.host import failures, run_suites

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.mark.usefixtures("built")
def test_the_extension_in_a_real_editor(tmp_path: Path) -> None:
    outcomes = run_suites(tmp_path, "manifest,tracking,setup,evaluate")
    failed = failures(outcomes)
    assert not failed, failed
    assert len(outcomes) > 40
