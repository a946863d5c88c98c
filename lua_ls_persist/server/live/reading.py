"""What a document says that can be compared with the VM: the globals that it reads, the fields of
rows, the calls of functions.

Owns the one pass over its statements. Must not know LSP types. Not for the loop's thread.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from lua_ls_persist.server.analysis import Scopes
from lua_ls_persist.server.analysis.ext_names import EXT
from lua_ls_persist.server.analysis.facts import outermost
from lua_ls_persist.server.analysis.field_texts import texts_in_call
from lua_ls_persist.server.analysis.library import GLOBAL_TABLES
from lua_ls_persist.server.analysis.naming import FIELD_CALLS
from lua_ls_persist.server.analysis.nodes import (
    LOOP,
    PARAMETER,
    READ,
    SELF,
    Chain,
    Statement,
    Step,
)
from lua_ls_persist.server.analysis.resolving import Declaration, declared_for_later, free_names
from lua_ls_persist.server.documents import Document
from lua_ls_persist.server.live.candidates import QUERY_PARTS
from lua_ls_persist.server.live.declared import TypedLocals, Undeclared
from lua_ls_persist.server.live.inference import Inference
from lua_ls_persist.server.live.resolving import Resolver, Target, further, table_named
from lua_ls_persist.server.live.shapes import OF_SOURCES, Instance, ListOf
from lua_ls_persist.server.positions import Range
from lua_ls_persist.session.sights import ANY, Way

CHAINS_MAX: Final = 5_000
"""So many expressions are looked at."""
Span: TypeAlias = tuple[int, int]
"""Where something begins and ends, in offsets: of few things it is said, in rows and columns."""


@dataclass(frozen=True, slots=True)
class FieldRead:
    """A field of what may be a row of a stored table."""

    container: Way
    name: str
    start: int
    """Where the name stands, in offsets."""


@dataclass(frozen=True, slots=True)
class Call:
    """A call of something that the VM may have."""

    function: Way
    count: int
    """How many arguments there are, without what stands before a colon."""
    is_method: bool
    """Whether a colon stands before its name."""
    arguments: tuple[Span, ...]
    """Blanks around them included."""
    name: Span
    """The last part of the function's expression."""


@dataclass(slots=True)
class Reading:
    """What of a document is to be compared with the VM."""

    scopes: Scopes
    globals: dict[str, list[int]] = field(default_factory=dict)
    """Those that are read, and that the document never sets, with where they are."""
    written: set[str] = field(default_factory=set)
    fields: list[FieldRead] = field(default_factory=list)
    declared: list[Undeclared] = field(default_factory=list)
    """Those that no class has of what they are read of."""
    written_fields: set[str] = field(default_factory=set)
    calls: list[Call] = field(default_factory=list)

    def at(self, start: int, text: str) -> Range:
        """Where a name stands."""
        return self.scopes.range(start, start + len(text))

    def trimmed(self, span: Span) -> Range:
        """Where a part of the text stands, without the blanks around it."""
        start, end = span
        text = self.scopes.chunk.source[start:end]
        start += len(text) - len(text.lstrip())
        return self.scopes.range(start, start + len(text.strip()))


def reading_of(
    scopes: Scopes,
    key: str | None,
    is_wanted: Callable[[], bool] = lambda: True,
    typed: tuple[Inference, Document] | None = None,
) -> Reading | None:
    """Reads a document; None as soon as that is not wanted any more. Any thread.

    It takes some ten milliseconds for a long one. `is_wanted` is asked before each statement of the
    outermost level, and may wait there while somebody else has to be answered. With `typed` it is
    known what parameters and results of calls are, too.
    """
    return _Reader(scopes, Resolver(scopes, key), typed).read(is_wanted)


