"""The extension as a person sees it, in a browser, from its package: stories with screenshots.

`LUA_PERSIST_SHOTS` names a folder in which the screenshots stay, `LUA_PERSIST_PICTURES` one that
gets those of the documents: `LUA_PERSIST_PICTURES=docs/images make test-extension`.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.build import smoke
from tests.extension.host import server_command
from tests.extension.stories import (
    FIRST,
    LOOK,
    check,
    make_workspace,
    run_stories,
    shots_folder,
)
from tools.code_server import CodeServer
from tools.node_tools import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

STORIES = (
    "evaluate", "errors", "interrupting", "tables", "grid", "query", "edit", "cells", "pasting",
    "newRow", "importing", "restored", "charts", "repl", "notebook", "themes",
)  # fmt: skip

PICTURES = (
    "chart", "error", "import", "inline-results", "notebook", "query-builder", "repl",
    "table-editor", "table-editor-light", "table-editor-high-contrast", "views",
)  # fmt: skip


def test_stories(built: Path, tmp_path: Path) -> None:
    workspace = tmp_path / "demo"
    make_workspace(workspace)
    shots = shots_folder(tmp_path)
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
        stories = run_stories(server, workspace, tmp_path, shots, STORIES)
    check(stories, STORIES)
    keep(PICTURES, shots)


def keep(pictures: Sequence[str], shots: Path) -> None:
    """Puts the pictures of the documents where they are wanted."""
    folder = os.environ.get("LUA_PERSIST_PICTURES")
    for name in pictures if folder else ():
        shutil.copy(shots / f"{name}.png", str(folder))


def test_the_walkthrough_of_a_newcomer(built: Path, tmp_path: Path) -> None:
    """In an empty folder, with everything that an editor shows by itself."""
    workspace = tmp_path / "mine"
    workspace.mkdir()
    settings = {"luaPersist.server.command": server_command(), **LOOK}
    with CodeServer(
        tmp_path / "profile",
        settings=settings,
        trust=False,
        environment={"PYTHONPATH": str(ROOT)},
    ) as server:
        server.install(built)
        shots = shots_folder(tmp_path)
        names = ["walkthrough", "keys"]
        check(run_stories(server, workspace, tmp_path, shots, names), names)
    keep(["walkthrough"], shots)


def test_the_path_of_a_newcomer(built: Path, tmp_path: Path) -> None:
    """A fresh profile and the package alone; the server is installed as for any user."""
    workspace = tmp_path / "first"
    workspace.mkdir()
    (workspace / "first.lua").write_text(FIRST, encoding="utf-8")
    shots = shots_folder(tmp_path)
    for name in ("newcomer", "afterwards"):  # The editor is closed in between.
        with CodeServer(tmp_path / "profile", settings=LOOK, trust=False) as server:
            if name == "newcomer":
                server.install(built)
            stories = run_stories(server, workspace, tmp_path, shots, [name])
        check(stories, [name])
    assert (workspace / ".lua-persist/session.db").exists()
    storage = tmp_path / "profile/data/User/globalStorage/lua-ls-persist.lua-persist"
    (python,) = storage.glob("server/server-*/bin/python")
    assert smoke.try_out(python, tmp_path / "place") == "works\n"
