"""Beside another Lua server, what the source alone tells is left to it."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from lsprotocol import types

from tests.server.editor import Editor, at, within

TEXT = 'local x = require("m")\nfunction f()\n  return x\nend\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "m.lua").write_text("function in_a_module() end\n")
    return tmp_path


async def answers(editor: Editor) -> dict[str, bool]:
    """Which features have something to say about the text."""
    client = editor.client
    document = types.TextDocumentIdentifier(editor.open(TEXT))
    place = types.Position(2, 9)
    options = types.FormattingOptions(2, True)
    found = {
        "definition": client.text_document_definition_async(
            types.DefinitionParams(document, place)
        ),
        "references": client.text_document_references_async(
            types.ReferenceParams(types.ReferenceContext(True), document, place)
        ),
        "highlight": client.text_document_document_highlight_async(
            types.DocumentHighlightParams(document, place)
        ),
        "prepare": client.text_document_prepare_rename_async(
            types.PrepareRenameParams(document, place)
        ),
        "rename": client.text_document_rename_async(types.RenameParams(document, place, "y")),
        "outline": client.text_document_document_symbol_async(types.DocumentSymbolParams(document)),
        "symbols": client.workspace_symbol_async(types.WorkspaceSymbolParams("f")),
        "folding": client.text_document_folding_range_async(types.FoldingRangeParams(document)),
        "selection": client.text_document_selection_range_async(
            types.SelectionRangeParams(document, [place])
        ),
        "links": client.text_document_document_link_async(types.DocumentLinkParams(document)),
        "calls": client.text_document_prepare_call_hierarchy_async(
            types.CallHierarchyPrepareParams(document, types.Position(1, 9))
        ),
        "formatting": client.text_document_formatting_async(
            types.DocumentFormattingParams(document, options)
        ),
    }
    answered = {name: bool(await within(answer)) for name, answer in found.items()}
    tokens = await within(
        client.text_document_semantic_tokens_range_async(
            types.SemanticTokensRangeParams(document, at(0, 0, 9, 0))
        )
    )
    return answered | {"tokens": bool(tokens.data)}


@pytest.mark.parametrize(("beside", "answer"), [("yes", False), ("no", True)])
async def test_all_features(folder: Path, unstarted: Editor, beside: str, answer: bool) -> None:
    code = "import sys; sys.stdout.write(sys.stdin.read() + ' ')"
    formatter = [sys.executable, "-c", code]
    await unstarted.start("neovim", options={"besideLuaServer": beside, "formatter": formatter})
    assert await answers(unstarted) == dict.fromkeys(await answers(unstarted), answer)
