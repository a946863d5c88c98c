"""The tables inside of `Memory` whose entries are rows: those that calls of `ext` are about.

`ext.index("Memory.users", "age")`, `ext.query(Memory.users, ...)`: all entries of such a table are
alike, as those of a named table are. Knows one document; the same statement says the same always.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final, TypeAlias

from lua_ls_persist.server.analysis.ext_names import EXT, ExtNames, names_of_ext
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
from lua_ls_persist.server.analysis.scopes import Scopes, scopes_of
from lua_ls_persist.server.analysis.walking import mentioning
from lua_ls_persist.server.documents import Document

Keys: TypeAlias = tuple[CONSTANT_KEY, ...]

MEMORY: Final = "Memory"
_CALLS: Final = FIELD_CALLS | {"aggregate", "count", "explain", "migrate", "query", "schema"}


def asked_tables_in(document: Document) -> frozenset[Keys]:
    """Their keys, `Memory` first; found once."""
    found = document.derived.get("asked tables")
    if not isinstance(found, frozenset):
        found = frozenset(_asked_in(scopes_of(document)))
        document.derived["asked tables"] = found
    return found


def _asked_in(scopes: Scopes) -> Iterator[Keys]:
    known = ExtNames(scopes)
    for name in names_of_ext(scopes):
        for base, statement in outermost(scopes.chunk):
            if name in statement.mentions:
                find = partial(_asked, statement, name)
                for shift, chain, keys in fact(statement, ("asked tables", name), find):
                    if name == EXT:
                        yield keys
                        continue
                    called = known.function(chain, base + shift)
                    if called is not None:
                        yield from _asked_by(chain, *called)


def _asked(statement: Statement, name: str) -> tuple[tuple[int, Chain, Keys], ...]:
    """The calls by a name, which may be another thing; of `ext` with the tables."""
    return tuple(
        (base, chain, keys)
        for base, inner in mentioning(name, statement, 0)
        for chain in inner.chains
        if chain.base is not None and chain.base.text == name
        for keys in (_asked_by(chain, chain.steps[0].key, 1) if name == EXT else ((),))
    )


def _asked_by(chain: Chain, function: CONSTANT_KEY | None, place: int) -> Iterator[Keys]:
    arguments = chain.steps[place].arguments if len(chain.steps) > place else ()
    if function not in _CALLS or not arguments:
        return
    keys = _path(arguments[0].expression)
    if keys == (MEMORY,) and function in FIELD_CALLS:
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
