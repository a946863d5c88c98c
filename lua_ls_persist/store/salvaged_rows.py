"""To which table the rows belong that are found in the pages of a damaged file.

Those that the file's own table of contents leads to are known; others are guessed by their looks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from lua_ls_persist.store.index_model import KINDS
from lua_ls_persist.store.salvage import (
    INDEX_INTERIOR,
    INDEX_LEAF,
    TABLE_LEAF,
    Column,
    DamagedText,
    DatabaseFile,
    Page,
    Record,
)

_LONG = 900

_KINDS = frozenset((0, 1, 2, 3, 4, 5, 6, 7, 20, 21))

# What is brought over, and in how many columns. Images and what indexes hold are made again. Rows
# from before a table had more columns are shorter.
COLUMNS: Final[dict[str, tuple[int, ...]]] = {
    "meta": (2,),
    "counters": (2,),
    "roots": (2,),
    "tables": (2,),
    "entries": (5,),
    "long_strings": (3, 5),
    "dictionaries": (4,),
    "cells": (3,),
    "functions": (2,),
    "function_cells": (3,),
    "sources": (6,),
    "code": (14,),
    "indexes": (7, 8),
    "schemas": (4,),
}


def salvaged_rows(file: DatabaseFile, lost: list[str]) -> Iterator[tuple[str, Record]]:
    """All rows that can be read, with the table they belong to."""
    roots: dict[str, int] = {}
    others: list[int] = []
    for number, page in file.walk(1):
        if isinstance(page, str):
            lost.append(f"page {number}, a part of the file's table of contents: {page}")
            continue
        lost.extend(f"a row of the table of contents: {damage}" for damage in page.damages)
        for record in page.records:
            _note_tree(record.columns, roots, others)
    for table, root in roots.items():
        for number, page in file.walk(root):
            if isinstance(page, str):
                lost.append(f"page {number} of the table {table}: {page}")
                continue
            lost.extend(f"in page {number} of the table {table}: {it}" for it in page.damages)
            for record in page.records:
                yield table, record
    for root in others:
        for _ in file.walk(root):
            pass
    file.skip_free()
    for _, page in file.rest():
        guessed = _guessed(page)
        if guessed is not None:
            for record in page.records:
                yield guessed, record


def _note_tree(columns: tuple[Column, ...], roots: dict[str, int], others: list[int]) -> None:
    """A row of the file's table of contents: type, name, table's name, root page, statement."""
    if len(columns) != 5 or any(isinstance(column, DamagedText) for column in columns):
        return
    kind, name, _, root, _ = columns
    if not isinstance(root, int) or root == 0:
        return
    if kind == "table" and isinstance(name, str) and name in COLUMNS:
        roots[name] = root
    else:
        others.append(root)


def _guessed(page: Page) -> str | None:
    """To which table a page belongs, by what its rows look like; None if they could be anything."""
    if page.kind in (INDEX_LEAF, INDEX_INTERIOR):
        guesses = Counter(map(_guessed_index, page.records))
    elif page.kind == TABLE_LEAF:
        guesses = Counter(map(_guessed_row, page.records))
    else:
        return None
    # One row that is damaged, or looks like something else, does not decide.
    return guesses.most_common(1)[0][0] if guesses else None


def _guessed_index(record: Record) -> str | None:
    """A row without a row id: of a table without, or of an index."""
    columns = record.columns
    if len(columns) == 5 and isinstance(columns[0], int) and columns[1] in _KINDS - {0, 20}:
        return "entries" if columns[3] in _KINDS else None
    if len(columns) == 3 and all(isinstance(column, int) for column in columns):
        return "function_cells"
    if len(columns) == 2 and isinstance(columns[0], str) and isinstance(columns[1], int):
        return "counters" if columns[0] in ("collections", "commits", "next_id") else "roots"
    return None


def _guessed_row(record: Record) -> str | None:
    """A row with a row id, which stands in the place of the first column."""
    columns = record.columns
    size = len(columns)
    if size == 14:
        return "code"
    if size == 6:
        return "sources"
    if size in COLUMNS["indexes"]:
        return "indexes" if columns[4] in KINDS else None
    if size == 4 and isinstance(columns[3], bytes):
        return "dictionaries"
    if size == 4:
        return "schemas" if str(columns[1]).startswith('["') else None
    if size == 5 and isinstance(columns[1], int):
        return "long_strings" if isinstance(columns[2], (str, bytes)) else None
    if size == 3 and isinstance(columns[1], int):
        content = columns[2]
        if isinstance(content, (str, bytes)) and len(content) > _LONG:
            return "long_strings"
        return "cells" if columns[1] in _KINDS else None
    if size == 2 and columns[1] is None:
        return "tables"
    return "functions" if size == 2 and isinstance(columns[1], int) else None
