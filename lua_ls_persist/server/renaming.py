"""Renaming: which places change, and why a name will not do.

Owns the check of a new name. A local is renamed in a copy of the text, which is then analysed: only
if every name in it means what it meant before is the new name a good one. Must not know LSP types.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lua_ls_persist.errors import LuaPersistError
from lua_ls_persist.server import uris
from lua_ls_persist.server.analysis import KEYWORDS, Name, Scopes, is_identifier, scopes_of
from lua_ls_persist.server.analysis.entity import Entity
from lua_ls_persist.server.analysis.library import LIBRARY
from lua_ls_persist.server.analysis.parsing import parse
from lua_ls_persist.server.documents import Document
from lua_ls_persist.server.live.finding import Field, Finder, is_variable
from lua_ls_persist.server.live.labels import label
from lua_ls_persist.server.navigation import Navigator, Spot, in_order
from lua_ls_persist.server.positions import Position, Range


class RenameError(LuaPersistError):
    """What stands there cannot be renamed, or not to that name; the message says why."""


@dataclass(frozen=True, slots=True)
class Renaming:
    """The places to change."""

    spots: tuple[Spot, ...]
    text: str
    is_certain: bool
    """Whether they are all there are: not for globals and fields, which programs reach by other
    ways too."""
    description: str
    possible: tuple[Spot, ...] = ()
    """Places that may mean the same, and that change only if somebody says so."""


def renamable(finder: Finder, document: Document, position: Position) -> Range | None:
    """Where the name at a place stands, if it can be renamed; None where there is no name.

    Raises:
        RenameError: it cannot be renamed.
    """
    field = finder.field_at(document, position)
    name = scopes_of(document).name_at(position)
    if field is not None:
        _check_field(field)
    if name is None:
        spots = () if field is None else finder.uses(document, field).certain
        inside = (spot.range for spot in spots if spot.document.uri == document.uri)
        return next((one for one in inside if one.start <= position <= one.end), None)
    if name.kind == "parameter" and name.text == "self" and not _is_written(document, name):
        raise RenameError("`self` is the parameter that a method has without naming it")
    if name.kind == "global" and _is_given(name.text):
        raise RenameError(f"`{name.text}` belongs to {_owner(name.text)}")
    return name.range


def _check_field(field: Field) -> None:
    """Complains if a field is nobody's, or not of the user's making."""
    entity = field.entity
    if entity is None:
        raise RenameError(
            f"nothing in the sources says what table `{field.text}` is a field of here:"
            " find its references instead"
        )
    if entity.is_global and str(entity.keys[0]) in LIBRARY:
        raise RenameError(f"`{label(entity)}` belongs to {_owner(str(entity.keys[0]))}")
    if entity.root[0] == "module":
        raise RenameError(f"the module {entity.root[1]!r} is not in the workspace")


def rename(finder: Finder, document: Document, position: Position, new: str) -> Renaming:
    """The changes that rename what stands at a place.

    Raises:
        RenameError: it cannot be renamed, or not to `new`.
    """
    if renamable(finder, document, position) is None:
        raise RenameError("there is no name to rename here")
    field = finder.field_at(document, position)
    name = scopes_of(document).name_at(position)
    old = field.text if field is not None else name.text if name is not None else ""
    if old == new:
        return Renaming((), new, is_certain=True, description="")
    if new in KEYWORDS:
        raise RenameError(f"`{new}` is a keyword of Lua")
    entity = None if field is None else field.entity
    if field is not None and entity is not None and not is_variable(entity):
        return _renamed_field(finder, document, field, entity, new)
    assert name is not None
    if name.kind == "global" or field is not None:
        return _renamed_global(finder.navigator, document, name, new)
    _require_identifier(new)
    spots = in_order(finder.navigator.references(document, position))
    _check_scopes(document, spots, name, new)
    return Renaming(tuple(spots), new, is_certain=True, description=f"`{old}` to `{new}`")


def _renamed_field(
    finder: Finder, document: Document, field: Field, entity: Entity, new: str
) -> Renaming:
    uses = finder.uses(document, field)
    spots = [*uses.certain, *uses.possible]
    if not all(spot.quoted for spot in spots):
        _require_identifier(new)
    elif any(character in new for character in "\"'\\\n\r"):
        raise RenameError(f"{new!r} would have to be written with escapes")
    other = Field(new, Entity(entity.root, (*entity.keys[:-1], new)))
    there = finder.first_use(document, other)
    if there is not None and other.entity is not None:
        raise RenameError(f"`{label(other.entity)}` is something else already, at {_place(there)}")
    count = _count(len(_by_document(uses.certain)))
    description = f"The field `{label(entity)}` to `{new}` in {count}"
    if (entity.is_global and entity.keys[0] == "Memory") or entity.root[0] == "stored":
        description += "; what is stored keeps its name"
    return Renaming(uses.certain, new, False, description, uses.possible)


def _renamed_global(navigator: Navigator, document: Document, name: Name, new: str) -> Renaming:
    spots = in_order(list(navigator.global_uses(document, name.text)))
    _require_identifier(new)
    there = next(navigator.global_uses(document, new), None)
    if there is not None:
        raise RenameError(f"`{new}` is something else already, at {_place(there)}")
    if _is_given(new):
        raise RenameError(f"`{new}` belongs to {_owner(new)}")
    for other, places in _by_document(spots):
        _check_scopes(other, places, name, new)
    description = f"The global `{name.text}` to `{new}` in {_count(len(_by_document(spots)))}"
    return Renaming(tuple(spots), new, is_certain=False, description=description)


def _is_written(document: Document, name: Name) -> bool:
    """Whether a parameter stands in the list of parameters."""
    return name.declaration is not None and document.text(name.declaration) == name.text


def _is_given(text: str) -> bool:
    """Whether a global is there without a program's doing."""
    return text in LIBRARY or text in ("Memory", "_ENV")


