"""The oldest Neovim that Debian still has, headless, with the configuration for such versions."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.editors.checks import SeenTwice
from tests.editors.harness import MAY_BE_MISSING, code_blocks, prepared, run_editor

SCRIPT = Path(__file__).parent / "neovim" / "evaluate_0_7.lua"
NVIM = shutil.which("nvim", path="/usr/bin")


def version() -> tuple[int, int] | None:
    """The version of the system's Neovim; None without one."""
    if NVIM is None:
        return None
    run = subprocess.run([NVIM, "--version"], capture_output=True, text=True, check=True)
    found = re.search(r"NVIM v(\d+)\.(\d+)", run.stdout)
    return None if found is None else (int(found[1]), int(found[2]))


pytestmark = pytest.mark.skipif(
    not (0, 7) <= (version() or (0, 0)) < (0, 11) and MAY_BE_MISSING,
    reason="the system has no Neovim of 0.7 to 0.10; on Debian 12: neovim",
)


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """What was seen in a Neovim, and in another one after it."""
    folder = tmp_path_factory.mktemp("neovim")
    (_, configuration) = code_blocks("neovim.md")
    file = prepared(folder, configuration, ".lua")
    assert NVIM is not None
    command = [NVIM, "--headless", "--clean", "-c", f"luafile {SCRIPT}"]
    more = {"CONFIGURATION": str(file), "FOLDER": str(folder)}
    return [run_editor(command, folder, more) for _ in range(2)]


class TestOldNeovim(SeenTwice):
    """Everything that is seen twice."""


def test_lenses(twice: list[Any]) -> None:
    for seen in twice:
        assert "Evaluate File" in seen["lenses"]
