"""Where names lead in the file set: definitions, references, and which places a rename changes.

Must not know LSP types. Looks only at files that mention the name. Not for the loop's thread where
other files may have to be read.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from lua_ls_persist.server import uris
from lua_ls_persist.server.analysis import Name, scopes_of
from lua_ls_persist.server.analysis.entities import entities_of
from lua_ls_persist.server.analysis.entity import GLOBAL, Definition, Entity
from lua_ls_persist.server.analysis.key_uses import key_uses
from lua_ls_persist.server.analysis.library import GLOBAL_TABLES
from lua_ls_persist.server.analysis.metatables import INDEX
from lua_ls_persist.server.documents import Document
from lua_ls_persist.server.positions import Position, Range
from lua_ls_persist.server.workspace_files import WorkspaceFiles

MODULES_FOLLOWED_MAX = 8
GUESSES_MAX = 20
"""Definitions shown of a field of which it is not known what it is a field of."""


@dataclass(frozen=True, slots=True)
class Spot:
    """A place in a document that may not be open."""

    document: Document
    range: Range
    is_write: bool = False
    quoted: bool = False


@dataclass(frozen=True, slots=True)
class Navigator:
    """Answers about the file set."""

    files: WorkspaceFiles

    def definitions(self, document: Document, position: Position) -> list[Spot]:
        """Where what stands at a position is defined."""
        scopes = scopes_of(document)
        module = self.module_at(document, position)
        if module is not None:
            return [module]
        name = scopes.name_at(position)
        if name is None:
            return []
        if name.declaration is not None:
            required = self._required(document, name) if name.is_declaration else None
            return [required or Spot(document, name.declaration, is_write=True)]
        if name.kind == "label":
            return []
        entity = self.entity(document, name)
        found = [] if entity is None else list(self.defined(document, name.text, entity))
        return found or (self.guesses(document, name.text) if name.kind != "global" else [])

    def defined(self, document: Document, text: str, entity: Entity) -> Iterator[Spot]:
        """Where an entity whose last key is `text` gets a value."""
        is_variable = entity.is_global and len(entity.keys) == 1
        for other in self._mentioning(document, text, entity):
            if is_variable and not _has_global_table(other):
                for use in scopes_of(other).global_uses(text):
                    if use.is_write:
                        yield Spot(other, use.range, is_write=True)
                continue
            for definition in entities_of(other).definitions(text):
                if definition.origin != "local" and self.settled(definition.entity) == entity:
                    yield _spot(other, definition)

    def references(self, document: Document, position: Position) -> list[Spot]:
        """All places that mean the same variable or label, its declaration included."""
        name = scopes_of(document).name_at(position)
        if name is None:
            return []
        if name.declaration is not None or name.kind == "label":
            return [
                Spot(document, use.range, is_write=use.is_write)
                for use in scopes_of(document).uses(name)
            ]
        return list(self.global_uses(document, name.text))

    def references_in(self, document: Document, position: Position) -> list[Spot]:
        """Those of the document itself."""
        name = scopes_of(document).name_at(position)
        if name is None or name.declaration is not None or name.kind == "label":
            return self.references(document, position)
        return list(_global_uses_in(document, name.text))

    def global_uses(self, document: Document, text: str) -> Iterator[Spot]:
        """All places in the file set that mean a global, also as a field of `_G`."""
        for other in self.files.mentioning(text, first=[document]):
            yield from _global_uses_in(other, text)

    def _mentioning(self, document: Document, text: str, entity: Entity) -> Iterator[Document]:
        """Where a name stands: the document, then that of the entity, then all others."""
        first = [document]
        if len(entity.root) > 1 and entity.root[0] != "module":
            home = self.files.document(entity.root[1])
            first += [] if home is None else [home]
        return self.files.mentioning(text, first=first)

    def entity(self, document: Document, name: Name) -> Entity | None:
        """What a global or a field is, wherever it is defined."""
        entities = entities_of(document)
        if name.kind == "global":
            return Entity(("global",), (name.text,))
        entity = entities.at(scopes_of(document).offset(name.range.start))
        return None if entity is None else self.settled(entity)

    def settled(self, entity: Entity) -> Entity:
        """An entity by its own name where it is reached through modules."""
        return settled(self.files, entity)

    def module_at(self, document: Document, position: Position) -> Spot | None:
        """The module whose name stands at a position, as the argument of `require`."""
        call = scopes_of(document).call_at(position)
        if call is None or call.function.text != "require" or call.argument or not call.constants:
            return None
        name = call.constants[0]
        return self._module(document, name) if isinstance(name, str) else None

    def _required(self, document: Document, name: Name) -> Spot | None:
        """The module that a local is declared with."""
        value = scopes_of(document).value_of(name.range)
        path = None if value is None else value.path
        if (
            path is None
            or path.base is None
            or path.base.text != "require"
            or len(path.steps) != 1
            or len(path.steps[0].arguments) != 1
        ):
            return None
        module = path.steps[0].arguments[0]
        return self._module(document, module) if isinstance(module, str) else None

    def _module(self, document: Document, name: str) -> Spot | None:
        module = self.files.module(name, beside=document)
        return None if module is None else Spot(module, Range.of(0, 0, 0, 0))

    def guesses(self, document: Document, text: str) -> list[Spot]:
        """Definitions of a field by its name alone: in the document, else functions anywhere."""
        own = [
            _spot(document, definition)
            for definition in entities_of(document).definitions(text)
            if definition.origin != "local"
        ]
        if own:
            return own[:GUESSES_MAX]
        found: list[Spot] = []
        for other in self.files.mentioning(text):
            for definition in entities_of(other).definitions(text):
                if definition.kind in ("function", "method") and definition.origin != "local":
                    found.append(_spot(other, definition))
                    if len(found) >= GUESSES_MAX:
                        return found
        return found


def _global_uses_in(document: Document, text: str) -> Iterator[Spot]:
    scopes = scopes_of(document)
    for name in scopes.global_uses(text):
        yield Spot(document, name.range, is_write=name.is_write)
    if not _has_global_table(document):
        return
    for use in key_uses(scopes, text):
        found = use.chain and entities_of(document).of_chain(use.chain, use.base, use.steps)
        if found == Entity(GLOBAL, (text,)):
            range_ = scopes.range(use.start, use.end)
            yield Spot(document, range_, is_write=use.is_write, quoted=use.quoted)


def settled(files: WorkspaceFiles, entity: Entity) -> Entity:
    """An entity by its own name where it is reached through modules, or through `__index`."""
    for _ in range(MODULES_FOLLOWED_MAX):
        if entity.root[0] == "module":
            module = files.module(entity.root[1])
            exported = None if module is None else entities_of(module).exported()
            if exported is None:
                break
            entity = exported.at(*entity.keys)
        elif INDEX in entity.keys:
            place = entity.keys.index(INDEX)
            leads = _index_of(files, Entity(entity.root, entity.keys[:place]))
            if leads is None:
                break
            entity = leads.at(*entity.keys[place + 1 :])
        else:
            break
    return entity


def is_settled(entity: Entity) -> bool:
    """Whether an entity is known by its own name."""
    return entity.root[0] != "module" and INDEX not in entity.keys


def _index_of(files: WorkspaceFiles, metatable: Entity) -> Entity | None:
    """Where the `__index` of a metatable leads, by the file that makes it."""
    if metatable.is_global:
        wanted = metatable.at(INDEX)
        found = {leads for owner, leads in files.inheritance() if owner == wanted}
        return found.pop() if len(found) == 1 else None
    document = files.document(metatable.root[1]) if len(metatable.root) > 1 else None
    if document is None:
        return None
    return entities_of(document).metatables.indexed.get(metatable)


def _spot(document: Document, definition: Definition) -> Spot:
    scopes = scopes_of(document)
    return Spot(document, scopes.range(definition.start, definition.end), is_write=True)


def _has_global_table(document: Document) -> bool:
    """Whether globals may be written as fields of `_G` or `_ENV`."""
    return not scopes_of(document).chunk.root.mentions.isdisjoint(GLOBAL_TABLES)


def in_order(spots: list[Spot]) -> list[Spot]:
    """Without repetitions, in the order of the text; documents in the order they came."""
    order: dict[str, int] = {}
    unique: dict[tuple[str, Range], Spot] = {}
    for spot in spots:
        key = uris.key_of(spot.document.uri)
        order.setdefault(key, len(order))
        unique.setdefault((key, spot.range), spot)
    return [
        unique[key]
        for key in sorted(unique, key=lambda key: (order[key[0]], key[1].start, key[1].end))
    ]
