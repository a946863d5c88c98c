r"""An evaluation as plain JSON data: one definition for `--json` on the command line and for LSP.

Everything here is dicts, lists, strings, booleans, None, and small numbers. Lua's integers and
floats travel as text, because JSON readers lose digits beyond 2**53 and JSON has no infinity; line
numbers and sizes are JSON numbers.

An *evaluation* has the fields of `lua_ls_persist.model.Evaluation`:

- `ok`: boolean
- `values`: list of values
- `text`: the values pretty printed, perhaps on several lines
- `output`: list of `{text, stream, chunk, line}`; `stream` is `stdout`, `stderr` or `warning`,
  `line` a number or null
- `problems`: list of problems
- `duration_s`: number

A *problem* has

- `kind`: `syntax`, `runtime`, `timeout`, `interrupt`, `memory`, `persistence` or `internal`
- `severity`: `error` or `warning`
- `message`, `chunk`, and `line`: a number or null
- `traceback`: list of `{chunk, line, function}`, innermost first
- `value`: the error value

A *value* has

- `type`: `nil`, `boolean`, `integer`, `float`, `string`, `table`, `function`, `userdata`, `thread`
- `text`: the value as Lua source would write it, so a string is quoted; a table is on one line

and, where they apply,

- `content`: a string's own characters, when it is UTF-8
- `base64`: a string's bytes, when it is not
- `length_bytes`: the full length of a string too long to be carried; it has neither of the above
- `entries`: a table's entries in display order, a list of `{key, value}`
- `omitted`: true for a table that has more entries than `entries`
- `address`: what `%p` prints for the value, as text: the same text is the same table
- `detail`: where a function is defined, such as `demo.lua:12`, or a userdata's type

A *stored function* and a *stored table* have the fields of `lua_ls_persist.model.StoredFunction`
and `StoredTable`; the upvalues of a function are a list of `{name, value}`.

A *page* of rows has `rows`, a list of `{key, value}`, or of `{key, fields}` where fields were
selected, and `next`: the cursor of the page that follows, or null.
"""

from __future__ import annotations

import base64
import math
import re
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, TypeAlias

from lua_ls_persist.model import Preview
from lua_ls_persist.pretty import is_whole, one_line, pretty, scalar_text

if TYPE_CHECKING:
    from lua_ls_persist.model import (
        AggregateGroup,
        ColumnProfile,
        Difference,
        Evaluation,
        Frame,
        GridPage,
        HistoryEntry,
        IndexInfo,
        Inspected,
        OutputPiece,
        Problem,
        QueryPage,
        QueryRow,
        StoredFunction,
        StoredTable,
        Value,
        Went,
    )

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"

_SCALAR_TYPES = {
    type(None): "nil",
    bool: "boolean",
    int: "integer",
    float: "float",
    str: "string",
    bytes: "string",
}
_SURROGATE = re.compile("[\ud800-\udfff]")


def evaluation_to_json(evaluation: Evaluation) -> dict[str, Json]:
    """The whole evaluation, see the module's description."""
    duration_s = evaluation.duration_s
    return {
        "ok": evaluation.ok,
        "values": [value_to_json(value) for value in evaluation.values],
        "text": unicode_text(evaluation.text),
        "output": [output_to_json(piece) for piece in evaluation.output],
        "problems": [problem_to_json(problem) for problem in evaluation.problems],
        "duration_s": duration_s if math.isfinite(duration_s) else 0.0,
    }


def value_to_json(value: Value) -> dict[str, Json]:
    """One Lua value, typed."""
    if isinstance(value, Preview):
        text, more = value.text or one_line(value), _preview_parts(value)
    else:
        text, more = scalar_text(value), _string_parts(value)
    return {"type": lua_type(value), "text": unicode_text(text), **more}


