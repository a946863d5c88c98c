"""Fields that a document itself gives to a table, whether or not it was evaluated."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from lua_ls_persist.server.analysis import Scopes
from lua_ls_persist.server.analysis.nodes import Block, Chain, Name, Statement, Step
from lua_ls_persist.server.analysis.resolving import free_names

FIELDS_MAX: Final = 500


@dataclass(frozen=True, slots=True)
class Written:
    """A field as it is used in the source."""

    name: str
    is_function: bool
    is_called_with_colon: bool


def written_fields(
    scopes: Scopes, base: str, keys: Sequence[object], here: int = -1
) -> list[Written]:
    """The names that follow `base` and the keys behind it anywhere in the document.

    Also those of the table constructor that it is declared with. Two locals of the same name are
    taken for one. The expression that begins at the offset `here` does not count.
    """
    found: dict[str, Written] = {}
    for offset, statement in mentioning(scopes.chunk.root, 0, base):
        for chain in statement.chains:
            for one in _following(chain, base, keys):
                if offset + chain.start != here and one.name and len(found) < FIELDS_MAX:
                    known = found.get(one.name)
                    if known is None or one.is_function > known.is_function:
                        found[one.name] = one
        if not keys:
            for name in _constructed(statement, base):
                found.setdefault(name.name, name)
        for owner in _owners(statement):
            for one in _following(owner, base, keys):
                found[one.name] = Written(one.name, True, one.is_called_with_colon)
    return list(found.values())


def global_names(scopes: Scopes) -> set[str]:
    """The globals that a document reads or writes."""
    return {name.text for _, name in free_names(scopes.chunk.root)}


def mentioning(statement: Statement, base: int, text: str) -> Iterator[tuple[int, Statement]]:
    """The statements in which a name occurs, each with its offset."""
    stack = [(base, statement)]
    while stack:
        at, one = stack.pop()
        if one.kind != "chunk" and text not in one.mentions:
            continue
        yield at, one
        for event in one.events:
            if isinstance(event, Block):
                blocks = [event, *(part for part in event.tail if isinstance(part, Block))]
                for block in blocks:
                    inner = zip(block.offsets, block.statements, strict=True)
                    stack.extend((at + offset, below) for offset, below in inner)


def _following(chain: Chain, text: str, keys: Sequence[object]) -> Iterator[Written]:
    if chain.base is None or chain.base.text != text or len(chain.steps) <= len(keys):
        return
    for step, key in zip(chain.steps, keys, strict=False):
        if step.kind == "(" or step.key != key:
            return
    step = chain.steps[len(keys)]
    if step.kind in (".", ":") and isinstance(step.key, str):
        behind = chain.steps[len(keys) + 1 : len(keys) + 2]
        is_called = bool(behind) and behind[0].kind == "("
        yield Written(step.key, is_called, step.kind == ":")


def _owners(statement: Statement) -> Iterator[Chain]:
    for event in statement.events:
        if isinstance(event, Block) and event.owner is not None:
            yield event.owner


def _constructed(statement: Statement, text: str) -> Iterator[Written]:
    for target, value in zip(statement.targets, statement.values, strict=False):
        named = target.base if isinstance(target, Chain) and not target.steps else target
        if not isinstance(named, Name) or named.text != text:
            continue
        if not isinstance(value, Block) or value.kind != "table":
            continue
        for field in value.statements:
            for key in field.targets[:1]:
                if isinstance(key, Step) and isinstance(key.key, str):
                    is_function = any(
                        isinstance(one, Block) and one.kind == "function" for one in field.values
                    )
                    yield Written(key.key, is_function, False)
