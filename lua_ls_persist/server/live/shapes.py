"""What expressions may be, and what there is in it: classes of annotations, constructed tables.

Owns the shapes that inference answers with, and their members. Must not know LSP types or sessions.
Not for the loop's thread, because other files may have to be read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from lua_ls_persist.server.analysis import scopes_of
from lua_ls_persist.server.analysis.annotations import ClassNote
from lua_ls_persist.server.analysis.entities import entities_of
from lua_ls_persist.server.analysis.nodes import Block, Literal, Step
from lua_ls_persist.server.documents import Document
from lua_ls_persist.server.live.resolving import Literally, QueryRow, QueryRows
from lua_ls_persist.server.navigation import Spot
from lua_ls_persist.server.workspace_files import WorkspaceFiles
from lua_ls_persist.session.sights import Way

PARENTS_MAX: Final = 10


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


Shape: TypeAlias = "Instance | ListOf | Built | Way | QueryRows | QueryRow | Literally"


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
                return Members(found, complete=not shape.inherits)
    return None


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


def _written_in(document: Document, note: ClassNote) -> Iterator[Member]:
    """What the table that is the class gets in its own document: methods mostly."""
    scopes, entities = scopes_of(document), entities_of(document)
    owner = next(
        (
            one
            for one in entities.definitions()
            if scopes.position(one.start).row == note.owner_row and one.kind == "table"
        ),
        None,
    )
    if owner is None:
        return
    own = [
        one
        for one in entities.definitions()
        if one.entity.root == owner.entity.root
        and one.entity.keys
        and one.entity.keys[:-1] == owner.entity.keys
    ]
    count = Counter(one.entity.keys[-1] for one in own)
    for one in own:
        key = one.entity.keys[-1]
        if isinstance(key, str) and key[:2] != "__":
            spot = Spot(document, scopes.range(one.start, one.end))
            is_function = one.kind in ("function", "method")
            yield Member(key, "", "", is_function, spot, note.name, certain=count[key] == 1)


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
