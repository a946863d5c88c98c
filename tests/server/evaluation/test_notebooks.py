"""Notebooks: cells are chunks with their own diagnostics, hints and names."""

from __future__ import annotations

from typing import Any

import pytest
from lsprotocol import types

from lua_ls_persist import Session
from tests.server.editor import PROFILES, Editor, at, wanting, within

LUA = "lua"
Code = types.NotebookCellKind.Code


class Notebook:
    """A notebook in a client, with cells by their names."""

    def __init__(self, editor: Editor, name: str = "notes.luanb") -> None:
        self.editor = editor
        self.uri = editor.uri(name)
        self.version = 1

    def cell(self, name: str) -> str:
        return self.uri.replace("file:", "vscode-notebook-cell:") + f"#{name}"

    def _cells(self, names: list[str]) -> list[types.NotebookCell]:
        return [types.NotebookCell(Code, self.cell(name)) for name in names]

    def _items(self, texts: dict[str, str]) -> list[types.TextDocumentItem]:
        return [
            types.TextDocumentItem(self.cell(name), LUA, 1, text) for name, text in texts.items()
        ]

    def open(self, **texts: str) -> None:
        self.editor.client.notebook_document_did_open(
            types.DidOpenNotebookDocumentParams(
                types.NotebookDocument(self.uri, "lua-book", 1, self._cells(list(texts))),
                self._items(texts),
            )
        )

    def _change(self, cells: types.NotebookDocumentCellChanges) -> None:
        self.version += 1
        self.editor.client.notebook_document_did_change(
            types.DidChangeNotebookDocumentParams(
                types.VersionedNotebookDocumentIdentifier(self.version, self.uri),
                types.NotebookDocumentChangeEvent(cells=cells),
            )
        )

    def replace(
        self, start: int, removed: list[str], *, moved: tuple[str, ...] = (), **added: str
    ) -> None:
        """Other cells for some: `added` are new, `moved` are there already."""
        gone = [types.TextDocumentIdentifier(self.cell(name)) for name in removed]
        self._change(
            types.NotebookDocumentCellChanges(
                structure=types.NotebookDocumentCellChangeStructure(
                    array=types.NotebookCellArrayChange(
                        start, len(removed), self._cells([*added, *moved])
                    ),
                    did_open=self._items(added),
                    did_close=[one for one in gone if one.uri not in map(self.cell, moved)],
                )
            )
        )

    def edit(self, name: str, range_: types.Range, text: str) -> None:
        self._change(
            types.NotebookDocumentCellChanges(
                text_content=[
                    types.NotebookDocumentCellContentChanges(
                        types.VersionedTextDocumentIdentifier(self.version + 1, self.cell(name)),
                        [types.TextDocumentContentChangePartial(range_, text)],
                    )
                ]
            )
        )

    def close(self, *names: str) -> None:
        self.editor.client.notebook_document_did_close(
            types.DidCloseNotebookDocumentParams(
                types.NotebookDocumentIdentifier(self.uri),
                [types.TextDocumentIdentifier(self.cell(name)) for name in names],
            )
        )

    def save(self) -> None:
        self.editor.client.notebook_document_did_save(
            types.DidSaveNotebookDocumentParams(types.NotebookDocumentIdentifier(self.uri))
        )

    async def evaluate(self, name: str) -> Any:
        return await self.editor.evaluate(self.cell(name))


def with_notebooks(capabilities: types.ClientCapabilities) -> None:
    capabilities.notebook_document = types.NotebookDocumentClientCapabilities(
        types.NotebookDocumentSyncClientCapabilities()
    )


@pytest.fixture(params=PROFILES)
async def notebook(request: pytest.FixtureRequest, unstarted: Editor) -> Notebook:
    await unstarted.start(request.param, adapt=with_notebooks)
    return Notebook(unstarted)


async def test_it_is_advertised(notebook: Notebook) -> None:
    assert notebook.editor.result is not None
    sync = notebook.editor.result.capabilities.notebook_document_sync
    assert isinstance(sync, types.NotebookDocumentSyncOptions)
    assert sync.save
    (selector,) = sync.notebook_selector
    assert list(selector.cells or ()) == [types.NotebookCellLanguage(LUA)]


async def test_cells_are_chunks(notebook: Notebook) -> None:
    editor = notebook.editor
    notebook.open(a="x = 20\nreturn x", b="print(x + 1)", c="\nerror('no')")
    assert (await notebook.evaluate("a"))["text"] == "20"
    result = await notebook.evaluate("b")
    assert result["output"] == [
        {
            "text": "21\n",
            "stream": "stdout",
            "chunk": "notes.luanb[2]",
            "line": 1,
            "uri": notebook.cell("b"),
        }
    ]
    (problem,) = (await notebook.evaluate("c"))["problems"]
    assert (problem["chunk"], problem["line"]) == ("notes.luanb[3]", 2)
    assert await editor.hints(notebook.cell("a")) == ["1 => 20"]
    assert await editor.hints(notebook.cell("b")) == ["0 » 21", "0 ✓"]
    assert editor.shown(notebook.cell("c")) == ["1:0-11 Error no"]
    assert editor.shown(notebook.cell("a")) == []


async def test_the_session_is_that_of_the_folder(notebook: Notebook) -> None:
    notebook.open(a="x = 'of the folder'")
    await notebook.evaluate("a")
    uri = notebook.editor.open("return x")
    assert (await notebook.editor.evaluate(uri))["text"] == '"of the folder"'


