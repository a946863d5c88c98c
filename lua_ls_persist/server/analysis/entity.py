"""A thing that has a name in a program, where it gets a value, and where a field of it is used."""

from __future__ import annotations

from typing import Literal as OneOf
from typing import NamedTuple

from lua_ls_persist.server.analysis import nodes
from lua_ls_persist.server.analysis.lexer import is_identifier

GLOBAL = ("global",)

# Tuples, for one question about fields makes thousands of them and looks them up.


class Entity(NamedTuple):
    """Something that has a name in a program."""

    root: tuple[str, ...]
    """`("global",)`; `("local", uri, offset)`; `("returned", uri)` for the table that a file
    returns without a name; `("module", name)` for what `require` gives."""
    keys: tuple[nodes.CONSTANT_KEY, ...]
    """Of a global, its name comes first."""

    def at(self, *keys: nodes.CONSTANT_KEY) -> Entity:
        """A field of it."""
        return Entity(self.root, self.keys + keys)

    @property
    def is_global(self) -> bool:
        """Whether it is a global, or a field of one."""
        return self.root == GLOBAL


class Definition(NamedTuple):
    """Where something gets a value; in offsets of the text."""

    entity: Entity
    start: int
    end: int
    kind: OneOf["function", "method", "table", "value"]
    origin: OneOf["local", "chain", "key"]
    """How it is written: declared, assigned, or as a key of a table constructor."""


def shown(entity: Entity) -> str:
    """As it would be written: `M.size`, `M["a b"]`."""
    text = ""
    for key in entity.keys:
        plain = isinstance(key, str) and is_identifier(key)
        text += (f".{key}" if text else str(key)) if plain else f"[{key!r}]"
    return text
