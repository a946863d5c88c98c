"""What tests of the commands about stored data share: a session's file with something in it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Cli

SETUP = """
local calls = 0
function Memory.calculate(x, y, ...)
  calls = calls + 1
  return x * y + 100
end
function Memory.echo(...)
  print(...)
  return ...
end
function Memory.fail() error("planned") end
Memory.list = { 1, 2, 3 }
ext.table("users").ann = { name = "Ann" }
"""


@pytest.fixture
def db(cli: Cli, tmp_path: Path) -> Path:
    """A session's file with something in it."""
    (tmp_path / "setup.lua").write_text(SETUP, encoding="utf-8")
    assert cli("eval", "--db", "s.db", "setup.lua").status == 0
    return Path("s.db")


def json_of(cli: Cli, *arguments: str | Path, status: int = 0, stdin: bytes = b"") -> Any:
    result = cli(*arguments, "--json", stdin=stdin)
    assert (result.status, result.err) == (status, "")
    assert result.out.count("\n") == 1
    return json.loads(result.out)


def contents(cli: Cli, db: Path | str) -> str:
    return cli(
        "eval", "--db", db, "-e", "Memory.calculate(1, 2), Memory.list, ext.table('users')"
    ).out
