"""What can be folded: functions, blocks, tables, comments, regions and long strings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import partial
from typing import Literal as OneOf
from typing import NamedTuple

from lua_ls_persist.server.analysis.facts import fact, outermost
from lua_ls_persist.server.analysis.lexer import COMMENT_OR_STRING
from lua_ls_persist.server.analysis.nodes import Statement
from lua_ls_persist.server.analysis.scopes import Scopes

FOLDS_MAX = 5000

_REGION = re.compile(r"--+\s*#?(?P<end>end)?region\b")


class Fold(NamedTuple):
    """Rows that fold to the first of them."""

    first: int
    last: int
    kind: OneOf["", "comment", "region"] = ""


def folds_of(scopes: Scopes) -> list[Fold]:
    """The folds of a text, in order; where several begin on a row, the longest."""
    longest: dict[int, Fold] = {}
    for fold in (*_constructs(scopes), *_texts(scopes)):
        known = longest.get(fold.first)
        if fold.last > fold.first and (known is None or known.last < fold.last):
            longest[fold.first] = fold
    return sorted(longest.values(), key=lambda fold: fold.first)[:FOLDS_MAX]


def _constructs(scopes: Scopes) -> Iterator[Fold]:
    for base, statement in outermost(scopes.chunk):
        if statement.blocks:
            row = scopes.position(base).row
            for fold in fact(statement, _blocks, partial(_from, scopes, statement, base, row)):
                yield Fold(row + fold.first, row + fold.last)


def _from(scopes: Scopes, statement: Statement, base: int, row: int) -> list[Fold]:
    """The folds of a statement, in rows from its first."""
    folds = _blocks(scopes, statement, base)
    return [Fold(fold.first - row, fold.last - row) for fold in folds]


def _blocks(scopes: Scopes, statement: Statement, base: int) -> Iterator[Fold]:
    for block in statement.blocks:
        if scopes.rows_between(base + block.start, base + block.end):
            first = scopes.position(base + block.start).row
            last = scopes.position(base + block.end).row
            # The row of the keyword or bracket that ends it stays in sight.
            yield Fold(first, last - 1 if block.closed else last)
        for offset, inner in zip(block.offsets, block.statements, strict=True):
            if inner.blocks:
                yield from _blocks(scopes, inner, base + offset)


def _texts(scopes: Scopes) -> Iterator[Fold]:
    """Comments of several rows, regions between two comments, and long strings."""
    regions: list[int] = []
    first = last = -2
    for match in COMMENT_OR_STRING.finditer(scopes.chunk.source):
        text = match[0]
        if not text.startswith(("--", "[")):
            continue
        row = scopes.position(match.start()).row
        end = row + text.count("\n")
        if not text.startswith("--"):
            yield Fold(row, end)
            continue
        region = _REGION.match(text)
        if region is not None:
            if region["end"] is None:
                regions.append(row)
            elif regions:
                yield Fold(regions.pop(), row, "region")
        elif end > row:
            yield Fold(row, end, "comment")
        elif _is_alone(scopes, match.start()):
            if row != last + 1:
                yield Fold(first, last, "comment")
                first = row
            last = row
    yield Fold(first, last, "comment")


def _is_alone(scopes: Scopes, offset: int) -> bool:
    """Whether nothing but blanks stands before a comment on its row."""
    source = scopes.chunk.source
    return not source[source.rfind("\n", 0, offset) + 1 : offset].strip()
