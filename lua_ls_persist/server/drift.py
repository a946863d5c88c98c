"""Whether a stored function is still what its source says.

Owns the comparison of a stored definition with the document that it came from: the open buffer,
else the file. Must not know LSP types or sessions.

A definition is looked for by its text, not by its line: what was typed above it moves it, and a
session that was opened anew does not know of that.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

from lua_ls_persist.server.documents import Document
from lua_ls_persist.server.places import Places

if TYPE_CHECKING:
    from lua_ls_persist.model import StoredFunction

DriftState: TypeAlias = Literal["in_sync", "edited", "source_gone", "unknown"]

_NAMED = re.compile(
    r"(?:\blocal\s+)?\bfunction\s+(?P<declared>[A-Za-z_][\w.:]*)"
    r"|(?P<assigned>[A-Za-z_][\w.]*(?:\s*\[[^\]\n]*\])*)\s*=\s*function\b",
    re.ASCII,
)
_PLACELESS = ("(", "[")
"""How chunk names begin that no document has: `(eval)`, `[string "..."]`."""


@dataclass(frozen=True, slots=True)
class Drift:
    """How a stored function stands to its source."""

    state: DriftState
    uri: str | None = None
    """The document, if there is one."""
    row: int | None = None
    """Where the definition begins in it now."""


def drift_of(
    function: StoredFunction, places: Places, document: Callable[[str], Document | None]
) -> Drift:
    """Compares a stored function with its source as it is now.

    `in_sync`: its text stands there. `edited`: something else is defined there by its name.
    `source_gone`: there is no such file, or no such definition in it. `unknown`: its text was not
    stored, or it never came from a document.

    Args:
        function: as the session lists it.
        places: where chunk names lead.
        document: the open document of a URI, or the file; None if there is neither.
    """
    uri = places.uri_of(function.chunk)
    now = None if uri is None else document(uri)
    if now is None:
        gone = function.chunk and not function.chunk.startswith(_PLACELESS)
        return Drift("source_gone" if gone else "unknown")
    if not function.text:
        return Drift("unknown", uri)
    place = places.locate(function.chunk, max(function.line, 1))
    expected_row = function.line - 1 if place is None else place.row
    wanted = _lines_of(function.text)
    rows = _rows_of(now)
    found = _nearest(_starts(rows, wanted), expected_row)
    if found is not None:
        return Drift("in_sync", uri, found)
    if function.line == 0:  # A whole chunk: there is nothing else in the file.
        return Drift("edited", uri, 0)
    name = named(wanted[0])
    if name is not None:
        heads = [row for row, text in enumerate(rows) if named(text) == name]
        head = _nearest(heads, expected_row)
    else:
        is_there = place is not None and re.search(r"\bfunction\b", now.row(place.row))
        head = expected_row if is_there else None
    return Drift("source_gone", uri) if head is None else Drift("edited", uri, head)


def _lines_of(text: str) -> list[str]:
    return [line.strip() for line in text.strip("\n").split("\n")]


def _rows_of(document: Document) -> list[str]:
    """The rows without indentation, which says nothing in Lua; made once for a document."""
    rows = document.derived.get("stripped_rows")
    if not isinstance(rows, list):
        rows = [row.strip() for row in document.rows]
        document.derived["stripped_rows"] = rows
    return rows


def _starts(rows: list[str], wanted: list[str]) -> list[int]:
    """The rows at which all of `wanted` stand one below the other."""
    found: list[int] = []
    at, count = -1, len(wanted)
    while True:
        try:
            at = rows.index(wanted[0], at + 1)
        except ValueError:
            return found
        if rows[at : at + count] == wanted:
            found.append(at)


def _nearest(rows: list[int], row: int) -> int | None:
    return min(rows, key=lambda candidate: abs(candidate - row), default=None)


def named(line: str) -> str | None:
    """The name that a line gives to a function: `Memory.hit`, `Account:deposit`."""
    match = _NAMED.search(line)
    if match is None:
        return None
    return re.sub(r"\s", "", match["declared"] or match["assigned"])
