"""Other names of the tables of the store: globals, and modules that are such a table.

Part of one question of `inference`, which it asks what values are. A global is another name where
files give it such a table and nothing else; or where no file says what it is given, and the VM has
such a table there. Must not know LSP types.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeGuard

from lua_ls_persist.server.analysis import scopes_of
from lua_ls_persist.server.analysis.entities import entities_of
from lua_ls_persist.server.analysis.holding import values_given
from lua_ls_persist.server.analysis.nodes import Chain, Expression
from lua_ls_persist.server.live.shapes import FILES_MAX, Shape
from lua_ls_persist.session.sights import ANY, Way

if TYPE_CHECKING:
    from lua_ls_persist.server.live.inference import Walk


class StoredNames:
    """Answers in one walk."""

    def __init__(self, walk: Walk, live: Mapping[str, str]) -> None:
        self._walk = walk
        self._live = live
        """The named tables that globals hold in the VM."""
        self._files = walk.navigator.files
        self._holders: set[str] | None = None

    def held(self, name: str) -> Way | None:
        """The table that a global holds, if it is given nothing else anywhere."""
        if self._holders is None:
            self._holders = self._files.holders()
        if name not in self._holders and name not in self._live:
            return None
        return self._walk.once(("held", name), lambda: self._given(name))

    def _given(self, name: str) -> Way | None:
        live = Way((), self._live[name]) if name in self._live else None
        found: set[Way] = set() if live is None else {live}
        if self._files.count_mentioning(name) > FILES_MAX:
            return None
        for document in self._files.mentioning(name):
            for value, base in values_given(scopes_of(document), name):
                shape = self._walk.value(document, value, base)
                if is_stored(shape) and ANY not in shape.steps:
                    found.add(shape)
                elif live is None or shape is not None or not _is_call(value):
                    return None
        return found.pop() if len(found) == 1 else None

    def exported(self, module: str) -> Way | None:
        """The table that a module returns, if it is one of the store."""
        document = self._files.module(module)
        return (
            None
            if document is None
            else self._walk.once(
                ("exported", document.uri),
                lambda: _stored(self._walk.value(document, *entities_of(document).returned())),
            )
        )


def is_stored(shape: Shape | None) -> TypeGuard[Way]:
    """Whether something is a table of the store, or in one."""
    if not isinstance(shape, Way):
        return False
    return shape.root is not None or (
        shape.is_global and shape.steps[:1] == ("Memory",) and len(shape.steps) > 1
    )


def _is_call(value: Expression) -> bool:
    """Whether what something is given is what a function returns: the VM knows what that was."""
    return isinstance(value, Chain) and bool(value.steps) and value.steps[-1].kind == "("


def _stored(shape: Shape | None) -> Way | None:
    return shape if is_stored(shape) else None
