"""The tables inside of `Memory` whose entries are rows: those that calls of `ext` are about.

`ext.index("Memory.users", "age")`, `ext.query(Memory.users, ...)`: all entries of such a table are
alike, as those of a named table are. Knows one document; the same statement says the same always.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final, TypeAlias

from lua_ls_persist.server.analysis.facts import fact, outermost
from lua_ls_persist.server.analysis.lexer import is_identifier
from lua_ls_persist.server.analysis.naming import FIELD_CALLS
from lua_ls_persist.server.analysis.nodes import (
    CONSTANT_KEY,
    Argument,
    Chain,
    Expression,
    Literal,
    Statement,
)
from lua_ls_persist.server.analysis.scopes import scopes_of
from lua_ls_persist.server.analysis.walking import mentioning
from lua_ls_persist.server.documents import Document

Keys: TypeAlias = tuple[CONSTANT_KEY, ...]

MEMORY: Final = "Memory"
_CALLS: Final = FIELD_CALLS | {"aggregate", "count", "explain", "migrate", "query", "schema"}


def asked_tables_in(document: Document) -> frozenset[Keys]:
    """Their keys, `Memory` first; found once."""
    found = document.derived.get("asked tables")
    if not isinstance(found, frozenset):
        found = frozenset(
            keys
            for _, statement in outermost(scopes_of(document).chunk)
            if "ext" in statement.mentions
            for keys in fact(statement, "asked tables", partial(_asked, statement))
        )
        document.derived["asked tables"] = found
    return found


def _asked(statement: Statement) -> tuple[Keys, ...]:
    return tuple(
        keys
        for _, inner in mentioning("ext", statement, 0)
        for chain in inner.chains
        for keys in _asked_by(chain)
    )


def _asked_by(chain: Chain) -> Iterator[Keys]:
    if chain.base is None or chain.base.text != "ext" or len(chain.steps) < 2:
        return
    arguments = chain.steps[1].arguments
    if chain.steps[0].key not in _CALLS or not arguments:
        return
    keys = _path(arguments[0].expression)
    if keys == (MEMORY,) and chain.steps[0].key in FIELD_CALLS:
        # `users.age` of `Memory` is `age` of its table `users`.
        keys = (*keys, *_path_of_fields(arguments[1:2]))
    if len(keys) > 1 and keys[0] == MEMORY:
        yield keys


def _path(table: Expression) -> Keys:
    """The keys of a table that is written as a path, or as itself; none where that is computed."""
    if isinstance(table, Literal) and isinstance(table.value, str):
        names = tuple(table.value.split("."))
        return names if all(map(is_identifier, names)) else ()
    if not isinstance(table, Chain) or table.base is None:
        return ()
    keys = tuple(step.key for step in table.steps if step.kind != "(" and step.key is not None)
    return (table.base.text, *keys) if len(keys) == len(table.steps) else ()


def _path_of_fields(arguments: list[Argument]) -> Keys:
    for given in arguments:
        text = given.expression.value if isinstance(given.expression, Literal) else None
        if isinstance(text, str) and "." in text:
            return (text.partition(".")[0],)
    return ()
