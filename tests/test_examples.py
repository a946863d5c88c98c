"""Every file in `lua/examples` does what its comments say, through each door of the product.

`tests/expectations.py` explains the comments. Each file is evaluated twice: in one session, and
with a restart in between. The second time is the same either way.

A file in a folder below is a module for `require`, and no example.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from lua_ls_persist.jsonable import evaluation_to_json
from lua_ls_persist.server.documents import Document
from lua_ls_persist.server.toplevel import code_of
from lua_ls_persist.session import Session
from tests.expectations import VALUES, Expected, check, expectations
from tests.project.files import ROOT
from tools.editor import View, open_folder

FOLDER = ROOT / "lua" / "examples"
EXAMPLES = sorted(FOLDER.glob("*.lua"))


def test_there_are_examples() -> None:
    sources = [path.read_text(encoding="utf-8") for path in EXAMPLES]
    assert len(sources) >= 15
    assert sum("-- expect again: " in source for source in sources) >= 8


def evaluate(session: Session, path: Path, source: str) -> dict[str, Any]:
    return evaluation_to_json(session.evaluate(source, name=path.name))


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_twice_in_one_session(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    with Session.open(folders=[FOLDER]) as session:
        check(source, evaluate(session, path, source))
        check(source, evaluate(session, path, source), again=True)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_as_a_document_whose_locals_last(path: Path) -> None:
    """What is added to a source for that changes nothing of what it does."""
    source = path.read_text(encoding="utf-8")
    described = code_of(Document.of_text(path.as_uri(), source), None, "document")
    assert described is not None
    with Session.open(folders=[FOLDER]) as session:
        for again in (False, True):
            evaluation = session.submit_document(*described, name=path.name).result()
            check(source, evaluation_to_json(evaluation), again=again)


@pytest.mark.parametrize("resume", [True, False], ids=["from its image", "from what is stored"])
@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_with_a_restart_in_between(path: Path, resume: bool, tmp_path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    for again in (False, True):
        file = tmp_path / "session.db"
        with Session.open(file, folders=[FOLDER], resume=resume) as session:
            # A failed evaluation leaves nothing to go on from.
            fails = expectations(source).error is not None
            assert session.resumed == (again and resume and not fails)
            check(source, evaluate(session, path, source), again=again)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_twice_in_a_terminal(path: Path, tmp_path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    for again in (False, True):
        run = subprocess.run(
            [sys.executable, "-m", "lua_ls_persist", "eval", "--json", "--db",
             str(tmp_path / "session.db"), str(path)],
            capture_output=True,
            text=True,
            check=False,
            cwd=ROOT,
        )  # fmt: skip
        result = json.loads(run.stdout)
        check(source, result, again=again)
        assert run.returncode == (0 if result["ok"] else 1), run.stderr


def test_twice_in_an_editor(tmp_path: Path) -> None:
    """All of them in one session, one after the other, as a person would try them."""

    async def evaluate_all() -> dict[Path, View]:
        settings = {"databasePath": str(tmp_path / "session.db")}
        async with open_folder(FOLDER, settings=settings) as editor:
            for path in EXAMPLES:
                editor.open(path)
            return {path: await editor.evaluate(path) for path in EXAMPLES}

    for again in (False, True):
        views = asyncio.run(asyncio.wait_for(evaluate_all(), 60))
        for path, view in views.items():
            source = path.read_text(encoding="utf-8")
            check(source, view.result, again=again)
            expected = expectations(source, again=again)
            if expected.error is None:
                assert view.diagnostics == []
                assert [text for _, text in view.hints if VALUES in text] != []
            else:
                lines = [item.range.start.line + 1 for item in view.diagnostics]
                assert lines == [expected.error[0]]


@pytest.mark.parametrize(
    ("result", "words"),
    [
        ({"ok": True, "text": "2", "output": [], "problems": []}, "'2' == '3'"),
        (
            {"ok": True, "text": "3", "output": [{"text": "x\n", "line": 1}], "problems": []},
            r"\['x'\] == \[\]",
        ),
        (
            {"ok": False, "text": "", "output": [], "problems": [{"line": 1, "message": "no"}]},
            "'no'",
        ),
    ],
)
def test_the_check_sees_a_difference(result: dict[str, Any], words: str) -> None:
    with pytest.raises(AssertionError, match=words):
        check("return 1 + 2 -- expect: => 3", result)


AGAIN = """
print(1) -- expect: 1
-- expect again: 2
-- expect again: 3
print(4) -- expect: 4
return 5 -- expect: => 5
-- expect again: => 6
"""


def test_a_second_time_has_its_own_expectations() -> None:
    assert expectations(AGAIN) == Expected([("1", 2), ("4", 5)], "5", None)
    assert expectations(AGAIN, again=True) == Expected(
        [("2", None), ("3", None), ("4", 5)], "6", None
    )
