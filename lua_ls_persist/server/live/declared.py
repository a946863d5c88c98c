"""Fields that the class of a value does not have, and that are nearly one that it has.

Owns what locals of a document are while it is read once. Must not know LSP types. Not for the
loop's thread.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from lua_ls_persist.server.analysis import scopes_of
from lua_ls_persist.server.analysis.nodes import Chain
from lua_ls_persist.server.documents import Document
from lua_ls_persist.server.live.inference import Inference
from lua_ls_persist.server.live.shapes import Instance, Shape
from lua_ls_persist.server.live.spelling import nearest
from lua_ls_persist.server.positions import Range

LOCALS_MAX: Final = 500
"""Of so many locals it is asked what they are."""


@dataclass(frozen=True, slots=True)
class Undeclared:
    """A field that a class does not have, and the one that was probably meant."""

    name: str
    meant: str
    text: str
    range: Range


class TypedLocals:
    """What the locals of one document are, each asked for once."""

    def __init__(self, inference: Inference, document: Document) -> None:
        self._inference = inference
        self._document = document
        self._left = LOCALS_MAX
        self._shapes: dict[int, Shape | None] = {}

    def shape(self, declared: int, chain: Chain, base: int) -> Shape | None:
        """What the local is that a chain begins with, by the offset of its declaration."""
        if declared not in self._shapes:
            self._left -= 1
            found = None
            if self._left >= 0:
                found = self._inference.of_chain(self._document, chain, base, 0)
            self._shapes[declared] = found
        return self._shapes[declared]

    def undeclared(self, chain: Chain, base: int, shape: Shape | None) -> Iterator[Undeclared]:
        """The fields in a chain that are nearly those of the classes there."""
        scopes = scopes_of(self._document)
        for place, step in enumerate(chain.steps):
            members = self._inference.members(shape)
            key = step.key
            is_read = step.kind in (".", ":") and not step.write and isinstance(key, str)
            if is_read and isinstance(shape, Instance) and members is not None and members.complete:
                known = {one.name for one in members.members}
                meant = None if key in known else nearest(str(key), known)
                if meant is not None:
                    text = f"class {shape.name} has no field '{key}'; did you mean '{meant}'?"
                    range_ = scopes.range(base + step.key_start, base + step.key_end)
                    yield Undeclared(str(key), meant, text, range_)
            shape = self._inference.of_chain(self._document, chain, base, place + 1)
            if shape is None:
                return
