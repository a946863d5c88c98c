"""A real Emacs in batch mode, with eglot and the configuration that we recommend."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

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


def test_results_are_shown(twice: list[Any]) -> None:
    for number, seen in enumerate(twice, 1):
        assert f"10 » count {number}" in seen["shown"]


def test_everything_is_still_there(twice: list[Any]) -> None:
    assert [seen["count"] for seen in twice] == ["1", "2"]


def test_hover_tells_of_the_live_function(twice: list[Any]) -> None:
    for seen in twice:
        assert "greet(name)" in seen["hover"]
        assert "Greets somebody." in seen["hover"]


def test_completion_of_the_fields_of_a_row(twice: list[Any]) -> None:
    for seen in twice:
        assert "name" in seen["completion"]


def test_actions_stand_in_for_lenses(twice: list[Any]) -> None:
    for seen in twice:
        assert {"Evaluate Top-Level Form", "Evaluate File"} <= set(seen["actions"])


def test_a_query(twice: list[Any]) -> None:
    assert [seen["rows"] for seen in twice] == [["ann"], ["ann"]]


def test_an_error_is_where_it_belongs(twice: list[Any]) -> None:
    for seen in twice:
        assert seen["errors"] == ["2 attempt to index a nil value (global 'missing')"]