def whole_to_json(value: Value) -> dict[str, Json]:
    """A value with its text in full, and whether that is Lua source of it."""
    if not isinstance(value, Preview) or value.kind != "table":
        shown = value_to_json(value)
        return {"value": shown, "text": shown["text"], "complete": is_whole(value)}
    # What is in it is in the text already.
    shown = value_to_json(Preview("table", one_line(value), address=value.address))
    return {"value": shown, "text": unicode_text(pretty(value)), "complete": is_whole(value)}


def _string_parts(value: Value) -> dict[str, Json]:
    """What there is of a string besides its text; nothing of another scalar."""
    if isinstance(value, str):
        content = unicode_text(value)
        if content == value:
            return {"content": content}
        value = value.encode("utf-8", "surrogatepass")
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode("ascii")}
    return {}


def _preview_parts(preview: Preview) -> dict[str, Json]:
    data: dict[str, Json] = {}
    if preview.kind == "table":
        data["entries"] = [
            {"key": value_to_json(key), "value": value_to_json(value)}
            for key, value in preview.entries
        ]
        data["omitted"] = preview.omitted
    if preview.kind == "string":
        data["length_bytes"] = preview.length_bytes
    if preview.address:
        data["address"] = f"0x{preview.address:x}"
    if preview.detail:
        data["detail"] = unicode_text(preview.detail)
    return data


def problem_to_json(problem: Problem) -> dict[str, Json]:
    """One problem with its traceback."""
    return {
        "kind": problem.kind,
        "severity": problem.severity,
        "message": unicode_text(problem.message),
        "chunk": unicode_text(problem.chunk),
        "line": problem.line,
        "traceback": [_frame_to_json(frame) for frame in problem.traceback],
        "value": value_to_json(problem.value),
    }


def _frame_to_json(frame: Frame) -> dict[str, Json]:
    return {
        "chunk": unicode_text(frame.chunk),
        "line": frame.line,
        "function": unicode_text(frame.function),
    }


def output_to_json(piece: OutputPiece) -> dict[str, Json]:
    """One run of printed text."""
    return {
        "text": unicode_text(piece.text),
        "stream": piece.stream,
        "chunk": unicode_text(piece.chunk),
        "line": piece.line,
    }


def table_to_json(table: StoredTable) -> dict[str, Json]:
    """A named table of the store."""
    found = table.compression
    return {
        "name": unicode_text(table.name),
        "entries": table.entries,
        "id": table.id,
        "compression": None if found is None else {**asdict(found), "ratio": found.ratio},
    }


def function_to_json(function: StoredFunction) -> dict[str, Json]:
    """A stored function."""
    return {
        "path": unicode_text(function.path),
        "name": unicode_text(function.name),
        "parameters": [unicode_text(name) for name in function.parameters],
        "is_vararg": function.is_vararg,
        "chunk": unicode_text(function.chunk),
        "line": function.line,
        "last_line": function.last_line,
        "text": unicode_text(function.text),
        "size_bytes": function.size_bytes,
        "upvalues": [
            {"name": unicode_text(upvalue.name), "value": value_to_json(upvalue.value)}
            for upvalue in function.upvalues
        ],
        "problem": function.problem,
    }


def page_to_json(page: QueryPage) -> dict[str, Json]:
    """A page of rows of a query."""
    return {"rows": [_row_to_json(row) for row in page.rows], "next": page.next}


def _row_to_json(row: QueryRow) -> dict[str, Json]:
    data: dict[str, Json] = {"key": value_to_json(row.key)}
    if isinstance(row.value, Mapping):
        data["fields"] = {
            unicode_text(name): value_to_json(value) for name, value in row.value.items()
        }
    else:
        data["value"] = value_to_json(row.value)
    return data


