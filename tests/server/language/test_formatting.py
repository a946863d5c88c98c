"""Formatting by a command: what it changes, what goes wrong, and when it is offered at all."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lsprotocol import types

from lua_ls_persist.server.documents import Document
from lua_ls_persist.server.formatters import (
    NONE,
    STYLUA,
    Formatter,
    FormatterError,
    formatted,
    formatter_of,
    replacements,
)
from lua_ls_persist.server.positions import Range
from tests.server.editor import PROFILES, Editor, at, within

UPPER = "import sys; sys.stdout.write(sys.stdin.read().replace('bad', 'good'))"
SHOW = "import sys; sys.stdin.read(); sys.stdout.write(' '.join(sys.argv[1:]))"
FAIL = "import sys; sys.stdin.read(); sys.exit('line 3 is wrong')"
HANG = "import time; time.sleep(600)"


def python(code: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", code, *arguments]


def document(text: str) -> Document:
    return Document.of_text("file:///project/main.lua", text)


async def result(command: list[str], text: str, range_: Range | None = None) -> str:
    given = document(text)
    changes = await formatted(formatter_of(command), given, range_)
    rows = text.split("\n")
    assert len(changes) == 1
    assert changes[0].range == Range.of(0, 0, len(rows) - 1, len(rows[-1]))
    return changes[0].text


async def test_what_the_command_gets() -> None:
    assert await result(python(SHOW, "{file}"), "x = 1") == "/project/main.lua"
    part = Range.of(0, 1, 1, 2)
    assert await result(python(SHOW, "{start}-{end}"), "🙂\nfoo", part) == "4-7"


@pytest.mark.parametrize(
    ("command", "limit_s", "message"),
    [
        (python(FAIL), 60, "did not format: line 3 is wrong"),
        (python(HANG), 0.05, "took longer than 0.05 s"),
        (["/no/such/formatter"], 60, "Cannot start the formatter '/no/such/formatter'"),
        (python("import sys; sys.stdout.buffer.write(bytes([255]))"), 60, "what is no text"),
    ],
)
async def test_what_goes_wrong(command: list[str], limit_s: float, message: str) -> None:
    with pytest.raises(FormatterError, match=message):
        await formatted(formatter_of(command), document("x"), time_limit_s=limit_s)


def test_which_command_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert formatter_of(None) == NONE
    assert formatter_of([]) == NONE
    assert formatter_of(["fmt"]) == Formatter(("fmt",), None)
    assert formatter_of(["fmt", "{start}"]) == Formatter(None, ("fmt", "{start}"))
    monkeypatch.setattr(shutil, "which", lambda name: f"/usr/bin/{name}")
    assert formatter_of(None).whole == STYLUA
    assert formatter_of([]) == NONE


LINES = st.lists(st.sampled_from(["", "a", "b", "🙂"]), max_size=8).map("\n".join)


@given(LINES, LINES)
def test_replacements_make_the_new_text(old: str, new: str) -> None:
    given = document(old)
    text = old
    for change in reversed(replacements(given, new)):
        start = len(given.text(Range.of(0, 0, change.range.start.row, change.range.start.column)))
        end = len(given.text(Range.of(0, 0, change.range.end.row, change.range.end.column)))
        text = text[:start] + change.text + text[end:]
    assert text == new


async def format_(editor: Editor, uri: str) -> Any:
    options = types.FormattingOptions(tab_size=2, insert_spaces=True)
    return await within(
        editor.client.text_document_formatting_async(
            types.DocumentFormattingParams(types.TextDocumentIdentifier(uri), options)
        )
    )


def offered(editor: Editor) -> bool:
    assert editor.result is not None
    static = editor.result.capabilities.document_formatting_provider
    methods = {one.method for one in editor.client.registered}
    return bool(static) or types.TEXT_DOCUMENT_FORMATTING in methods


@pytest.mark.parametrize("profile", PROFILES)
async def test_documents_are_formatted(unstarted: Editor, profile: str) -> None:
    editor = unstarted
    await editor.start(profile, options={"formatter": python(UPPER)})
    uri = editor.open("🙂 = good\nx = bad\ny = good\n")
    edits = await format_(editor, uri)
    assert [(one.range, one.new_text) for one in edits] == [(at(1, 0, 2, 0), "x = good\n")]
    assert offered(editor)


@pytest.mark.parametrize("profile", PROFILES)
async def test_nothing_is_offered_where_nothing_formats(unstarted: Editor, profile: str) -> None:
    await unstarted.start(profile, options={"formatter": []})
    uri = unstarted.open("x = 1")
    assert await format_(unstarted, uri) is None
    assert not offered(unstarted)
    (message,) = [one.message for one in unstarted.client.messages]
    assert message.startswith("There is nothing that formats")


async def test_an_error_is_shown(unstarted: Editor) -> None:
    await unstarted.start("neovim", options={"formatter": python(FAIL)})
    assert await format_(unstarted, unstarted.open("x = 1")) is None
    (message,) = [one.message for one in unstarted.client.messages]
    assert message.endswith("did not format: line 3 is wrong")


async def test_no_command_is_run_that_is_not_trusted(unstarted: Editor, tmp_path: Path) -> None:
    made = tmp_path / "made"
    code = f"open({str(made)!r}, 'w')"
    await unstarted.start("neovim", options={"formatter": python(code), "trusted": False})
    assert await format_(unstarted, unstarted.open("x = 1")) is None
    assert not made.exists()
