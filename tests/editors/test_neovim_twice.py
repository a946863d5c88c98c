"""Two Neovims, headless: one of today, and the oldest that Debian has; what a restart keeps."""

from __future__ import annotations

import re
import shutil
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from tests.editors.checks import SeenTwice
from tests.editors.harness import MAY_BE_MISSING, code_blocks, prepared, run_editor

SCRIPT = Path(__file__).parent / "neovim" / "twice.lua"
OLD = shutil.which("nvim", path="/usr/bin")
PACKAGED = shutil.which("nvim", path=sysconfig.get_path("scripts"))


def version(program: str | None) -> tuple[int, int]:
    """The version of a Neovim; zeros without one."""
    if program is None:
        return (0, 0)
    run = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    found = re.search(r"NVIM v(\d+)\.(\d+)", run.stdout)
    return (0, 0) if found is None else (int(found[1]), int(found[2]))


@pytest.fixture(
    scope="module",
    params=[
        pytest.param(
            (OLD, 1),
            id="0.7 to 0.10",
            marks=pytest.mark.skipif(
                not (0, 7) <= version(OLD) < (0, 11) and MAY_BE_MISSING,
                reason="the system has no Neovim of 0.7 to 0.10; on Debian 12: neovim",
            ),
        ),
        pytest.param(
            (PACKAGED, 0),
            id="0.11",
            marks=pytest.mark.skipif(
                PACKAGED is None, reason="the packaged Neovim exists for Linux on x86-64"
            ),
        ),
    ],
)
def twice(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """What was seen in a Neovim, and in another one after it."""
    program, block = request.param
    folder = tmp_path_factory.mktemp("neovim")
    file = prepared(folder, code_blocks("neovim.md")[block], ".lua")
    command = [program, "--headless", "--clean", "-c", f"luafile {SCRIPT}"]
    more = {"CONFIGURATION": str(file), "FOLDER": str(folder)}
    return [run_editor(command, folder, more) for _ in range(2)]


class TestNeovim(SeenTwice):
    """Everything that is seen twice."""

    def test_lenses(self, twice: list[Any]) -> None:
        for seen in twice:
            assert "Evaluate File" in seen["lenses"]