def _owner(text: str) -> str:
    own = text in ("Memory", "ext")
    return "every session" if own else "Lua's standard library"


def _require_identifier(new: str) -> None:
    if not is_identifier(new):
        raise RenameError(
            f"{new!r} is no name in Lua: take letters, digits and underscores, no digit first"
        )


def _check_scopes(document: Document, spots: Sequence[Spot], name: Name, new: str) -> None:
    """Complains if a name would mean something else after the change."""
    old_scopes = scopes_of(document)
    growth = len(new) - len(name.text)
    starts = sorted(old_scopes.offset(spot.range.start) for spot in spots)
    pieces, last = [], 0
    for start in starts:
        pieces += [old_scopes.chunk.source[last:start], new]
        last = start + len(name.text)
    source = "".join(pieces) + old_scopes.chunk.source[last:]
    new_scopes = Scopes(parse(source, old_scopes.chunk))

    def moved(offset: int) -> int:
        return offset + growth * sum(1 for start in starts if start < offset)

    labels = name.kind == "label"
    if labels and _label_twice(old_scopes, name, new):
        raise RenameError(f"there is a label `{new}` already in this function")
    renamed = set(starts)
    declared = name.declaration and moved(old_scopes.offset(name.declaration.start))
    wanted = {moved(start): declared for start in starts}
    for start, declaration in old_scopes.meanings(new, labels=labels).items():
        if start in renamed:
            continue
        wanted[moved(start)] = None if declaration is None else moved(declaration)
    for start, declaration in new_scopes.meanings(new, labels=labels).items():
        if wanted.get(start, -1) != declaration:
            row = new_scopes.position(start).row
            raise RenameError(
                f"`{new}` means something else already where `{name.text}` is used,"
                f" at line {row + 1}"
            )


def _label_twice(scopes: Scopes, name: Name, new: str) -> bool:
    """Whether the function of a label has one of the new name."""
    if name.declaration is None:
        return False
    own = scopes.function_around(scopes.offset(name.declaration.start))
    return any(
        start == declaration and scopes.function_around(start) == own
        for start, declaration in scopes.meanings(new, labels=True).items()
    )


def _by_document(spots: Sequence[Spot]) -> list[tuple[Document, list[Spot]]]:
    documents: dict[str, tuple[Document, list[Spot]]] = {}
    for spot in spots:
        documents.setdefault(uris.key_of(spot.document.uri), (spot.document, []))[1].append(spot)
    return list(documents.values())


def _place(spot: Spot) -> str:
    return f"{spot.document.uri.rpartition('/')[2]}:{spot.range.start.row + 1}"


def _count(documents: int) -> str:
    return "1 file" if documents == 1 else f"{documents} files"
