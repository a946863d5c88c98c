"""Which declaration a name means.

Owns the rules of scope. Works on demand: to resolve one name, only the statements that mention it
are looked at; what is free in a statement is remembered there, and survives edits elsewhere.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import Final, NamedTuple, final

from lua_ls_persist.server.analysis.facts import fact
from lua_ls_persist.server.analysis.nodes import (
    DECLARES,
    GOTO,
    LABEL,
    READ,
    SELF,
    WRITE,
    Block,
    Event,
    Name,
    Statement,
)


class Declaration(NamedTuple):
    """Where a local variable or a label is declared, in offsets of the text."""

    text: str
    start: int
    end: int
    role: int
    attribute: str | None
    level: int
    """How many functions are around it."""

    def moved(self, by: int) -> Declaration:
        """The same in a text that has more before it."""
        return Declaration(
            self.text, self.start + by, self.end + by, self.role, self.attribute, self.level
        )


class Occurrence(NamedTuple):
    """One use of a name; `declaration` is None for a global."""

    start: int
    end: int
    role: int
    declaration: Declaration | None
    level: int

    def moved(self, by: int) -> Occurrence:
        """The same in a text that has more before it."""
        declaration = None if self.declaration is None else self.declaration.moved(by)
        return Occurrence(self.start + by, self.end + by, self.role, declaration, self.level)

    @property
    def is_upvalue(self) -> bool:
        """Whether it is a local of a function around."""
        return self.declaration is not None and self.level > self.declaration.level


def occurrences(root: Statement, text: str) -> list[Occurrence]:
    """Every use of a variable of that name, each with what it means.

    Args:
        root: the whole text, or a statement in it: then what it does not declare has none, and
            offsets count from where it begins.
        text: the name.
    """
    search = _Search(text)
    search.statement(root, 0, None, 0)
    return sorted(search.found, key=lambda found: found.start)


class _Search:
    """One walk for one name."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.found: list[Occurrence] = []

    def statement(
        self, statement: Statement, base: int, current: Declaration | None, level: int
    ) -> Declaration | None:
        return self._events(statement.events, base, current, level)

    def _events(
        self, events: Iterable[Event], base: int, current: Declaration | None, level: int
    ) -> Declaration | None:
        """The declaration that is visible behind the events."""
        for event in events:
            if isinstance(event, Block):
                self._block(event, base, current, level)
            elif event.text == self.text and event.role not in (LABEL, GOTO):
                current = self._name(event, base, current, level)
        return current

    def _block(self, block: Block, base: int, current: Declaration | None, level: int) -> None:
        if block.kind == "function":
            level += 1
        for name in block.head:
            if name.text == self.text:
                current = self._name(name, base, current, level)
        for offset, statement in zip(block.offsets, block.statements, strict=True):
            if self.text in statement.mentions:
                current = self.statement(statement, base + offset, current, level)
        self._events(block.tail, base, current, level)

    def _name(
        self, name: Name, base: int, current: Declaration | None, level: int
    ) -> Declaration | None:
        start, end = base + name.offset, base + name.end
        if name.role in DECLARES:
            current = Declaration(name.text, start, end, name.role, name.attribute, level)
        self.found.append(Occurrence(start, end, name.role, current, level))
        return current


@final
class Meanings:
    """What single names of a text mean: for most, only the outermost statement is looked at in
    which they stand.
    """

    def __init__(self, block: Block) -> None:
        self._block = block
        """The whole text's."""

    def occurrence(self, text: str, start: int) -> Occurrence | None:
        """The use of a variable that begins at an offset; None if there is none."""
        place = self._statement_at(start)
        if place < 0:
            return None
        base = self._block.offsets[place]
        found = uses_inside(self._block.statements[place], text).get(start - base)
        if found is None:
            return None
        if found.declaration is not None:
            return found.moved(base)
        declaration = self._visible_in(place, text)
        return Occurrence(start, found.end + base, found.role, declaration, found.level)

    def uses(self, declaration: Declaration) -> Iterable[Occurrence] | None:
        """The uses of a variable that one outermost statement declares for itself.

        None for the locals of the outermost level, and where nothing is declared.
        """
        place = self._statement_at(declaration.start)
        if place < 0:
            return None
        statement, base = self._block.statements[place], self._block.offsets[place]
        start = declaration.start - base
        inside = uses_inside(statement, declaration.text)
        if start not in inside or any(
            name.offset == start for name in declared_for_later(statement)
        ):
            return None
        return [
            use.moved(base)
            for use in inside.values()
            if use.declaration is not None and use.declaration.start == start
        ]

    def _statement_at(self, start: int) -> int:
        return bisect_right(self._block.offsets, start) - 1

    def _visible_in(self, place: int, text: str) -> Declaration | None:
        """The local of the outermost level that a statement sees under a name."""
        for before, declaration in reversed(self._outermost.get(text, ())):
            if before < place:
                return declaration
        return None

    @cached_property
    def _outermost(self) -> dict[str, list[tuple[int, Declaration]]]:
        """By their names: which statement declares them."""
        found: dict[str, list[tuple[int, Declaration]]] = {}
        parts = zip(self._block.offsets, self._block.statements, strict=True)
        for place, (base, statement) in enumerate(parts):
            for name in declared_for_later(statement):
                start, end = base + name.offset, base + name.end
                declaration = Declaration(name.text, start, end, name.role, name.attribute, 0)
                found.setdefault(name.text, []).append((place, declaration))
        return found


