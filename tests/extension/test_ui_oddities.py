"""The table editor with data that is not what one makes pictures of."""

from __future__ import annotations

from pathlib import Path

import pytest

from lua_ls_persist import Session
from tests.extension.host import server_command
from tests.extension.stories import LOOK, check, run_stories, shots_folder
from tools.code_server import CodeServer
from tools.node_tools import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

ODD = """
for row = 1, 20 do
  local fields = {}
  for column = 1, 200 do fields["column_" .. column] = row * column end
  ext.table("wide")[row] = fields
end
local odd = ext.table("odd")
odd.long = { text = ("lorem ipsum "):rep(2000) }
odd.newline = { text = "line one\\nline two" }
odd.fn = { f = function(a, b) return a + b end }
ext.table("empty")
local place = ext.table("deep")
for level = 1, 10 do
  place["level" .. level] = { n = level }
  place = place["level" .. level]
end
"""


def test_oddities(built: Path, tmp_path: Path) -> None:
    workspace = tmp_path / "odd"
    (workspace / ".lua-persist").mkdir(parents=True)
    (workspace / "odd.lua").write_text(ODD, encoding="utf-8")
    with Session.open(workspace / ".lua-persist/session.db") as session:
        evaluation = session.evaluate(ODD, name="odd.lua")
        assert evaluation.ok, evaluation.problems
    settings = {"luaPersist.server.command": server_command(), **LOOK}
    with CodeServer(
        tmp_path / "profile",
        settings=settings,
        trust=False,
        environment={"PYTHONPATH": str(ROOT)},
        driver=True,
    ) as server:
        server.install(built)
        stories = run_stories(server, workspace, tmp_path, shots_folder(tmp_path), ["oddities"])
    check(stories, ["oddities"])
