"""A real Neovim, headless, with its own LSP client and the configuration that we recommend."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from lua_ls_persist._version import __version__
from tests.editors.harness import code_blocks

SCRIPT = Path(__file__).parent / "neovim" / "evaluate.lua"
CONFIGURATION = Path(__file__).parents[2] / "docs" / "editors" / "neovim.md"
NVIM = Path(sysconfig.get_path("scripts")) / "nvim"
TIMEOUT_S = 90


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What the script in Neovim saw."""
    folder = tmp_path_factory.mktemp("neovim")
    (folder / ".lua-persist").mkdir()
    (folder / "main.lua").write_text(
        'answer = 42 print("😀", answer)\n\nlocal y = "😀" .. missing.field\n', encoding="utf-8"
    )
    home = folder / "home"
    home.mkdir()
    (configuration, _) = code_blocks("neovim.md")
    (home / "configuration.lua").write_text(configuration, encoding="utf-8")
    program = home / "lua-ls-persist"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m lua_ls_persist "$@"\n')
    program.chmod(0o755)
    paths = os.pathsep.join([str(home), os.environ["PATH"]])
    root = str(CONFIGURATION.parents[2])
    pythonpath = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
    run = subprocess.run(
        [NVIM, "--headless", "--clean", "-l", SCRIPT, home / "configuration.lua", folder],
        env={**os.environ, "HOME": str(home), "PATH": paths, "PYTHONPATH": pythonpath},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert run.returncode == 0, run.stderr + run.stdout
    return json.loads(run.stdout.strip().splitlines()[-1])


pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux") or not NVIM.exists(),
    reason="the packaged Neovim exists for Linux on x86-64",
)


def test_it_is_us(seen: Any) -> None:
    assert seen["server"] == {"name": "lua-ls-persist", "version": __version__}
    assert seen["encoding"] == "utf-8"


def test_the_error_is_where_it_belongs(seen: Any) -> None:
    assert seen["failed"] is False
    (diagnostic,) = seen["diagnostics"]
    line = 'local y = "😀" .. missing.field'
    start = len(line[: line.index("missing")].encode())
    assert (diagnostic["line"], diagnostic["col"], diagnostic["end_col"]) == (
        2,
        start,
        start + len("missing"),
    )
    assert diagnostic["message"] == "attempt to index a nil value (global 'missing')"


def test_output_and_result_stand_behind_the_code(seen: Any) -> None:
    assert seen["hints"] == [{"line": 0, "label": "» 😀 42"}]
    assert seen["mended_hints"] == [
        {"line": 0, "label": "» 😀 42"},
        {"line": 2, "label": "=> 42"},
    ]


def test_the_keys_of_the_configuration(seen: Any) -> None:
    assert seen["by_keys"] == [{"line": 0, "label": "=> 42"}, {"line": 2, "label": "=> 42"}]


def test_lenses(seen: Any) -> None:
    assert seen["lenses"] == ["Evaluate File", "Run", "Run Above"]


def test_syntax_errors_as_they_are_typed(seen: Any) -> None:
    (diagnostic,) = seen["syntax"]
    assert diagnostic["message"] == "unexpected symbol near 'return'"
    assert (diagnostic["line"], diagnostic["col"], diagnostic["end_col"]) == (2, 7, 13)
