"""Definition, references, highlight, rename, links: under three clients."""

from __future__ import annotations

from typing import Any

import pytest
from lsprotocol import types

from tests.server.editor import Editor, within
from tests.server.language.checking import Opened, check


async def definition(case: Opened) -> str:
    found = await within(
        case.editor.client.text_document_definition_async(
            types.DefinitionParams(case.document, case.position)
        )
    )
    assert isinstance(found, list) or found is None
    return case.ranges((location.uri, location.range) for location in found or ())


async def references(case: Opened) -> str:
    found = await within(
        case.editor.client.text_document_references_async(
            types.ReferenceParams(
                types.ReferenceContext(case.case.given != "without declaration"),
                case.document,
                case.position,
            )
        )
    )
    return case.ranges((location.uri, location.range) for location in found or ())


async def highlight(case: Opened) -> str:
    found = await within(
        case.editor.client.text_document_document_highlight_async(
            types.DocumentHighlightParams(case.document, case.position)
        )
    )
    if case.case.expected:
        return "\n".join(
            f"{one.range.start.line}:{one.range.start.character} {one.kind.name}" for one in found
        )
    return case.ranges((case.uri, one.range) for one in found or ())


async def rename(case: Opened) -> str:
    """The marked places if only they change; the error where one is expected."""
    try:
        edit = await within(
            case.editor.client.text_document_rename_async(
                types.RenameParams(case.document, case.position, case.case.given)
            )
        )
    except Exception as error:
        return f"error: {getattr(error, 'message', error)}"
    found: list[tuple[str, types.Range]] = []
    for uri, edits in (edit.changes or {}).items():
        found += [(uri, one.range) for one in edits]
    for change in edit.document_changes or ():
        assert all(one.new_text == case.case.given for one in change.edits)
        found += [(change.text_document.uri, one.range) for one in change.edits]
    return case.ranges(found)


async def links(case: Opened) -> str:
    found = await within(
        case.editor.client.text_document_document_link_async(
            types.DocumentLinkParams(case.document)
        )
    )
    names = {uri: name for name, uri in case.uris.items()}
    assert all(link.target in names for link in found)
    return case.ranges((case.uri, link.range) for link in found)


@pytest.mark.parametrize("answer", [definition, references, highlight, rename, links])
async def test_cases(editor: Editor, answer: Any) -> None:
    await check(editor, answer.__name__, answer)
