"""A client with some data: `people` under three profiles, `stored` for what no profile changes."""

from __future__ import annotations

import pytest

from tests.server.editor import Editor

PEOPLE = """\
local users = ext.table("users")
users.ann = { name = "Ann", age = 41, tags = { "admin", "ops" } }
users.bob = { name = "Bob", age = 25 }
users.cid = { name = "Cid" }
local n = 5
function Memory.hit(by, ...)
  n = n + (by or 1)
  return n
end
word = "global"
"""


@pytest.fixture
async def people(editor: Editor) -> Editor:
    assert (await editor.evaluate(editor.open(PEOPLE)))["ok"]
    return editor


@pytest.fixture
async def stored(neovim: Editor) -> Editor:
    assert (await neovim.evaluate(neovim.open(PEOPLE)))["ok"]
    return neovim
