"""Types from data: `---@class` annotations of a table's rows, written into a document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lua_ls_persist.jsonable import Json, lua_type
from lua_ls_persist.server.annotating import annotation_changes, key_type_of
from lua_ls_persist.server.commands import ClientPosition, param
from lua_ls_persist.server.features.data.running import TABLE_DOC, ask
from lua_ls_persist.server.features.progress import Report
from lua_ls_persist.server.features.registry import COMMANDS
from lua_ls_persist.server.features.result_comments import apply_changes
from lua_ls_persist.server.result_comments import TextChange
from lua_ls_persist.session.annotations import annotations_for, row_class_of

if TYPE_CHECKING:
    from lua_ls_persist.server.language_server import LuaLanguageServer
    from lua_ls_persist.session import Session

KEYS_LOOKED_AT = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class AnnotateParams:
    """A table, and where to write its types."""

    table: str = param(TABLE_DOC)
    uri: str | None = param(
        "the document to write into, whose session is meant; without it the text is only returned",
        None,
    )
    position: ClientPosition | None = param(
        "above which line; otherwise above the one that names the table", None
    )


async def annotate(server: LuaLanguageServer, params: AnnotateParams) -> Json:
    """Writes types of a table's rows for LuaLS: its schema, or what all rows have in common."""

    def call(session: Session, report: Report) -> tuple[Any, list[str]]:
        definition = session.schema(params.table)
        if definition is None:
            definition = session.derive_schema(
                params.table, on_progress=lambda rows: report(rows, 0)
            )
        keys = [row.key for row in session.rows(params.table, limit=KEYS_LOOKED_AT).rows]
        return definition, [lua_type(key) for key in keys]

    definition, keys = await ask(server, params.uri, f"Reading rows of {params.table}", call)
    text = annotations_for(params.table, definition)
    if params.uri is None:
        return {"text": text, "edits": []}
    document = server.document(params.uri)
    row = None if params.position is None else params.position.row
    types = (key_type_of(keys), row_class_of(params.table))
    changes = annotation_changes(document, row, params.table, text, types)
    edits = apply_changes(
        server,
        document,
        [TextChange(range_, new_text) for range_, new_text in changes],
        f"Annotate {params.table}",
    )
    return {"text": text, "edits": edits}


ANNOTATE = COMMANDS.add(
    "annotate",
    "Write Types of Rows",
    AnnotateParams,
    annotate,
    "{text, edits: [{range, new_text}]}",
)
