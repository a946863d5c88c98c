"""Where a key is written in a text: as a field that is read or set, or in a constructor.

Where strings name fields, `field_texts` finds.

Of what it is a key is another question. What is found in a statement of the outermost level stays
with it, so that after an edit one statement is looked at anew.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

from lua_ls_persist.server.analysis.facts import fact, outermost
from lua_ls_persist.server.analysis.nodes import CONSTANT_KEY, Block, Chain, Statement, Step
from lua_ls_persist.server.analysis.resolving import uses_inside
from lua_ls_persist.server.analysis.scopes import Scopes


class KeyUse(NamedTuple):
    """A key in the text; places are offsets."""

    start: int
    end: int
    is_write: bool
    quoted: bool
    """Whether it is written as a string in brackets."""
    base: int
    """Where the statement begins that the chain counts from."""
    chain: Chain | None
    """None in the constructor of a table."""
    steps: int
    """How many steps of the chain lead there, the key included."""
    table: int
    """Where the constructor begins; -1 in a chain."""
    before: tuple[CONSTANT_KEY, ...] | None = None
    """In the text of a field, the keys before this one; None if it is no such text. The text is
    that of a question, at `table`, or of step `steps` of the chain: of a call, or of the part of a
    question that is assigned there."""
    leads_on: bool = False
    """Whether there is more of the text behind it."""


def key_uses(scopes: Scopes, key: str) -> Iterator[KeyUse]:
    """Where a key is written, in the order of the text."""
    for base, statement in outermost(scopes.chunk):
        if key not in statement.mentions:
            continue
        for use in fact(statement, ("key", key), partial(_found, statement, key)):
            yield moved(use, base)


class Alike(NamedTuple):
    """Uses of a key that are of the same thing, whatever it is."""

    base: int
    """What the places of the uses count from: where a statement of the outermost level begins."""
    uses: tuple[KeyUse, ...]
    """At least one."""

    @property
    def first(self) -> KeyUse:
        """One of them, in offsets of the text."""
        return moved(self.uses[0], self.base)


def key_uses_alike(scopes: Scopes, key: str) -> Iterator[Alike]:
    """The same as `key_uses`, together where one answer is true of several.

    That is where the same constant keys of the same variable stand before the key, in one statement
    of the outermost level: methods have many of `self`.
    """
    for base, statement in outermost(scopes.chunk):
        if key in statement.mentions:
            for uses in fact(statement, ("alike", key), partial(_alike, statement, key)):
                yield Alike(base, uses)


def _alike(statement: Statement, key: str) -> tuple[tuple[KeyUse, ...], ...]:
    groups: dict[object, list[KeyUse]] = {}
    for use in fact(statement, ("key", key), partial(_found, statement, key)):
        groups.setdefault(_owner(statement, use) or use.start, []).append(use)
    return tuple(map(tuple, groups.values()))


def _owner(statement: Statement, use: KeyUse) -> object:
    """What stands before a key, equal for equal things; None where that is not only keys."""
    if use.chain is None or use.chain.base is None:
        return None
    name = use.chain.base
    inside = uses_inside(statement, name.text).get(use.base + name.offset)
    before = use.chain.steps[: use.steps - 1]
    if inside is None or any(step.kind == "(" or step.key is None for step in before):
        return None
    declared = None if inside.declaration is None else inside.declaration.start
    # 1, 1.0 and true are equal, and different keys.
    return name.text, declared, tuple((type(step.key), step.key) for step in before)


def _found(statement: Statement, key: str) -> tuple[KeyUse, ...]:
    return tuple(sorted(_uses(statement, 0, key), key=lambda use: use.start))


def _uses(statement: Statement, base: int, key: str) -> Iterator[KeyUse]:
    for chain in statement.chains:
        for count, step in enumerate(chain.steps, 1):
            if step.key == key and step.kind != "(" and isinstance(step.key, str):
                yield _use(step, base, chain, count, -1)
    for block in statement.blocks:
        for offset, inner in zip(block.offsets, block.statements, strict=True):
            if key not in inner.mentions:
                continue
            target = inner.targets[0] if inner.kind == "field" and inner.targets else None
            if isinstance(target, Step) and target.key == key:
                yield _use(target, base + offset, None, 0, base + block.start)
            yield from _uses(inner, base + offset, key)


def _use(step: Step, base: int, chain: Chain | None, count: int, table: int) -> KeyUse:
    start, end = base + step.key_start, base + step.key_end
    return KeyUse(start, end, step.write, step.kind == "[", base, chain, count, table)


def moved(use: KeyUse, by: int) -> KeyUse:
    """The same where the statement begins later by so much."""
    return KeyUse(
        use.start + by,
        use.end + by,
        use.is_write,
        use.quoted,
        use.base + by,
        use.chain,
        use.steps,
        use.table + by if use.table >= 0 else -1,
        use.before,
        use.leads_on,
    )


def key_at(scopes: Scopes, offset: int) -> KeyUse | None:
    """The key at a place."""
    for base, statement in scopes.around(offset):
        for chain in statement.chains:
            for count, step in enumerate(chain.steps, 1):
                on_key = base + step.key_start <= offset <= base + step.key_end
                if on_key and step.kind != "(" and isinstance(step.key, str):
                    return _use(step, base, chain, count, -1)
        for target in statement.targets:
            if (
                isinstance(target, Step)
                and isinstance(target.key, str)
                and base + target.key_start <= offset <= base + target.key_end
            ):
                table = table_around(scopes, base)
                return None if table is None else _use(target, base, None, 0, table)
    return None


def table_around(scopes: Scopes, offset: int) -> int | None:
    """Where the constructor begins whose field begins at a place."""
    for base, statement in scopes.around(offset):
        for block in statement.blocks:
            if block.kind == "table" and base + block.start < offset and _has(block, offset - base):
                return base + block.start
    return None


def _has(block: Block, offset: int) -> bool:
    return offset in block.offsets
