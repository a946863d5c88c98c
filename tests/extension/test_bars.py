"""How long things take in the real editor. Printed, not judged.

`make soak PYTEST_ARGS="-s -n 0 -k bars"`
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.extension.host import failures, run_suites, server_command
from tests.extension.stories import LOOK, make_workspace, run_stories
from tools.code_server import CodeServer
from tools.node_tools import ROOT

pytestmark = [pytest.mark.soak, pytest.mark.timeout(900)]

ROWS = 1_000_000


def test_bars_of_activation(built: Path, tmp_path: Path) -> None:
    times = tmp_path / "times.json"
    outcomes = run_suites(
        tmp_path / "life", "life", environment={"LUA_PERSIST_TEST_TIMES": str(times)}
    )
    assert not failures(outcomes)
    print(built.stat().st_size, "bytes", json.loads(times.read_text(encoding="utf-8")))


def test_bars_of_a_million_rows(built: Path, tmp_path: Path) -> None:
    workspace = tmp_path / "demo"
    make_workspace(workspace, numbers=ROWS)
    settings = {"luaPersist.server.command": server_command(), **LOOK}
    environment = {"PYTHONPATH": str(ROOT)}
    with CodeServer(
        # Without notifications, which would lie above what is photographed.
        tmp_path / "profile",
        settings=settings,
        trust=False,
        environment=environment,
        driver=True,
    ) as server:
        server.install(built)
        names = ["evaluate", "million"]
        for story in run_stories(server, workspace, tmp_path, tmp_path / "shots", names):
            assert story.passed, story.error
            print(story.title, story.measured)
