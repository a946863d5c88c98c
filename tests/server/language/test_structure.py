"""Outline, folds, selections, tokens and calls: under three clients."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lsprotocol import types

from lua_ls_persist.server.analysis import scopes_of
from lua_ls_persist.server.analysis.folding import folds_of
from lua_ls_persist.server.analysis.symbols import symbols_of
from lua_ls_persist.server.analysis.tokens import MODIFIERS, TYPES, tokens_of, within_rows
from lua_ls_persist.server.documents import Document
from lua_ls_persist.server.positions import Encoding
from tests.server.analysis.test_parsing import edits, texts
from tests.server.editor import Editor, at, within
from tests.server.language.checking import Opened, check


async def symbols(case: Opened) -> str:
    found = await within(
        case.editor.client.text_document_document_symbol_async(
            types.DocumentSymbolParams(case.document)
        )
    )
    lines: list[str] = []

    def show(symbol: types.DocumentSymbol, depth: int) -> None:
        text = case.case.main.document.text(case.range(case.case.main, symbol.selection_range))
        named = "" if text == symbol.name else f" as {text}"
        detail = f" {symbol.detail}" if symbol.detail else ""
        rows = f"{symbol.range.start.line}-{symbol.range.end.line}"
        lines.append(f"{'  ' * depth}{symbol.name}{detail}: {symbol.kind.name} {rows}{named}")
        for child in symbol.children or ():
            show(child, depth + 1)

    for symbol in found:
        show(symbol, 0)
    return "\n".join(lines)


async def folding(case: Opened) -> str:
    found = await within(
        case.editor.client.text_document_folding_range_async(
            types.FoldingRangeParams(case.document)
        )
    )
    return "\n".join(
        f"{fold.start_line}-{fold.end_line}"
        + (f" {getattr(fold.kind, 'value', fold.kind)}" if fold.kind else "")
        for fold in found
    )


async def selection(case: Opened) -> str:
    (found,) = await within(
        case.editor.client.text_document_selection_range_async(
            types.SelectionRangeParams(case.document, [case.position])
        )
    )
    texts = []
    while found is not None:
        texts.append(case.case.main.document.text(case.range(case.case.main, found.range)))
        found = found.parent
    return "\n".join(text.replace("\n", "⏎") for text in texts)


async def tokens(case: Opened) -> str:
    found = await within(
        case.editor.client.text_document_semantic_tokens_full_async(
            types.SemanticTokensParams(case.document)
        )
    )
    file = case.case.main
    lines = []
    for row, column, length, type_, modifiers in decoded(found.data):
        place = types.Range(types.Position(row, column), types.Position(row, column + length))
        names = [name for bit, name in enumerate(MODIFIERS) if modifiers & 1 << bit]
        text = file.document.text(case.range(file, place))
        lines.append(" ".join([f"{row}:{text}", TYPES[type_], *names]))
    return "\n".join(lines)


async def calls(case: Opened) -> str:
    client = case.editor.client
    items = await within(
        client.text_document_prepare_call_hierarchy_async(
            types.CallHierarchyPrepareParams(case.document, case.position)
        )
    )
    lines = []
    for item in items:
        lines.append(f"{item.name} {item.kind.name}")
        came = await within(
            client.call_hierarchy_incoming_calls_async(types.CallHierarchyIncomingCallsParams(item))
        )
        went = await within(
            client.call_hierarchy_outgoing_calls_async(types.CallHierarchyOutgoingCallsParams(item))
        )
        lines += [f"from {one.from_.name} {rows(one.from_ranges)}" for one in came]
        lines += [f"to {one.to.name} {rows(one.from_ranges)}" for one in went]
    return "\n".join(lines) or "nothing"


def rows(ranges: Any) -> str:
    return ",".join(str(range_.start.line) for range_ in ranges)


def decoded(data: Any) -> list[tuple[int, int, int, int, int]]:
    row = column = 0
    found = []
    for index in range(0, len(data), 5):
        rows, columns, length, type_, modifiers = data[index : index + 5]
        row += rows
        column = columns if rows else column + columns
        found.append((row, column, length, type_, modifiers))
    return found


@pytest.mark.parametrize("answer", [symbols, folding, selection, tokens, calls])
async def test_cases(editor: Editor, answer: Any) -> None:
    await check(editor, answer.__name__, answer)


async def test_tokens_after_an_edit_and_of_a_part(editor: Editor) -> None:
    lines = [f"local x{index} = f{index}(🙂)" for index in range(400)]
    uri = editor.open("\n".join(lines).replace("🙂", "'🙂', a"))
    document = types.TextDocumentIdentifier(uri)
    client = editor.client
    first = await within(
        client.text_document_semantic_tokens_full_async(types.SemanticTokensParams(document))
    )
    editor.insert(uri, 200, 0, "g(h) ")
    params = types.SemanticTokensDeltaParams(document, first.result_id)
    delta = await within(client.text_document_semantic_tokens_full_delta_async(params))
    (edit,) = delta.edits
    assert len(edit.data) < 30
    data = list(first.data)
    data[edit.start : edit.start + edit.delete_count] = edit.data
    again = await within(
        client.text_document_semantic_tokens_full_async(types.SemanticTokensParams(document))
    )
    assert data == list(again.data)
    old = await within(client.text_document_semantic_tokens_full_delta_async(params))
    assert list(old.data) == data, "the client names what the server does not have any more"
    part = await within(
        client.text_document_semantic_tokens_range_async(
            types.SemanticTokensRangeParams(document, at(100, 0, 110, 0))
        )
    )
    assert decoded(part.data) == [one for one in decoded(data) if 100 <= one[0] <= 110]


async def test_tokens_that_are_far_apart(neovim: Editor) -> None:
    uri = neovim.open("local a = 1" + "\n" * 1500 + "local b = a")
    params = types.SemanticTokensParams(types.TextDocumentIdentifier(uri))
    found = await within(neovim.client.text_document_semantic_tokens_full_async(params))
    assert [one[:3] for one in decoded(found.data)] == [(0, 6, 1), (1500, 6, 1), (1500, 10, 1)]
    assert found.result_id == "1"


@settings(max_examples=100, deadline=None)
@given(edits(), st.sampled_from(Encoding))
def test_tokens_that_are_kept_are_those_of_the_text(
    start: tuple[str, list[tuple[float, int, str]]], encoding: Encoding
) -> None:
    text, changes = start
    document = Document.of_text("file:///x.lua", text)
    for where, removed, inserted in changes:
        tokens_of(scopes_of(document), encoding)
        place = round(where * len(text))
        text = text[:place] + inserted + text[place + removed :]
        changed = Document.of_text("file:///x.lua", text)
        changed.basis = dict(document.derived)
        document = changed
        data = tokens_of(scopes_of(document), encoding)
        fresh = Document.of_text("file:///x.lua", text)
        assert data == tokens_of(scopes_of(fresh), encoding)
        places = [(row, column) for row, column, *_ in decoded(data)]
        assert places == sorted(set(places))
        assert decoded(within_rows(data, 1, 3)) == [
            one for one in decoded(data) if 1 <= one[0] <= 3
        ]


@settings(max_examples=60, deadline=None)
@given(texts())
def test_outlines_and_folds_of_anything(text: str) -> None:
    document = Document.of_text("file:///x.lua", text)
    length = len(document.source)
    for symbol in symbols_of(document):
        for inner, _ in symbol.walk():
            assert 0 <= inner.start <= inner.name_start <= inner.name_end <= inner.end <= length
    for fold in folds_of(scopes_of(document)):
        assert 0 <= fold.first < fold.last < document.row_count