def grid_to_json(page: GridPage) -> dict[str, Json]:
    """Rows of a table by their number. A cell is a value, or null where the field is missing."""
    return {
        "table": unicode_text(page.table),
        "columns": [
            {"name": unicode_text(column.name), "types": dict(column.types)}
            for column in page.columns
        ],
        "columns_left_out": page.columns_left_out,
        "rows": [
            {
                "key": value_to_json(row.key),
                "path": None if row.path is None else unicode_text(row.path),
                "cells": [None if cell is None else value_to_json(cell) for cell in row.cells],
            }
            for row in page.rows
        ],
        "total": page.total,
        "filtered": page.filtered,
        "is_list": page.is_list,
        "offset": page.offset,
        "explain": {"index": page.index, "examined": page.rows_examined},
    }


def profile_to_json(profile: ColumnProfile) -> dict[str, Json]:
    """What there is in a column."""
    return {
        "count": profile.count,
        "missing": profile.missing,
        "distinct": profile.distinct,
        "types": dict(profile.types),
        "min": value_to_json(profile.min),
        "max": value_to_json(profile.max),
        "avg": value_to_json(profile.avg),
        "top": [{"value": value_to_json(value), "count": count} for value, count in profile.top],
        "histogram": [
            {"from": start, "to": end, "count": count} for start, end, count in profile.histogram
        ],
    }


def inspected_to_json(found: Inspected) -> dict[str, Json]:
    """A look at a value and at some of its entries."""
    data: dict[str, Json] = {
        "path": unicode_text(found.path),
        "value": value_to_json(found.value),
        "entries": [
            {
                "key": value_to_json(entry.key),
                "value": value_to_json(entry.value),
                "path": None if entry.path is None else unicode_text(entry.path),
                "expandable": entry.expandable,
            }
            for entry in found.entries
        ],
        "total": found.total,
        "next_offset": found.next_offset,
        "live": found.live,
    }
    if found.given:
        data["given"] = found.given
    if found.metatable is not None:
        data["metatable"] = value_to_json(found.metatable)
    return data


def index_to_json(index: IndexInfo) -> dict[str, Json]:
    """An index."""
    return _plain_fields(index)


def group_to_json(group: AggregateGroup) -> dict[str, Json]:
    """Facts about a group of rows; those that were not asked for, or are not there, are left out.

    `count` is a number, the others are values.
    """
    data: dict[str, Json] = {
        "group": {unicode_text(name): value_to_json(value) for name, value in group.group.items()}
    }
    if group.count is not None:
        data["count"] = group.count
    for name in ("sum", "min", "max", "avg"):
        value = getattr(group, name)
        if value is not None:
            data[name] = value_to_json(value)
    return data


def entry_to_json(entry: HistoryEntry) -> dict[str, Json]:
    """An evaluation of the history."""
    return _plain_fields(entry)


def went_to_json(went: Went) -> dict[str, Json]:
    """What undo or redo did."""
    return {
        "evaluations": [entry_to_json(entry) for entry in went.evaluations],
        "vm": went.vm,
        "text": went.text,
    }


def difference_to_json(difference: Difference) -> dict[str, Json]:
    """Something that differs between two points of the history."""
    return {
        "place": unicode_text(difference.place),
        "before": value_to_json(difference.before),
        "after": value_to_json(difference.after),
    }


def lua_type(value: Value) -> str:
    """The value's type: what Lua's `type` says, and `math.type` for a number."""
    return value.kind if isinstance(value, Preview) else _SCALAR_TYPES[type(value)]


def _plain_fields(item: IndexInfo | HistoryEntry) -> dict[str, Json]:
    """What has only texts, numbers, booleans and lists of texts: its fields, by their names."""
    return {name: _plain(value) for name, value in asdict(item).items()}


def _plain(value: Any) -> Json:
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return unicode_text(value) if isinstance(value, str) else value


def unicode_text(text: str) -> str:
    r"""The text without lone surrogates, which UTF-8 refuses: a file name's odd bytes as `\xNN`."""
    return text if text.isascii() else _SURROGATE.sub(_surrogate_text, text)


def _surrogate_text(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\x{code - 0xDC00:02X}" if 0xDC80 <= code <= 0xDCFF else f"\\u{{{code:X}}}"
