"""What is found out about a statement stays with it, for as long as it stands in the text.

A parse takes over the statements that an edit did not touch. So whoever asks about a whole document
after each key press, and keeps what he finds with the statements of the outermost level, looks at
one of them anew. Such a fact must depend on the statement's own text only: its offsets and rows
count from where it begins, and what names mean is no fact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar, cast

from lua_ls_persist.server.analysis.nodes import Chunk, Statement

T = TypeVar("T")


def fact(statement: Statement, key: object, find: Callable[[], T]) -> T:
    """What `find` finds out about a statement, once. Any thread: at worst it is found twice."""
    facts = statement.facts
    if facts is None:
        facts = statement.facts = {}
    if key not in facts:
        facts[key] = find()
    return cast("T", facts[key])


def outermost(chunk: Chunk) -> Iterator[tuple[int, Statement]]:
    """The statements of a text's outermost level, each with its offset."""
    block = chunk.block
    return zip(block.offsets, block.statements, strict=True)
