"""What is shown in the documents: results as hints and problems as notes, until they are outdated.

Owns `Note`, `Hint` and `Board`. Must not know LSP types, sessions, or how texts are found.

Everything on the board came from one evaluation. It goes when that code is evaluated again, when it
is edited, or when its document is closed; edits elsewhere shift it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

from lua_ls_persist.server import uris
from lua_ls_persist.server.documents import Edit
from lua_ls_persist.server.positions import Position, Range
from lua_ls_persist.server.tracking import moved_position, moved_range

HintKind: TypeAlias = Literal["result", "output", "local", "pending"]
_KINDS: Final[tuple[HintKind, ...]] = ("local", "output", "result", "pending")
"""In this order they stand behind one row."""
NoteLevel: TypeAlias = Literal["error", "warning", "information", "hint"]


@dataclass(frozen=True, slots=True)
class Related:
    """Another place that a note speaks of: a level of the traceback, an unclosed block."""

    uri: str
    range: Range
    text: str


@dataclass(frozen=True, slots=True)
class Note:
    """A message about a range of a document."""

    level: NoteLevel
    code: str
    text: str
    range: Range
    related: tuple[Related, ...] = ()


@dataclass(frozen=True, slots=True)
class Hint:
    """A short text behind the end of a row, with a longer one for those who ask."""

    position: Position
    label: str
    details: str = ""
    kind: HintKind = "result"


@dataclass(frozen=True, slots=True)
class Item:
    """A note or hint in a document, and the code whose edit ends it."""

    uri: str
    watched: Range
    content: Note | Hint


@dataclass(frozen=True, slots=True)
class Changed:
    """The documents whose notes or hints are other than before."""

    notes: frozenset[str] = frozenset()
    hints: frozenset[str] = frozenset()

    def __or__(self, other: Changed) -> Changed:
        return Changed(self.notes | other.notes, self.hints | other.hints)


@dataclass(slots=True)
class _Entry:
    """The items of one evaluation. `origin` is the key of the document that was evaluated."""

    origin: str
    items: list[Item]


_Outdated: TypeAlias = Callable[[_Entry, Item], bool]


class Board:
    """All notes and hints from evaluations. Used from the server's loop only."""

    def __init__(self) -> None:
        self._entries: list[_Entry] = []

    def notes(self, uri: str) -> list[Note]:
        """What is to be said about a document."""
        key = uris.key_of(uri)
        return [item.content for item in self._items(key) if isinstance(item.content, Note)]

    def hints(self, uri: str) -> list[Hint]:
        """What is to be shown in a document, in reading order."""
        key = uris.key_of(uri)
        hints = [item.content for item in self._items(key) if isinstance(item.content, Hint)]
        return sorted(hints, key=lambda hint: (hint.position, _KINDS.index(hint.kind)))

    def add(self, origin: str, items: Iterable[Item]) -> Changed:
        """Shows what came of an evaluation of the document `origin`, or of a part of it."""
        entry = _Entry(uris.key_of(origin), list(items))
        if entry.items:
            self._entries.append(entry)
        return _changed(entry.items)

    def evaluated(self, uri: str, range_: Range | None) -> Changed:
        """Removes what a new evaluation of a document, or of a range of it, replaces.

        That is all that stands in the range; when the whole document is evaluated, also all that
        its earlier evaluations showed in other documents.
        """
        key = uris.key_of(uri)

        def outdated(entry: _Entry, item: Item) -> bool:
            if uris.key_of(item.uri) == key:
                return range_ is None or item.watched.meets(range_)
            return range_ is None and entry.origin == key

        return self._remove(outdated)

    def clear(self, uri: str | None = None) -> Changed:
        """Removes everything, or everything in one document and from its evaluations."""
        key = None if uri is None else uris.key_of(uri)
        return self._remove(
            lambda entry, item: key is None or key in (entry.origin, uris.key_of(item.uri))
        )

    def remove(self, uri: str, kind: HintKind) -> Changed:
        """Removes all hints of one kind in a document."""
        key = uris.key_of(uri)
        return self._remove(
            lambda _, item: (
                isinstance(item.content, Hint)
                and item.content.kind == kind
                and uris.key_of(item.uri) == key
            )
        )

    def clear_where(self, wanted: Callable[[str], bool]) -> Changed:
        """Removes everything in some documents, and from evaluations of them.

        `wanted` is given a document's URI, or what stands for one.
        """
        return self._remove(lambda entry, item: wanted(entry.origin) or wanted(item.uri))

    def closed(self, uri: str) -> Changed:
        """Removes everything in a document that was closed."""
        key = uris.key_of(uri)
        return self._remove(lambda _, item: uris.key_of(item.uri) == key)

    def edited(self, uri: str, edits: Iterable[Edit]) -> Changed:
        """Shifts what stands in an edited document, and removes what the edits touched."""
        key = uris.key_of(uri)
        removed: list[Item] = []
        for edit in edits:
            for entry in self._entries:
                kept: list[Item] = []
                for item in entry.items:
                    moved = _moved(item, key, edit)
                    if moved is None:
                        removed.append(item)
                    else:
                        kept.append(moved)
                entry.items = kept
        self._entries = [entry for entry in self._entries if entry.items]
        return _changed(removed)

    def _items(self, key: str) -> Iterable[Item]:
        return (
            item for entry in self._entries for item in entry.items if uris.key_of(item.uri) == key
        )

    def _remove(self, outdated: _Outdated) -> Changed:
        removed: list[Item] = []
        for entry in self._entries:
            removed += [item for item in entry.items if outdated(entry, item)]
            entry.items = [item for item in entry.items if not outdated(entry, item)]
        self._entries = [entry for entry in self._entries if entry.items]
        return _changed(removed)


def moved_note(note: Note, key: str, edit: Edit) -> Note:
    """A note of an edited document, or one that speaks of it, with all its places shifted."""
    related = tuple(
        replace(part, range=_shifted(part.range, edit)) if uris.key_of(part.uri) == key else part
        for part in note.related
    )
    return replace(note, related=related)


def _moved(item: Item, key: str, edit: Edit) -> Item | None:
    here = uris.key_of(item.uri) == key
    watched = moved_range(item.watched, edit) if here else item.watched
    if watched is None:
        return None
    content = item.content
    if isinstance(content, Note):
        content = moved_note(content, key, edit)
        if here:
            content = replace(content, range=_shifted(content.range, edit))
    elif here:
        content = replace(content, position=_moved_end(content.position, edit))
    return Item(item.uri, watched, content)


def _shifted(range_: Range, edit: Edit) -> Range:
    start = moved_position(range_.start, edit)
    return Range(start, max(start, _moved_end(range_.end, edit)))


def _moved_end(end: Position, edit: Edit) -> Position:
    """Where the end of a piece of code is: what is inserted right behind is not part of it."""
    return end if end <= edit.old.start else moved_position(end, edit)


def _changed(items: Iterable[Item]) -> Changed:
    items = list(items)
    return Changed(
        frozenset(item.uri for item in items if isinstance(item.content, Note)),
        frozenset(item.uri for item in items if isinstance(item.content, Hint)),
    )