def uses_inside(statement: Statement, text: str) -> Mapping[int, Occurrence]:
    """The uses of a name in an outermost statement, by their offsets in it.

    What it does not declare itself is not resolved. Remembered: an edit elsewhere changes nothing.
    """
    if text not in statement.mentions:
        return _NO_USES
    return fact(
        statement,
        (uses_inside, text),
        lambda: {
            use.start: use
            for use in occurrences(statement, text)
            if use.role != SELF  # It stands where the name of its object does.
        },
    )


_NO_USES: Final[Mapping[int, Occurrence]] = {}


def declared_for_later(statement: Statement) -> Iterator[Name]:
    """The locals that what follows a statement sees."""
    if statement.kind in ("local", "local function"):
        for name in statement.targets:
            if isinstance(name, Name):
                yield name


def label_occurrences(root: Statement, text: str) -> list[Occurrence]:
    """Every label of that name, and every jump to one."""
    found: list[Occurrence] = []

    def walk(block: Block, base: int, visible: Declaration | None, level: int) -> None:
        if block.kind == "function":
            visible, level = None, level + 1
        for offset, statement in zip(block.offsets, block.statements, strict=True):
            if statement.kind == "label" and text in statement.mentions:
                name = statement.targets[0]
                assert isinstance(name, Name)
                start, end = base + offset + name.offset, base + offset + name.end
                visible = Declaration(text, start, end, LABEL, None, level)
        for offset, statement in zip(block.offsets, block.statements, strict=True):
            if text in statement.mentions:
                inside(statement.events, base + offset, visible, level)
        inside(block.tail, base, visible, level)

    def inside(events: Iterable[Event], base: int, visible: Declaration | None, level: int) -> None:
        for event in events:
            if isinstance(event, Block):
                walk(event, base, visible, level)
            elif event.role in (LABEL, GOTO) and event.text == text:
                start, end = base + event.offset, base + event.end
                found.append(Occurrence(start, end, event.role, visible, level))

    inside(root.events, 0, None, 0)
    return sorted(found, key=lambda occurrence: occurrence.start)


def free_names(statement: Statement) -> tuple[tuple[int, Name], ...]:
    """The variables that a statement uses and does not declare.

    Each with what its offset has to be counted from.
    """
    if statement.free is None:
        statement.free = tuple(_free(statement.events, set()))
    return statement.free


def _free(events: Iterable[Event], declared: set[str]) -> Iterator[tuple[int, Name]]:
    for event in events:
        if isinstance(event, Block):
            for shift, name in _free_in(event):
                if name.text not in declared and "_ENV" not in declared:
                    yield shift, name
        elif event.role in DECLARES:
            declared.add(event.text)
        elif event.role in (READ, WRITE) and event.text not in declared:
            yield 0, event


def _free_in(block: Block) -> Iterator[tuple[int, Name]]:
    declared = {name.text for name in block.head}
    for offset, statement in zip(block.offsets, block.statements, strict=True):
        if "_ENV" not in declared:
            for shift, name in free_names(statement):
                if name.text not in declared:
                    yield shift + offset, name
        declared.update(name.text for name in declared_for_later(statement))
    if "_ENV" not in declared:
        yield from _free(block.tail, declared)


def visible_names(root: Statement, offset: int) -> list[Declaration]:
    """The locals that code at `offset` sees, inner ones first; hidden ones are left out."""
    found: list[Declaration] = []

    def declare(names: Iterable[object], base: int, level: int) -> None:
        for name in names:
            if isinstance(name, Name):
                start, end = base + name.offset, base + name.end
                found.append(Declaration(name.text, start, end, name.role, name.attribute, level))

    def walk(block: Block, base: int, level: int) -> None:
        if block.kind == "function":
            level += 1
        declare(block.head, base, level)
        for start, statement in zip(block.offsets, block.statements, strict=True):
            here = base + start
            if here > offset:
                break
            behind = here + statement.end < offset
            if statement.kind in ("local", "local function") and (
                behind or statement.kind == "local function"
            ):
                declare(statement.targets, here, level)
            inside(statement.events, here, level)
        inside(block.tail, base, level)

    def inside(events: Iterable[Event], base: int, level: int) -> None:
        for event in events:
            if isinstance(event, Block) and _is_inside(event, offset - base):
                walk(event, base, level)

    inside(root.events, 0, 0)
    seen: set[str] = set()
    visible = []
    for declaration in reversed(found):
        if declaration.text not in seen:
            seen.add(declaration.text)
            visible.append(declaration)
    return visible


def _is_inside(block: Block, offset: int) -> bool:
    """Whether code at `offset` sees what the block declares."""
    start, end = block.start, block.end
    if block.kind == "function":
        start = block.parameters_end
        if block.closed:
            end -= len("end")
    return start <= offset <= end
