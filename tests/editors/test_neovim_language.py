"""What the source tells, in a real Neovim with the configuration that we recommend."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from tests.editors.harness import code_blocks, prepared, run_editor

SCRIPT = Path(__file__).parent / "neovim" / "language.lua"
NVIM = Path(sysconfig.get_path("scripts")) / "nvim"
MAIN = """\
local m = require("lib")
function total(sum)
  return "🙂", sum + print(sum)
end
print(m.double(1))
"""
MODULE = """\
local M = {}
function M.double(x) return 2 * x end
return M
"""

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux") or not NVIM.exists(),
    reason="the packaged Neovim exists for Linux on x86-64",
)


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """What the script in Neovim saw."""
    folder = tmp_path_factory.mktemp("language")
    (block, _) = code_blocks("neovim.md")
    configuration = prepared(folder, block, ".lua")
    (folder / "main.lua").write_text(MAIN, encoding="utf-8")
    (folder / "lib.lua").write_text(MODULE, encoding="utf-8")
    return run_editor([NVIM, "--headless", "--clean", "-l", SCRIPT, configuration, folder], folder)


def test_the_definition_in_another_file(seen: Any) -> None:
    assert seen["definition"] == ["lib.lua", 2, MODULE.split("\n")[1].index("double")]


def test_highlights(seen: Any) -> None:
    columns = [len("  return '🙂', ".encode()), len("  return '🙂', sum + print(".encode())]
    declared = len("function total(")
    assert sorted(seen["highlights"]) == [
        [1, declared, "LspReferenceWrite"],
        [2, columns[0], "LspReferenceRead"],
        [2, columns[1], "LspReferenceRead"],
    ]


def test_semantic_tokens(seen: Any) -> None:
    parameter, function = seen["tokens"]
    assert parameter == ["parameter", []]
    assert [function[0], sorted(function[1])] == ["function", ["defaultLibrary", "static"]]


def test_renames(seen: Any) -> None:
    main = MAIN.replace("sum", "amount").replace("double", "twofold")
    assert seen["renamed"] == main.split("\n")[:-1]
    assert seen["renamed_module"] == MODULE.replace("double", "twofold").split("\n")[:-1]


def test_folds_and_the_outline(seen: Any) -> None:
    assert seen["folds"] == [0, 1, 1, 0, 0]
    assert seen["outline"] == ["m", "total"]
