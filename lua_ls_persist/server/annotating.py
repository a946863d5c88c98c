"""Annotations of a table's rows in a document: which rows of the text become which.

Owns where a class stands already and where new ones belong. Must not know LSP types or sessions.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from lua_ls_persist.pretty import quoted
from lua_ls_persist.server.documents import Document
from lua_ls_persist.server.positions import Position, Range

_CLASS: Final = re.compile(r"^\s*---@class\s+(?:\(exact\)\s*)?([\w.]+)")
_OF_CLASS: Final = re.compile(r"^\s*---(?:@field\b|[^@-]|$)")
_TYPE: Final = re.compile(r"^\s*---@type\b")


def annotation_changes(
    document: Document, row: int | None, table: str, annotations: str, types: tuple[str, str]
) -> list[tuple[Range, str]]:
    """The changes that write a table's classes into a document, each with its new text.

    A class that is there is replaced where it is. New ones go above the row, or above the line that
    names the table, or to the beginning; there the table gets its type, too.

    Args:
        document: the text.
        row: where to write; None: where the table is named.
        table: its path.
        annotations: its classes.
        types: of its keys (`string`, `integer`, `any`), and of its rows.
    """
    blocks = [block for block in annotations.strip().split("\n\n") if block]
    present = _classes(document)
    changes: list[tuple[Range, str]] = []
    new: list[str] = []
    for block in blocks:
        name = _name(block)
        place = present.get(name)
        if place is None:
            new.append(block)
        elif document.text(place).rstrip("\n") != block:
            changes.append((place, f"{block}\n"))
    named = _row_of(document, table)
    at = row if row is not None else named
    if at is not None and at == named and not (at and _TYPE.match(document.row(at - 1))):
        declared = f"---@type table<{types[0]}, {types[1]}>"
    else:
        declared = ""
    lines = "".join(f"{block}\n\n" for block in new) + (f"{declared}\n" if declared else "")
    if lines:
        start = Position(min(at or 0, document.row_count - 1), 0)
        changes.append((Range(start, start), lines))
    return changes


def key_type_of(types: Sequence[str]) -> str:
    """What annotations call the keys of a table, by the types of some."""
    found = set(types)
    return found.pop() if len(found) == 1 else "any"


def _classes(document: Document) -> dict[str, Range]:
    """The classes in a document, with their fields, whole rows."""
    found: dict[str, Range] = {}
    for row, text in enumerate(document.rows):
        match = _CLASS.match(text)
        if match is None:
            continue
        end = row + 1
        while end < document.row_count and _OF_CLASS.match(document.row(end)):
            end += 1
        stop = Position(end, 0)
        if end >= document.row_count:
            last = document.row_count - 1
            stop = Position(last, len(document.row(last)))
        found[match[1]] = Range(Position(row, 0), stop)
    return found


def _name(block: str) -> str:
    for line in block.split("\n"):
        match = _CLASS.match(line)
        if match is not None:
            return match[1]
    return "any"


def _row_of(document: Document, table: str) -> int | None:
    """The first row that gets the table: `local users = ext.table("users")`."""
    names = {quoted(table), f"'{table}'"}
    for row, text in enumerate(document.rows):
        if any(f"ext.table({name})" in text.replace(" ", "") for name in names):
            return row
    wanted = re.compile(rf"=\s*{re.escape(table)}\s*(?:or\b|;|--|$)")
    return next((row for row, text in enumerate(document.rows) if wanted.search(text)), None)
