"""A real Emacs in batch mode, with eglot and the configuration that we recommend."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.editors.checks import SeenTwice
from tests.editors.harness import MAY_BE_MISSING, code_blocks, prepared, run_editor

SCRIPT = Path(__file__).parent / "emacs" / "evaluate.el"
EMACS = shutil.which("emacs")

pytestmark = pytest.mark.skipif(
    EMACS is None and MAY_BE_MISSING,
    reason="Emacs is not installed; on Debian: emacs-nox elpa-eglot elpa-lua-mode",
)


@pytest.fixture(scope="module")
def twice(tmp_path_factory: pytest.TempPathFactory) -> list[Any]:
    """What was seen in an Emacs, and in another one after it."""
    folder = tmp_path_factory.mktemp("emacs")
    (configuration, *_) = code_blocks("emacs.md")
    file = prepared(folder, configuration, ".el")
    assert EMACS is not None
    command: list[str | Path] = [EMACS, "-q", "--batch", "-l", SCRIPT, file, folder]
    return [run_editor(command, folder) for _ in range(2)]


class TestEmacs(SeenTwice):
    """Everything that is seen twice."""
