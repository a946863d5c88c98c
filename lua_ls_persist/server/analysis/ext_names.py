"""By which names a document calls the functions of `ext`.

`ext.query(...)`; after `local e = ext` also `e.query(...)`, after `local query = ext.query` also
`query(...)`: locals that are never assigned again. Owns what such names mean; what the functions
are given is another question.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

from lua_ls_persist.server.analysis.facts import fact
from lua_ls_persist.server.analysis.nodes import LOCAL, Chain, Expression, Name, Statement
from lua_ls_persist.server.analysis.resolving import Declaration
from lua_ls_persist.server.analysis.scopes import Scopes
from lua_ls_persist.server.analysis.walking import statements

EXT: Final = "ext"
DEPTH_MAX: Final = 5
"""So many names, one for the other, are followed."""


class ExtNames:
    """Answers about one document as it is now."""

    def __init__(self, scopes: Scopes) -> None:
        self._scopes = scopes
        self._found: dict[int, tuple[str, ...]] = {}

    def function(self, chain: Chain, base: int) -> tuple[str, int] | None:
        """The function of `ext` that a chain begins with calling, and which of its steps calls."""
        if chain.base is None:
            return None
        keys = self._meaning(chain.base, base, DEPTH_MAX)
        if not keys:
            return None
        place = 2 - len(keys)
        if len(chain.steps) <= place or chain.steps[place].kind != "(":
            return None
        name = keys[1] if place == 0 else chain.steps[0].key
        return (name, place) if isinstance(name, str) else None

    def _meaning(self, name: Name, base: int, depth: int) -> tuple[str, ...]:
        """The keys that lead to what a variable is: `ext`, and a function of it; none otherwise."""
        declaration = self._scopes.occurrence(name, base).declaration
        if declaration is None:
            is_it = name.text == EXT and self._is_global(base + name.offset)
            return (EXT,) if is_it else ()
        if declaration.role != LOCAL or depth == 0:
            return ()
        found = self._found.get(declaration.start)
        if found is None:
            found = self._declared(declaration, depth - 1)
            self._found[declaration.start] = found
        return found

    def _declared(self, declaration: Declaration, depth: int) -> tuple[str, ...]:
        scopes = self._scopes
        for base, statement in scopes.around(declaration.start):
            for target, value in _given(statement):
                if base + target.offset == declaration.start:
                    if scopes.is_assigned_again(declaration):
                        return ()
                    assert value.base is not None
                    keys = self._meaning(value.base, base, depth)
                    keys += tuple(str(step.key) for step in value.steps)
                    return keys if keys[:1] == (EXT,) and len(keys) <= 2 else ()
        return ()

    def _is_global(self, start: int) -> bool:
        """Whether a name without declaration is that of a global: not where `_ENV` is a local."""
        if "_ENV" not in self._scopes.chunk.root.mentions:
            return True
        here = self._scopes.position(start)
        return any(use.range.start == here for use in self._scopes.global_uses(EXT))


def names_of_ext(scopes: Scopes) -> set[str]:
    """`ext`, and the locals that may be other names of it and of its functions."""
    names = {EXT}
    for statement in scopes.chunk.block.statements:
        if not names.isdisjoint(statement.mentions):
            for other, text in fact(statement, "other names", partial(_others, statement)):
                if text in names:
                    names.add(other)
    return names


def _others(statement: Statement) -> tuple[tuple[str, str], ...]:
    """The locals that are declared as a variable or a field of one, each with the variable."""
    return tuple(
        (target.text, value.base.text)
        for _, inner in statements(statement, 0)
        for target, value in _given(inner)
        if value.base is not None
    )


def _given(statement: Statement) -> Iterator[tuple[Name, Chain]]:
    """The locals of a declaration that are given a variable, or a field of one."""
    if statement.kind == "local":
        for target, value in zip(statement.targets, statement.values, strict=False):
            if isinstance(target, Name) and _is_name_or_field(value):
                assert isinstance(value, Chain)
                yield target, value


def _is_name_or_field(value: Expression) -> bool:
    if not isinstance(value, Chain) or value.base is None or len(value.steps) > 1:
        return False
    return all(step.kind in (".", "[") and isinstance(step.key, str) for step in value.steps)
