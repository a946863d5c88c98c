"""Ways through the tree of a text: what lies around a place, and what is in a statement.

Offsets are as in `nodes`: from the start of the statement that is asked about.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator

from lua_ls_persist.server.analysis import nodes
from lua_ls_persist.server.analysis.nodes import Block, Chain, Statement, Step


def names(statement: Statement) -> Iterator[nodes.Name]:
    """The variables and labels right in a statement: not those of statements inside."""
    for event in statement.events:
        if isinstance(event, Block):
            yield from event.head
            yield from (name for name in event.tail if not isinstance(name, Block))
        else:
            yield event


def statement_at(statement: Statement, offset: int) -> tuple[int, Statement] | None:
    """The inner statement that a place belongs to: the last one that begins before it."""
    best: tuple[int, Statement] | None = None
    for block in statement.blocks:
        if block.start <= offset <= block.end and block.offsets:
            index = bisect_right(block.offsets, offset) - 1
            if index >= 0 and (best is None or block.offsets[index] > best[0]):
                best = block.offsets[index], block.statements[index]
    return best


def steps_up_to(chain: Chain, offset: int) -> int | None:
    """How many steps a path to this place has; None if it is inside an argument or a key."""
    if chain.base is not None and chain.base.offset <= offset <= chain.base.end:
        return 0
    for count, step in enumerate(chain.steps, 1):
        if step.start < offset <= step.end:
            if step.kind in (".", ":"):
                return count
            on_key = step.key is not None and step.key_start <= offset <= step.key_end
            return count if on_key or offset == step.end else None
    return None


def is_argument(step: Step, offset: int) -> bool:
    """Whether a place lies between the brackets of a call."""
    return step.start < offset and (offset < step.end or (offset == step.end and not step.closed))


def function_around(statement: Statement, offset: int) -> int:
    """Where the innermost function begins in whose body a place lies; -1 if there is none."""
    return max(
        (
            block.start
            for block in statement.blocks
            if block.kind == "function" and block.parameters_end <= offset < block.end
        ),
        default=-1,
    )


def key_start(target: nodes.Name | Chain | Step) -> int:
    """Where the name begins that a target is known by."""
    if isinstance(target, nodes.Name):
        return target.offset
    if isinstance(target, Step):
        return target.key_start
    if target.steps:
        return target.steps[-1].key_start
    return target.start


def statements(statement: Statement, base: int) -> Iterator[tuple[int, Statement]]:
    """All statements, at any depth."""
    yield base, statement
    for block in statement.blocks:
        for offset, inner in zip(block.offsets, block.statements, strict=True):
            yield from statements(inner, base + offset)


def mentioning(text: str, statement: Statement, base: int) -> Iterator[tuple[int, Statement]]:
    """It and all in it, at any depth, in which a name stands."""
    yield base, statement
    for block in statement.blocks:
        for offset, inner in zip(block.offsets, block.statements, strict=True):
            if text in inner.mentions:
                yield from mentioning(text, inner, base + offset)
