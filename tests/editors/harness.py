"""Runs real editors, headless, with the configurations that the documentation recommends."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
DOCUMENTS = ROOT / "docs" / "editors"
TIMEOUT_S = 120
MAY_BE_MISSING = not os.environ.get("CI")
"""Whether tests of an editor that is not installed are left out. CI installs all of them."""
PROGRAM = """\
--- Greets somebody.
function greet(name)
  return "Hello, " .. name
end

users = ext.table("users")
users.ann = { name = "Ann", age = 41 }
users.bob = { name = "Bob", age = 17 }
Memory.count = (Memory.count or 0) + 1
print("count", Memory.count)
"""


def code_blocks(name: str) -> list[str]:
    """The blocks of code on a page of the editors' documentation."""
    text = (DOCUMENTS / name).read_text(encoding="utf-8")
    return re.findall(r"^```\w+\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def prepared(folder: Path, configuration: str, suffix: str) -> Path:
    """A workspace with a program, a home folder, and a `lua-ls-persist` on its path; its file."""
    (folder / ".lua-persist").mkdir(exist_ok=True)
    (folder / "main.lua").write_text(PROGRAM, encoding="utf-8")
    home = folder / "home"
    home.mkdir(exist_ok=True)
    file = home / f"configuration{suffix}"
    file.write_text(configuration, encoding="utf-8")
    program = home / "lua-ls-persist"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m lua_ls_persist "$@"\n')
    program.chmod(0o755)
    return file


def run_editor(
    command: Sequence[str | Path], folder: Path, environment: Mapping[str, str] | None = None
) -> Any:
    """What an editor's script saw: the last line of its output, as JSON."""
    home = folder / "home"
    path = os.pathsep.join([str(home), os.environ["PATH"]])
    python_path = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))
    run = subprocess.run(
        command,
        env={**os.environ, "HOME": str(home), "PATH": path, "PYTHONPATH": python_path}
        | dict(environment or {}),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert run.returncode == 0, run.stderr + run.stdout
    return json.loads(run.stdout.strip().splitlines()[-1])