async def test_syntax_is_checked_while_typing(notebook: Notebook) -> None:
    editor = notebook.editor
    notebook.open(a="x = 1", b="x = 2")
    await editor.diagnostics(notebook.cell("a"), lambda found: not found)
    notebook.edit("a", at(0, 4, 0, 5), "= 1")
    await editor.diagnostics(notebook.cell("a"), lambda found: len(found) == 1)
    assert editor.shown(notebook.cell("b")) == []
    notebook.edit("a", at(0, 4, 0, 7), "7")
    await editor.diagnostics(notebook.cell("a"), lambda found: not found)
    await notebook.evaluate("a")
    assert (await editor.run("evaluateText", {"text": "x"}))["text"] == "7"


async def test_cells_come_and_go(notebook: Notebook) -> None:
    editor = notebook.editor
    notebook.open(a="function f() error('from a') end", b="return 2")
    await notebook.evaluate("a")
    await notebook.evaluate("b")
    notebook.replace(0, [], new="f()")
    # What was evaluated keeps its name; a new cell has one that is free.
    (problem,) = (await notebook.evaluate("new"))["problems"]
    assert (problem["chunk"], problem["uri"]) == ("notes.luanb[1]", notebook.cell("a"))
    assert problem["traceback"][-1]["chunk"] == "notes.luanb[3]"
    assert editor.shown(notebook.cell("a")) == ["0:13-28 Error from a"]
    # Moved: it is another place for the same cell.
    notebook.replace(1, ["a", "b"], moved=("b", "a"))
    assert await editor.hints(notebook.cell("b")) == ["0 => 2"]
    notebook.replace(1, ["b"])
    await editor.run("status")  # An answer: what was sent before has arrived.
    assert await editor.hints(notebook.cell("b")) == []
    notebook.close("new", "a")
    await editor.diagnostics(notebook.cell("a"), lambda found: not found)


async def test_cells_are_known_by_their_place_after_a_restart(notebook: Notebook) -> None:
    """A function that was stored by another server names the cell as it was called there."""
    file = notebook.editor.folder / ".lua-persist" / "session.db"
    file.parent.mkdir()
    with Session.open(file) as session:
        session.evaluate("\nfunction Memory.f() error('no') end", name="notes.luanb[2]")
    (notebook.editor.folder / "notes.luanb").write_text("")
    notebook.open(a="Memory.f()", b="\nfunction Memory.f() error('no') end")
    (problem,) = (await notebook.evaluate("a"))["problems"]
    assert (problem["chunk"], problem["line"]) == ("notes.luanb[2]", 2)
    assert problem["uri"] == notebook.cell("b")


async def test_two_notebooks(notebook: Notebook) -> None:
    one, other = notebook, Notebook(notebook.editor, "deep/notes.luanb")
    one.open(a="error('one')")
    other.open(a="error('other')")
    assert (await one.evaluate("a"))["problems"][0]["chunk"] == "notes.luanb[1]"
    assert (await other.evaluate("a"))["problems"][0]["chunk"] == "deep/notes.luanb[1]"


# Evaluating when it is saved


def as_it_runs(capabilities: types.ClientCapabilities) -> None:
    with_notebooks(capabilities)
    wanting("evaluation")(capabilities)


async def evaluated(editor: Editor, count: int) -> list[str]:
    """The names of the cells that were evaluated, once there are so many."""
    while len(editor.client.evaluations) < count:
        await within(editor.client.wait_for_notification("luaPersist/evaluation"))
    return [str(one.uri).rpartition("#")[2] for one in editor.client.evaluations]


@pytest.mark.parametrize("profile", PROFILES)
async def test_cells_are_evaluated_when_the_notebook_is_saved(
    unstarted: Editor, profile: str
) -> None:
    await unstarted.start(profile, options={"evaluateOnSave": "file"}, adapt=as_it_runs)
    notebook = Notebook(unstarted)
    notebook.open(a="n = (n or 0) + 1", b="n = n * 10\nreturn n")
    notebook.save()
    assert await evaluated(unstarted, 2) == ["a", "b"]
    assert await unstarted.hints(notebook.cell("b")) == ["1 => 10"]
    notebook.replace(0, [], new="n = 5")
    notebook.save()
    assert await evaluated(unstarted, 5) == ["a", "b", "new", "a", "b"]
    assert await unstarted.hints(notebook.cell("b")) == ["1 => 60"]


async def test_a_cell_that_fails_is_the_last_one(unstarted: Editor) -> None:
    await unstarted.start("neovim", options={"evaluateOnSave": "file"}, adapt=as_it_runs)
    notebook = Notebook(unstarted)
    notebook.open(a="n = 1", b="error('no')", c="n = 3")
    notebook.save()
    assert await evaluated(unstarted, 2) == ["a", "b"]
    assert (await unstarted.run("evaluateText", {"text": "n"}))["text"] == "1"
    assert unstarted.shown(notebook.cell("b")) == ["0:0-11 Error no"]


@pytest.mark.parametrize("options", [None, {"evaluateOnSave": "file", "trusted": False}])
async def test_nothing_is_evaluated_unasked(
    unstarted: Editor, options: dict[str, Any] | None
) -> None:
    await unstarted.start("neovim", options=options, adapt=with_notebooks)
    notebook = Notebook(unstarted)
    notebook.open(a="n = 1")
    notebook.save()
    unstarted.client.protocol.notify("luaPersist/trusted", {"trusted": True})
    assert (await unstarted.run("evaluateText", {"text": "n"}))["text"] == "nil"
