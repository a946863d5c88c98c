"""Which values globals are given: of interest where a global holds a table of the store.

Owns where they are given in one document. What the values are is another question, and so is what
other documents give.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import zip_longest
from typing import Final

from lua_ls_persist.server.analysis import nodes
from lua_ls_persist.server.analysis.facts import fact, outermost
from lua_ls_persist.server.analysis.nodes import Chain, Either, Expression, Literal, Statement
from lua_ls_persist.server.analysis.scopes import Scopes, scopes_of
from lua_ls_persist.server.analysis.walking import mentioning, statements
from lua_ls_persist.server.documents import Document

_GLOBALS: Final = "_G"


def holders_in(document: Document) -> frozenset[str]:
    """The names that may be globals which hold a table of the store; found once."""
    found = document.derived.get("holders")
    if not isinstance(found, frozenset):
        chunk = scopes_of(document).chunk
        found = frozenset(
            name
            for _, statement in outermost(chunk)
            for name in fact(statement, "holders", lambda one=statement: _holders(one))  # type: ignore[misc]
        )
        document.derived["holders"] = found
    return found


def values_given(scopes: Scopes, name: str) -> Iterator[tuple[Expression, int]]:
    """What a global is set to, each with what its offsets count from: `a or b` as two values.

    None where it is computed. Nothing is told of nil, and of the global itself.
    """
    for base, statement in mentioning(name, scopes.chunk.root, 0):
        if statement.kind not in ("assign", "function"):
            continue
        for target, value in zip_longest(statement.targets, statement.values):
            if _is_global(scopes, target, name, base):
                for one in _choices(value):
                    is_itself = isinstance(one, Chain) and _is_global(scopes, one, name, base)
                    is_nil = isinstance(one, Literal) and one.value is None
                    if not is_itself and not is_nil:
                        yield one, base


def _holders(statement: Statement) -> tuple[str, ...]:
    """The names that a statement gives a table of the store, or a variable. As it stands alone."""
    found: list[str] = []
    for _, inner in statements(statement, 0):
        if inner.kind == "assign":
            for target, value in zip(inner.targets, inner.values, strict=False):
                name = _named(target)
                if name is not None and any(map(_may_be_table, _choices(value))):
                    found.append(name)
    return tuple(found)


def _may_be_table(value: Expression) -> bool:
    if not isinstance(value, Chain) or value.base is None:
        return False
    if not value.steps:
        return True
    is_called = value.steps[0].key == "table"  # Of `ext`, which may have another name.
    return is_called or value.base.text in ("Memory", "require")


def _choices(value: Expression) -> tuple[Expression, ...]:
    return value.operands if isinstance(value, Either) else (value,)


def _named(target: object) -> str | None:
    """The variable, or the field of `_G`, that a target is."""
    if not isinstance(target, Chain) or target.base is None:
        return None
    if not target.steps:
        return target.base.text
    key = target.steps[0].key
    is_field = target.base.text == _GLOBALS and len(target.steps) == 1
    return key if is_field and isinstance(key, str) else None


def _is_global(scopes: Scopes, target: object, name: str, base: int) -> bool:
    if _named(target) != name:
        return False
    assert isinstance(target, Chain)
    assert isinstance(target.base, nodes.Name)
    return scopes.occurrence(target.base, base).declaration is None
