"""Where fields are defined and used, by what they are fields of.

Locals, globals and labels are found as `navigation` finds them; fields by what inference knows of
the table before the dot, and of the rows that a question is about. What it does not know is told
apart: it may be the same field, or not.
Must not know LSP types. Not for the loop's thread, because other files may have to be read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from lua_ls_persist.server.analysis import Name, Scopes, scopes_of
from lua_ls_persist.server.analysis.annotations import annotations_of
from lua_ls_persist.server.analysis.entity import Entity
from lua_ls_persist.server.analysis.field_texts import field_text_at, field_texts
from lua_ls_persist.server.analysis.key_uses import Alike, key_at, key_uses_alike
from lua_ls_persist.server.documents import Document
from lua_ls_persist.server.live.identity import Identities
from lua_ls_persist.server.live.inference import NOTHING_LIVE
from lua_ls_persist.server.navigation import Navigator, Spot, in_order
from lua_ls_persist.server.positions import Position

POSSIBLE_MAX: Final = 1_000
"""So many places are told that may mean the same."""


@dataclass(frozen=True, slots=True)
class Field:
    """A field, and its name."""

    text: str
    entity: Entity | None
    """None where it is not certain of what it is a field."""


@dataclass(frozen=True, slots=True)
class Uses:
    """Where a field is used."""

    certain: tuple[Spot, ...]
    possible: tuple[Spot, ...] = ()
    """Fields of the same name, of something unknown, or of a class that inherits it."""


class Finder:
    """Answers about one place of texts as they are now.

    With `live`, the VM's globals that hold named tables, each with the table's name, these are
    known where no source says what they hold.
    """

    def __init__(self, navigator: Navigator, live: Mapping[str, str] = NOTHING_LIVE) -> None:
        self.navigator = navigator
        self._identities = Identities(navigator, live)

    def field_at(self, document: Document, position: Position) -> Field | None:
        """The field whose name stands at a place, in code or in `---@field`."""
        name = scopes_of(document).name_at(position)
        if name is None:
            return _declared_at(document, position) or self.field_named_at(document, position)
        return self.field_of(document, name)

    def field_named_at(self, document: Document, position: Position) -> Field | None:
        """The field of rows that a text names at a place, in a question or for an index."""
        scopes = scopes_of(document)
        use = field_text_at(scopes, scopes.offset(position))
        if use is None:
            return None
        text = scopes.chunk.source[use.start : use.end]
        return Field(text, self._identities.of_use(document, use, text))

    def field_of(self, document: Document, name: Name) -> Field | None:
        """The field that a name in the code is; None for variables and labels."""
        if name.kind not in ("field", "method"):
            return None
        scopes = scopes_of(document)
        use = key_at(scopes, scopes.offset(name.range.start))
        entity = None if use is None else self._identities.of_use(document, use, name.text)
        return Field(name.text, entity)

    def definitions(self, document: Document, position: Position) -> list[Spot]:
        """Where what stands at a position is defined; of unknown fields, by the name alone."""
        field = self.field_at(document, position)
        if field is None or (field.entity is not None and is_variable(field.entity)):
            return in_order(self.navigator.definitions(document, position))
        found = self.definitions_of(document, field)
        return found or in_order(self.navigator.guesses(document, field.text))

    def definitions_of(self, document: Document, field: Field) -> list[Spot]:
        """Where a field is defined, if it is certain of what it is a field."""
        if field.entity is None:
            return []
        return in_order(self._declarations(field.entity) or self._writes(document, field))

    def references(self, document: Document, position: Position) -> list[Spot]:
        """All places that mean the same as what stands at a position, definitions included."""
        field = self.field_at(document, position)
        if field is None or (field.entity is not None and is_variable(field.entity)):
            return in_order(self.navigator.references(document, position))
        if field.entity is None:
            return in_order(list(self._uses_in(document, field)))
        found = self._declarations(field.entity)
        for other in self._mentioning(document, field):
            found += self._uses_in(other, field)
        return in_order(found)

    def highlights(self, document: Document, position: Position) -> list[Spot]:
        """The places in the document itself that mean the same as what stands at a position."""
        field = self.field_at(document, position)
        if field is None or (field.entity is not None and is_variable(field.entity)):
            return in_order(self.navigator.references_in(document, position))
        found = list(self._uses_in(document, field))
        if field.entity is not None:
            declared = self._declarations(field.entity)
            found += [spot for spot in declared if spot.document.uri == document.uri]
        return in_order(found)

    def uses(self, document: Document, field: Field) -> Uses:
        """Where a field is used in the file set, and where perhaps."""
        assert field.entity is not None
        certain = self._declarations(field.entity)
        possible: list[Spot] = []
        for other in self._mentioning(document, field):
            for alike in _all_uses(scopes_of(other), field.text):
                entity = self._identities.of_use(other, alike.first, field.text)
                if entity == field.entity:
                    certain += _spots(other, alike)
                elif len(possible) < POSSIBLE_MAX and (
                    (alike.first.before is None or may_be_row(field.entity))
                    if entity is None
                    else self._identities.are_related(entity, field.entity)
                ):
                    possible += _spots(other, alike)
        return Uses(tuple(in_order(certain)), tuple(in_order(possible)[:POSSIBLE_MAX]))

    def first_use(self, document: Document, field: Field) -> Spot | None:
        """Some place where a field is used; None if there is none."""
        if field.entity is None:
            return None
        declared = self._declarations(field.entity)
        if declared:
            return declared[0]
        for other in self._mentioning(document, field):
            found = next(self._uses_in(other, field), None)
            if found is not None:
                return found
        return None

    def _mentioning(self, document: Document, field: Field) -> Iterator[Document]:
        """Where the name of a field stands: the document, then where its table is, then others."""
        first = [document]
        root = () if field.entity is None else field.entity.root
        if len(root) > 1 and root[0] in ("local", "returned", "built"):
            home = self.navigator.files.document(root[1])
            first += [] if home is None else [home]
        return self.navigator.files.mentioning(field.text, first=first)

    def _uses_in(self, document: Document, field: Field) -> Iterator[Spot]:
        for alike in _all_uses(scopes_of(document), field.text):
            if self._identities.of_use(document, alike.first, field.text) == field.entity:
                yield from _spots(document, alike)

    def _writes(self, document: Document, field: Field) -> list[Spot]:
        """Where a field gets a value."""
        return [
            spot
            for other in self._mentioning(document, field)
            for alike in key_uses_alike(scopes_of(other), field.text)
            if any(use.is_write for use in alike.uses)
            and self._identities.of_use(other, alike.first, field.text) == field.entity
            for spot in _spots(other, alike)
            if spot.is_write
        ]

    def _declarations(self, entity: Entity) -> list[Spot]:
        """Where annotations declare a field of a class."""
        if entity.root[0] != "class" or len(entity.keys) != 1:
            return []
        files = self.navigator.files
        return [
            Spot(document, one.range, is_write=True)
            for note in files.classes(entity.root[1])
            if (document := files.document(note.uri)) is not None
            for one in note.fields
            if one.name == entity.keys[0]
        ]


def _all_uses(scopes: Scopes, key: str) -> Iterator[Alike]:
    """Where a key is written, as such or in the text of a field."""
    yield from key_uses_alike(scopes, key)
    for use in field_texts(scopes, key):
        yield Alike(0, (use,))


def may_be_row(entity: Entity) -> bool:
    """Whether something may be a field of a row of a stored table."""
    return entity.root[0] in ("stored", "class") or (
        entity.is_global and entity.keys[0] == "Memory"
    )


def is_variable(entity: Entity) -> bool:
    """Whether it is a global, written as a field of `_G`."""
    return entity.is_global and len(entity.keys) == 1


def _declared_at(document: Document, position: Position) -> Field | None:
    """The field whose name stands in an annotation at a place."""
    for note in annotations_of(document).classes:
        for one in note.fields:
            if one.range.start <= position <= one.range.end:
                return Field(one.name, Entity(("class", note.name), (one.name,)))
    return None


def _spots(document: Document, alike: Alike) -> Iterator[Spot]:
    scopes = scopes_of(document)
    for use in alike.uses:
        range_ = scopes.range(alike.base + use.start, alike.base + use.end)
        yield Spot(document, range_, is_write=use.is_write, quoted=use.quoted)
