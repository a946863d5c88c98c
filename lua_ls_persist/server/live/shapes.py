"""What expressions may be, and what there is in it: classes of annotations, constructed tables.

Owns the shapes that inference answers with, and their members. Must not know LSP types or sessions.
Not for the loop's thread, because other files may have to be read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeAlias

from lua_ls_persist.server.analysis import Scopes, scopes_of
from lua_ls_persist.server.analysis.annotations import ClassNote, annotations_of
from lua_ls_persist.server.analysis.entities import entities_of, unwrapped
from lua_ls_persist.server.analysis.entity import Definition, Entity, shown
from lua_ls_persist.server.analysis.nodes import Block, Either, Literal, Name, Step
from lua_ls_persist.server.documents import Document
from lua_ls_persist.server.live.resolving import Group, Groups, Literally, QueryRow, QueryRows
from lua_ls_persist.server.navigation import Spot, settled
from lua_ls_persist.server.positions import Position
from lua_ls_persist.server.workspace_files import WorkspaceFiles
from lua_ls_persist.session.sights import Way

if TYPE_CHECKING:
    from lua_ls_persist.schema.type_texts import FunctionType

PARENTS_MAX: Final = 10
FILES_MAX: Final = 50
"""What has a name that stands in more files is not looked for: each would have to be read."""


@dataclass(frozen=True, slots=True)
class Instance:
    """A value of a class that annotations declare, or the table that is the class."""

    name: str


@dataclass(frozen=True, slots=True)
class ListOf:
    """A table whose elements are of one kind."""

    element: Shape
    has_names: bool = False
    """Whether strings are keys, too."""


@dataclass(frozen=True, slots=True)
class Built:
    """A table that a constructor makes."""

    uri: str
    start: int
    """Where the constructor begins, as an offset of its document."""
    inherits: bool = False
    """Whether it has a metatable, which may have more fields."""


@dataclass(frozen=True, slots=True)
class Items:
    """What a constructor lists: one table of those that stand in it one after the other."""

    uri: str
    start: int


@dataclass(frozen=True, slots=True)
class Named:
    """A table that has a name in the sources, or an object of it where it is a class."""

    entity: Entity


@dataclass(frozen=True, slots=True)
class Called:
    """A function of which an annotation says how it is called."""

    type: FunctionType


Shape: TypeAlias = (
    "Instance | ListOf | Built | Items | Named | Called | Way"
    " | QueryRows | QueryRow | Groups | Group | Literally"
)


OF_SOURCES: Final = (Instance, ListOf, Built, Items, Named, Called)
"""Shapes of which only the sources know what they have, not the VM."""


@dataclass(frozen=True, slots=True)
class Member:
    """A field or a method of something whose shape is known."""

    name: str
    type: str
    """As its annotation writes it; empty where there is none."""
    text: str
    is_function: bool
    spot: Spot
    owner: str
    """The class that has it; empty for a table that is constructed."""
    certain: bool = True
    """Whether it gets its value at the spot only."""


@dataclass(frozen=True, slots=True)
class Members:
    """What something has."""

    members: tuple[Member, ...]
    complete: bool
    """Whether these are all: no parent is unknown, and none of them is of any name."""

    def named(self, name: str) -> Member | None:
        """The member of a name."""
        return next((one for one in self.members if one.name == name), None)


def members_of(files: WorkspaceFiles, shape: Instance | Built | Items | Named) -> Members | None:
    """What something has, as far as the sources say."""
    match shape:
        case Instance():
            return class_members(files, shape.name)
        case Built():
            return built_members(files, shape)
        case Items():
            return item_members(files, shape)
    return named_members(files, shape.entity)


def class_name(files: WorkspaceFiles, entity: Entity) -> str | None:
    """The class of annotations that a local or a returned table is; None if it is none."""
    for document in documents_of(files, entity):
        if entity in _class_tables(document):
            return _class_tables(document)[entity]
    return None


def _class_tables(document: Document) -> Mapping[Entity, str]:
    """The tables of a document that are classes of annotations, found once."""
    found = document.derived.get("class tables")
    if not isinstance(found, dict):
        classes = annotations_of(document).classes
        tables = ((class_table(document, note), note.name) for note in classes)
        found = {table: name for table, name in tables if table is not None}
        document.derived["class tables"] = found
    return found


def class_members(files: WorkspaceFiles, name: str) -> Members | None:
    """What a class has, with what it has of its parents; None if nobody knows it."""
    found: dict[str, Member] = {}
    seen: set[str] = set()
    complete = True
    waiting = [name]
    while waiting and len(seen) < PARENTS_MAX:
        current = waiting.pop(0)
        if current in seen:
            continue
        seen.add(current)
        notes = list(files.classes(current))
        complete = complete and bool(notes)
        for note in notes:
            complete = complete and not note.is_open
            waiting += note.parents
            for member in _declared_in(files, note):
                found.setdefault(member.name, member)
    return Members(tuple(found.values()), complete and not waiting) if found or complete else None


def built_members(files: WorkspaceFiles, shape: Built) -> Members | None:
    """The fields that a constructor names."""
    document = files.document(shape.uri)
    if document is None:
        return None
    scopes = scopes_of(document)
    for base, statement in scopes.around(shape.start):
        for block in statement.blocks:
            if base + block.start == shape.start and block.kind == "table":
                found = tuple(_fields(document, block, base))
                parent = entities_of(document).metatables.foreign.get(shape.start)
                if parent is not None:
                    found += _inherited(files, parent, {one.name for one in found})
                return Members(found, complete=not shape.inherits)
    return None


def _inherited(files: WorkspaceFiles, parent: Entity, own: set[str]) -> tuple[Member, ...]:
    """What an object has of the class of another file."""
    members = named_members(files, settled(files, parent))
    return tuple(one for one in members.members if one.name not in own) if members else ()


def _declared_in(files: WorkspaceFiles, note: ClassNote) -> Iterator[Member]:
    document = files.document(note.uri)
    if document is None:
        return
    for one in note.fields:
        is_function = one.type.startswith("fun")
        yield Member(
            one.name, one.type, one.text, is_function, Spot(document, one.range), note.name
        )
    yield from _written_in(document, note)


def class_table(document: Document, note: ClassNote) -> Entity | None:
    """The table below the annotations of a class, which is the class."""
    scopes = scopes_of(document)
    row = document.row(note.owner_row)
    if not row.strip():
        return None
    column = len(row) - len(row.lstrip())
    start = scopes.offset(Position(note.owner_row, column))
    for base, statement in scopes.around(start):
        if base != start or not statement.targets:
            continue
        target = statement.targets[0]
        table = unwrapped(statement.values[0]) if statement.values else None
        if isinstance(table, Either):
            table = table.operands[-1]
        if isinstance(target, Step) or not (isinstance(table, Block) and table.kind == "table"):
            return None
        if isinstance(target, Name):
            declaration = scopes.occurrence(target, base).declaration
            return None if declaration is None else entities_of(document).declared(declaration)
        return entities_of(document).of_chain(target, base)
    return None


def _written_in(document: Document, note: ClassNote) -> Iterator[Member]:
    """What the table that is the class gets in its own document: methods mostly."""
    owner = class_table(document, note)
    if owner is not None:
        own = entities_of(document).definitions_of(owner)
        yield from _members([(document, one) for one in own], note.name)


def named_members(files: WorkspaceFiles, entity: Entity) -> Members | None:
    """What the sources set of a table that has a name, and of those it inherits from."""
    found: dict[str, Member] = {}
    seen: set[Entity] = set()
    current: Entity | None = entity
    while current is not None and current not in seen and len(seen) < PARENTS_MAX:
        seen.add(current)
        owner, parent = current, None
        places: list[tuple[Document, Definition]] = []
        for document in documents_of(files, owner):
            entities = entities_of(document)
            places += [(document, one) for one in entities.definitions_of(owner)]
            metatables = entities.metatables
            parent = parent or metatables.parents.get(owner) or metatables.objects.get(owner)
        for member in _members(places, shown(owner)):
            found.setdefault(member.name, member)
        current = None if parent is None else settled(files, parent)
    return Members(tuple(found.values()), complete=False) if found else None


def documents_of(files: WorkspaceFiles, entity: Entity) -> Iterator[Document]:
    """Where the fields of something get their values: for a global, wherever it stands."""
    if entity.is_global:
        name = str(entity.keys[0])
        if files.count_mentioning(name) <= FILES_MAX:
            yield from files.mentioning(name)
    elif len(entity.root) > 1 and entity.root[0] in ("local", "returned"):
        document = files.document(entity.root[1])
        if document is not None:
            yield document


def _members(places: Sequence[tuple[Document, Definition]], owner: str) -> Iterator[Member]:
    count = Counter(one.entity.keys[-1] for _, one in places)
    for document, one in places:
        key = one.entity.keys[-1]
        if isinstance(key, str) and key[:2] != "__":
            spot = Spot(document, scopes_of(document).range(one.start, one.end))
            is_function = one.kind in ("function", "method")
            yield Member(key, "", "", is_function, spot, owner, certain=count[key] == 1)


def item_members(files: WorkspaceFiles, shape: Items) -> Members | None:
    """The fields of the tables that a constructor lists."""
    found: dict[str, Member] = {}
    document = files.document(shape.uri)
    if document is None:
        return None
    for base, table in listed_tables(scopes_of(document), shape.start):
        for member in _fields(document, table, base):
            known = found.get(member.name)
            # Each of them has it from its own place.
            found[member.name] = member if known is None else replace(known, certain=False, text="")
    return Members(tuple(found.values()), complete=False) if found else None


def listed_tables(scopes: Scopes, start: int) -> Iterator[tuple[int, Block]]:
    """The tables that stand one after the other in the constructor at a place."""
    for base, statement in scopes.around(start):
        for block in statement.blocks:
            if base + block.start != start or block.kind != "table":
                continue
            for offset, one in zip(block.offsets, block.statements, strict=True):
                value = one.values[0] if one.values and not one.targets else None
                if isinstance(value, Block) and value.kind == "table":
                    yield base + offset, value
            # Those that do not begin a row belong to the statement around.
            inside = [
                other
                for other in statement.blocks
                if block.start < other.start and other.end <= block.end and other.kind == "table"
            ]
            end = -1
            for other in sorted(inside, key=lambda one: one.start):
                if other.start >= end:
                    end = other.end
                    yield base, other
            return


def literal_text(document: Document, value: Literal, base: int) -> str:
    """A constant as it is written."""
    return scopes_of(document).chunk.source[base + value.start : base + value.end]


def _fields(document: Document, block: Block, base: int) -> Iterator[Member]:
    scopes = scopes_of(document)
    for offset, field in zip(block.offsets, block.statements, strict=True):
        key = field.targets[0] if field.targets else None
        if not isinstance(key, Step) or not isinstance(key.key, str):
            continue
        at = base + offset
        value = field.values[0] if field.values else None
        is_function = isinstance(value, Block) and value.kind == "function"
        range_ = scopes.range(at + key.key_start, at + key.key_end)
        text = ""
        if isinstance(value, Literal) and value.value is not None:
            text = literal_text(document, value, at)
        spot = Spot(document, range_)
        certain = not _is_written(document, key.key)
        yield Member(key.key, "", text, is_function, spot, "", certain=certain)


def _is_written(document: Document, key: str) -> bool:
    """Whether a field of that name is assigned anywhere in a document."""
    return any(
        step.write and step.key == key
        for _, statement in scopes_of(document).mentioning(key)
        for chain in statement.chains
        for step in chain.steps
    )
