"""A session with functions and tables to look at, on a file and in memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lua_ls_persist.session import Session

SETUP = """
local calls, seen = 0, { "first" }
function Memory.calculate(x, y, ...)
  calls = calls + 1
  seen[calls + 1] = { x, y }
  return x * y + 100
end
Memory.lib = { deep = { fail = function(message)
  error(message)
end } }
Memory.echo = function(...) return ... end
Memory.callable = setmetatable({}, { __call = function(_, x) return x end })
"""


@pytest.fixture(params=["on a file", "in memory"])
def filled(request: pytest.FixtureRequest, path: Path) -> Iterator[Session]:
    with Session.open(path if request.param == "on a file" else None) as session:
        assert session.evaluate(SETUP, name="lib.lua", line=10).ok
        yield session