class _Reader:
    """One pass over a document, statement by statement of its outermost level."""

    def __init__(
        self, scopes: Scopes, resolver: Resolver, typed: tuple[Inference, Document] | None
    ) -> None:
        self._scopes = scopes
        self._resolver = resolver
        self._typed = None if typed is None else TypedLocals(*typed)
        self._outer: set[str] = set()
        """The locals of the outermost level that are visible in the statement that is read."""
        self._free: set[int] = set()
        """Where that statement uses globals."""
        self._targets: dict[int, Target | None] = {}
        self.reading = Reading(scopes)

    def read(self, is_wanted: Callable[[], bool]) -> Reading | None:
        reads: dict[str, list[int]] = {}
        left = CHAINS_MAX
        for base, statement in outermost(self._scopes.chunk):
            if not is_wanted():
                return None
            self._enter(base, statement, reads)
            for below, chain in _chains(base, statement):
                if left == 0:
                    break
                left -= 1
                self._chain(below, chain)
            self._outer.update(name.text for name in declared_for_later(statement))
        for text, starts in reads.items():
            if text not in self.reading.written:
                self.reading.globals[text] = starts
        return self.reading

    def _enter(self, base: int, statement: Statement, reads: dict[str, list[int]]) -> None:
        """Takes note of the globals in a statement, by the name where they are read."""
        self._free = set()
        if "_ENV" in self._outer:
            return
        for shift, name in free_names(statement):
            if name.text in self._outer:
                continue
            start = base + shift + name.offset
            self._free.add(start)
            if name.role == READ:
                reads.setdefault(name.text, []).append(start)
            else:
                self.reading.written.add(name.text)

    def _chain(self, base: int, chain: Chain) -> None:
        declaration = None
        if chain.base is not None and base + chain.base.offset not in self._free:
            declaration = self._scopes.occurrence(chain.base, base).declaration
        target = self._base(base, chain, declaration)
        if self._typed is not None and (target is None or _is_kept(target)):
            # What a kept local was when its document was evaluated says less.
            target = self._typed_target(base, chain, declaration) or target
        for place, step in enumerate(chain.steps):
            if step.write and isinstance(step.key, str):
                self.reading.written_fields.add(step.key)
            if step.kind == "(":
                self._call(target, base, chain, place)
                target = self._resolver.called(target, chain, place, base)
            else:
                self._field(target, base, step)
                target = further(target, step.key)

    def _typed_target(
        self, base: int, chain: Chain, declaration: Declaration | None
    ) -> Target | None:
        """Where a local leads by its type; of a class, the fields that it has not are noted."""
        assert self._typed is not None
        if declaration is None:
            return None
        shape = self._typed.shape(declaration.start, chain, base)
        if isinstance(shape, (Instance, ListOf)):
            self.reading.declared += self._typed.undeclared(chain, base, shape)
        return None if isinstance(shape, OF_SOURCES) else shape

    def _field(self, target: Target | None, base: int, step: Step) -> None:
        if step.write or step.kind != "." or not isinstance(step.key, str) or not step.key:
            return
        if isinstance(target, Way) and _is_row(target):
            self.reading.fields.append(FieldRead(target, step.key, base + step.key_start))

    def _call(self, target: Target | None, base: int, chain: Chain, place: int) -> None:
        step = chain.steps[place]
        if not isinstance(target, Way) or ANY in target.steps or not step.arguments:
            return
        if target.is_global and target.steps[:1] == (EXT,) and len(target.steps) == 2:
            self._asked(str(target.steps[1]), base, chain, place)
        before = chain.steps[place - 1] if place else None
        start, end = chain.start, chain.start
        if before is not None:
            start, end = before.key_start, before.key_end
        elif chain.base is not None:
            start, end = chain.base.offset, chain.base.end
        self.reading.calls.append(
            Call(
                target,
                len(step.arguments),
                before is not None and before.kind == ":",
                tuple((base + one.start, base + one.end) for one in step.arguments),
                (base + start, base + end),
            )
        )

    def _asked(self, function: str, base: int, chain: Chain, place: int) -> None:
        """The fields that a question names, or an index that is made."""
        if function not in QUERY_PARTS and function not in FIELD_CALLS:
            return
        first = chain.steps[place].arguments[0].expression
        table = table_named(first) or self._resolver.table(chain, base, place)
        if table is None:
            return
        source = self._scopes.chunk.source
        for use in texts_in_call(source, base, chain, place, function):
            row = Way((*table.steps, ANY, *(use.before or ())), table.root, table.document)
            self.reading.fields.append(FieldRead(row, source[use.start : use.end], use.start))

    def _base(self, base: int, chain: Chain, declaration: Declaration | None) -> Target | None:
        """Where the name leads that a chain begins with."""
        name = chain.base
        if name is None:
            return None
        if base + name.offset in self._free:
            return Way() if name.text in GLOBAL_TABLES else Way((name.text,))
        if declaration is None:
            return None
        if declaration.start not in self._targets:
            kinds = {LOOP: "loop", PARAMETER: "parameter", SELF: "parameter"}
            self._targets[declaration.start] = self._resolver.declared(
                self._scopes.range(declaration.start, declaration.end),
                kinds.get(declaration.role, "local"),
                name.text,
            )
        return self._targets[declaration.start]


def _is_kept(target: Target) -> bool:
    return isinstance(target, Way) and target.document is not None


def _is_row(way: Way) -> bool:
    """Whether what is there may be a row of a stored table."""
    if way.root is not None:
        return len(way.steps) >= 1
    return (
        way.is_global
        and way.steps[:1] == ("Memory",)
        and len(way.steps) >= 3 - (way.steps[-1] is ANY)
    )


def _chains(base: int, statement: Statement) -> Iterator[tuple[int, Chain]]:
    """All expressions of a statement with at least one step, and what their offsets count from."""
    stack = [(base, statement)]
    while stack:
        base, statement = stack.pop()
        for chain in statement.chains:
            if chain.steps:
                yield base, chain
        for block in statement.blocks:
            stack.extend(
                (base + offset, below)
                for offset, below in zip(block.offsets, block.statements, strict=True)
            )
