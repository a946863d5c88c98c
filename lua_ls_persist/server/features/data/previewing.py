"""What an import would bring, for people who choose before anything is stored."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lua_ls_persist.jsonable import Json, unicode_text, value_to_json
from lua_ls_persist.server.commands import param
from lua_ls_persist.server.features.data.interchange import FORMATS, PATH_DOC, file_of
from lua_ls_persist.server.features.data.running import URI_DOC, look
from lua_ls_persist.server.features.registry import COMMANDS

if TYPE_CHECKING:
    from lua_ls_persist.server.language_server import LuaLanguageServer
    from lua_ls_persist.session import Session

ROWS_MAX: Final = 200
TIME_LIMIT_S: Final = 1.5
"""Somebody waits for the look, after each choice."""
TEXT_LENGTH_MAX: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class PreviewImportParams:
    """A file of rows, and how it would be read."""

    path: str = param(PATH_DOC)
    format: str | None = param("otherwise the file's name tells", None, choices=FORMATS)
    key: str | None = param("the column that is the row's key, as in `import`", None)
    infer: bool = param("whether columns of CSV become numbers and booleans", default=False)
    text: list[str] | None = param("columns of CSV that stay text all the same", None)
    skip: list[str] | None = param("columns or members that are left out of the rows", None)
    replace: bool = param("whether rows may have the same key", default=False)
    limit: int = param("how many of the first rows to show", 50, at_least=1, at_most=ROWS_MAX)
    uri: str | None = param(URI_DOC, None)


async def preview_import(server: LuaLanguageServer, params: PreviewImportParams) -> Json:
    """Looks at a file of rows: its columns, its first rows, what is wrong in it. Nothing is stored.

    Rows are checked for 1.5 seconds, or until 8 MB are read; `complete` tells whether that was all
    of the file.
    """
    # With the store behind it, which nobody needs at the start.
    from lua_ls_persist.session.files import preview_file, reading_of

    path = file_of(server, params.uri, params.path)
    reading = reading_of(
        path, params.format, params.key, infer=params.infer, text=params.text or (),
        skip=params.skip or (),
    )  # fmt: skip

    def call(_: Session) -> Json:
        found = preview_file(
            path, reading, limit=params.limit, replace=params.replace, time_limit_s=TIME_LIMIT_S
        )
        return {
            "path": str(path),
            "format": reading.format,
            "bytes": path.stat().st_size,
            "columns": [
                {
                    "name": unicode_text(column.name),
                    "types": dict(column.types),
                    "inferred": column.inferred or None,
                    "missing": column.missing,
                }
                for column in found.columns
            ],
            "rows": [
                {
                    "line": row.line,
                    "key": None if row.key is None else _value(row.key),
                    "cells": [None if value is None else _value(value) for value in row.values],
                }
                for row in found.rows
            ],
            "rows_checked": found.rows_checked,
            "complete": found.is_complete,
            "problems": [
                {
                    "message": unicode_text(problem.message),
                    "line": problem.line,
                    "column": problem.column,
                }
                for problem in found.problems
            ],
            "problem_count": found.problem_count,
        }

    return await look(server, params.uri, call)


def _value(value: Any) -> Json:
    """A value of a file, for one line of a cell."""
    if isinstance(value, (dict, list)):
        text = json.dumps(value, ensure_ascii=False)
        shown = text if len(text) <= TEXT_LENGTH_MAX else f"{text[: TEXT_LENGTH_MAX - 1]}…"
        return {"type": "table", "text": unicode_text(shown)}
    if isinstance(value, str) and len(value) > TEXT_LENGTH_MAX:
        value = f"{value[: TEXT_LENGTH_MAX - 1]}…"
    return value_to_json(value)


PREVIEW_IMPORT = COMMANDS.add(
    "previewImport",
    "Preview Import",
    PreviewImportParams,
    preview_import,
    "{path, format, bytes, columns: [{name, types: {type: count}, inferred|null, missing}], "
    "rows: [{line, key: Value|null, cells: [Value|null]}], rows_checked, complete, "
    "problems: [{message, line|null, column|null}], problem_count}",
)
