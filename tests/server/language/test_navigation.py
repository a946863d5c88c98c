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


Changes = list[tuple[str, types.Range]]


async def renamed(case: Opened) -> tuple[Changes, Changes, types.WorkspaceEdit]:
    """What changes, and what changes perhaps."""
    edit = await within(
        case.editor.client.text_document_rename_async(
            types.RenameParams(case.document, case.position, case.case.given)
        )
    )
    found: Changes = []
    perhaps: Changes = []
    for uri, edits in (edit.changes or {}).items():
        found += [(uri, one.range) for one in edits]
    for change in edit.document_changes or ():
        for one in change.edits:
            assert one.new_text == case.case.given
            is_possible = getattr(one, "annotation_id", "") == "perhaps"
            (perhaps if is_possible else found).append((change.text_document.uri, one.range))
    return found, perhaps, edit


async def rename(case: Opened) -> str:
    """The marked places if only they change; the error where one is expected."""
    try:
        found, _, _ = await renamed(case)
    except Exception as error:
        return f"error: {getattr(error, 'message', error)}"
    return case.ranges(found)


async def perhaps(case: Opened) -> str:
    """The marked places if only they are asked about; they stay where nobody can be asked."""
    found, possible, edit = await renamed(case)
    capabilities = case.editor.client.capabilities
    assert capabilities is not None
    assert capabilities.workspace is not None
    known = capabilities.workspace.workspace_edit
    if known is None or known.change_annotation_support is None:
        assert possible == []
        marked = {
            (case.uris[file.name], range_.start)
            for file in case.case.files
            for range_ in file.ranges
        }
        files = {case.uris[file.name]: file for file in case.case.files}
        assert not marked & {(uri, case.range(files[uri], range_).start) for uri, range_ in found}
        return case.wanted()
    if possible:
        assert (edit.change_annotations or {})["perhaps"].needs_confirmation
    return case.ranges(possible)


async def links(case: Opened) -> str:
    found = await within(
        case.editor.client.text_document_document_link_async(
            types.DocumentLinkParams(case.document)
        )
    )
    names = {uri: name for name, uri in case.uris.items()}
    assert all(link.target in names for link in found)
    return case.ranges((case.uri, link.range) for link in found)


@pytest.mark.parametrize("answer", [definition, references, highlight, rename, perhaps, links])
async def test_cases(editor: Editor, answer: Any) -> None:
    await check(editor, answer.__name__, answer)
