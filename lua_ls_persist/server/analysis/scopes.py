"""What the names in a document mean: the questions that language features ask.

Owns the answers in positions of the document. Must not know LSP types or sessions. Everything is
answered for half-typed code too.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator

from lua_ls_persist.server.analysis import nodes, walking
from lua_ls_persist.server.analysis.lines import Lines
from lua_ls_persist.server.analysis.model import (
    CallSite,
    ExpressionPath,
    FunctionInfo,
    GlobalUse,
    Kind,
    Name,
    PathStep,
    Value,
)
from lua_ls_persist.server.analysis.nodes import Block, Chain, Chunk, Statement, Step
from lua_ls_persist.server.analysis.parsing import parse
from lua_ls_persist.server.analysis.resolving import (
    Declaration,
    Meanings,
    Occurrence,
    free_names,
    label_occurrences,
    occurrences,
    visible_names,
)
from lua_ls_persist.server.documents import Document
from lua_ls_persist.server.positions import Position, Range

FROZEN_LENGTH_MIN = 20_000
"""Shorter texts have too few nodes for it to matter."""

_COMPARES = ("==", "<=", ">=", "~=")

_KINDS: dict[int, Kind] = {
    nodes.LOCAL: "local",
    nodes.FUNCTION: "local",
    nodes.PARAMETER: "parameter",
    nodes.SELF: "parameter",
    nodes.LOOP: "loop",
    nodes.LABEL: "label",
}


def scopes_of(document: Document) -> Scopes:
    """The scopes of a document, analysed once; after an edit only what it touched. Any thread."""
    scopes = document.derived.get("scopes")
    if not isinstance(scopes, Scopes):
        basis = document.basis.get("scopes")
        if isinstance(basis, Scopes):
            scopes = Scopes(parse(document.source, basis.chunk))
        else:
            scopes = Scopes(_parsed_anew(document.source))
        document.derived["scopes"] = scopes
    return scopes


def is_analysed(document: Document) -> bool:
    """Whether `scopes_of` takes little time."""
    return "scopes" in document.derived or "scopes" in document.basis


def _parsed_anew(source: str) -> Chunk:
    """A parsed text; the nodes of a long one are not looked at by the garbage collector.

    There are no cycles among them, and to find that out again and again would take longer than all
    that an editor asks for: 200 ms for 5,000 lines.
    """
    if len(source) < FROZEN_LENGTH_MIN or not gc.isenabled():
        return parse(source)
    gc.disable()
    try:
        chunk = parse(source)
        gc.freeze()
    finally:
        gc.enable()
    return chunk


class Scopes(Lines):
    """The names of one document."""

    def __init__(self, chunk: Chunk) -> None:
        super().__init__(chunk.source)
        self.chunk = chunk
        self._meanings = Meanings(chunk.block)
        self._occurrences: dict[tuple[str, bool], dict[int, Occurrence]] = {}
        self._assigned: dict[str, frozenset[int]] = {}

    def name_at(self, position: Position) -> Name | None:
        """The name under or right before a position."""
        offset = self.offset(position)
        for base, statement in self.around(offset):
            local = offset - base
            for name in walking.names(statement):
                if name.offset <= local <= name.end and name.role != nodes.SELF:
                    return self._variable(name, base)
            for chain in statement.chains:
                for step in chain.steps:
                    if step.kind != "(" and step.key_start <= local <= step.key_end:
                        found = self._field(step, base)
                        if found is not None:
                            return found
            for target in statement.targets:
                if isinstance(target, Step) and target.key_start <= local <= target.key_end:
                    return self._field(target, base)
        return None

    def path_at(self, position: Position) -> ExpressionPath | None:
        """The expression up to and including the part under or right before a position."""
        offset = self.offset(position)
        for base, statement in self.around(offset):
            local = offset - base
            inner = [chain for chain in statement.chains if chain.start <= local <= chain.end]
            for chain in sorted(inner, key=lambda chain: chain.start, reverse=True):
                count = walking.steps_up_to(chain, local)
                if count is not None:
                    return self.path(chain, base, count, cursor=offset)
            for name in walking.names(statement):
                if name.offset <= local <= name.end and name.role != nodes.SELF:
                    variable = self._variable(name, base)
                    return ExpressionPath(variable, (), variable.range)
        return None

    def call_at(self, position: Position) -> CallSite | None:
        """The innermost call between whose brackets a position lies."""
        offset = self.offset(position)
        for base, statement in self.around(offset):
            best: tuple[int, Chain, int] | None = None
            # The call around a function is another matter.
            function = start = walking.function_around(statement, offset - base)
            for chain in statement.chains:
                for count, step in enumerate(chain.steps):
                    if (
                        step.kind == "("
                        and step.start > start
                        and walking.is_argument(step, offset - base)
                    ):
                        best, start = (base, chain, count), step.start
            if best is not None:
                return self._call(*best, offset)
            if function >= 0:
                return None
        return None

    def visible_at(self, position: Position) -> list[Name]:
        """The locals that code at a position sees, inner ones first."""
        offset = self.offset(position)
        before = self.chunk.source[:offset].rstrip()
        if before.endswith("=") and not before.endswith(_COMPARES):
            offset = len(before)  # The value is still to come, and does not see its own name.
        return [
            self._declared(declaration) for declaration in visible_names(self.chunk.root, offset)
        ]

    def globals(self) -> list[GlobalUse]:
        """Every use of a global, in the order of the text."""
        uses = [
            (base + name.offset, base + name.end, name)
            for base, name in free_names(self.chunk.root)
        ]
        uses.sort(key=lambda use: use[0])
        return [
            GlobalUse(name.text, self.range(start, end), name.role == nodes.WRITE)
            for start, end, name in uses
        ]

    def global_uses(self, text: str) -> list[GlobalUse]:
        """Every use of one global, in the order of the text."""
        if "_ENV" in self.chunk.root.mentions:
            return [use for use in self.globals() if use.text == text]
        return [
            GlobalUse(text, self.range(use.start, use.end), use.role == nodes.WRITE)
            for use in self._all(text).values()
            if use.declaration is None
        ]

    def uses(self, name: Name) -> list[Name]:
        """All names of the document that mean the same variable or label, itself included."""
        if name.kind in ("field", "method"):
            return []
        return [
            self._resolved(found, name.text)
            for found in self._all(name.text, labels=name.kind == "label").values()
            if self._declaration_range(found.declaration) == name.declaration
        ]

    def required(self) -> list[tuple[str, Range]]:
        """The modules that the document requires, and where their names stand."""
        found = []
        for base, statement in self.mentioning("require"):
            for chain in statement.chains:
                call = chain.steps[0]
                if chain.base is None or chain.base.text != "require" or not call.arguments:
                    continue
                name = call.arguments[0].expression
                if call.kind != "(" or not isinstance(name, nodes.Literal):
                    continue
                if isinstance(name.value, str) and name.value:
                    range_ = self.range(base + name.start + 1, base + name.end - 1)
                    found.append((name.value, range_))
        return found

    def called(self) -> list[Range]:
        """The names of all functions that are called: of `a.b:c()` that is `c`."""
        found: list[tuple[int, int]] = []
        for base, statement in walking.statements(self.chunk.root, 0):
            for chain in statement.chains:
                for index, step in enumerate(chain.steps):
                    before = chain.steps[index - 1] if index else chain.base
                    if step.kind != "(" or before is None:
                        continue
                    if isinstance(before, nodes.Name):
                        found.append((base + before.offset, base + before.end))
                    elif before.kind != "(" and isinstance(before.key, str):
                        found.append((base + before.key_start, base + before.key_end))
        return [self.range(*place) for place in sorted(found)]

    def value_of(self, declaration: Range) -> Value | None:
        """What the name, the field or the function declared or assigned there is set to."""
        offset = self.offset(declaration.start)
        for base, statement in self.around(offset):
            for target, value in zip(statement.targets, statement.values, strict=False):
                if base + walking.key_start(target) == offset and statement.kind != "for":
                    return self.value(value, base)
        return None

    # What the other modules of the analysis build on, in offsets.

    def around(self, offset: int) -> list[tuple[int, Statement]]:
        """The statements around a place, inner ones first, each with its offset."""
        found: list[tuple[int, Statement]] = []
        base, statement = 0, self.chunk.root
        while True:
            found.append((base, statement))
            inner = walking.statement_at(statement, offset - base)
            if inner is None:
                return found[::-1]
            base, statement = base + inner[0], inner[1]

    def meanings(self, text: str, *, labels: bool = False) -> dict[int, int | None]:
        """By the offset of each use of a name, that of its declaration; None for globals."""
        return {
            start: None if use.declaration is None else use.declaration.start
            for start, use in self._all(text, labels=labels).items()
        }

    def mentioning(self, text: str) -> Iterator[tuple[int, Statement]]:
        """All statements in which a name stands, at any depth, each with its offset."""
        return walking.mentioning(text, self.chunk.root, 0)

    def function_around(self, offset: int) -> int:
        """Where the innermost function around a place begins; -1 for the whole text."""
        for base, statement in self.around(offset):
            start = walking.function_around(statement, offset - base)
            if start >= 0:
                return base + start
        return -1

    def path(
        self, chain: Chain, base: int, count: int | None = None, *, cursor: int | None = None
    ) -> ExpressionPath:
        """A chain, or its first steps, as a path."""
        variable = None if chain.base is None else self._variable(chain.base, base)
        steps = [self._step(step, base) for step in chain.steps[:count]]
        if cursor is not None and steps and cursor < base + chain.steps[len(steps) - 1].key_start:
            here = Range(self.position(cursor), self.position(cursor))
            steps[-1] = PathStep(steps[-1].kind, "", here)
        start = self.position(base + chain.start)
        end = steps[-1].range.end if steps else self.position(base + chain.end)
        if not steps and variable is not None:
            end = variable.range.end
        return ExpressionPath(variable, tuple(steps), Range(start, end))

    def value(self, value: nodes.Expression, base: int) -> Value | None:
        """An expression as a value."""
        if value is None or isinstance(value, nodes.Either):
            return None
        range_ = self.range(base + value.start, base + value.end)
        if isinstance(value, Chain):
            return Value(range_, path=self.path(value, base))
        if isinstance(value, nodes.Literal):
            return Value(range_, constant=value.value)
        if value.kind == "table":
            return Value(range_, is_table=True)
        return Value(range_, function=self.function(value, base))

    def function(self, block: Block, base: int) -> FunctionInfo:
        """What is written of a function."""
        return FunctionInfo(
            tuple(name.text for name in block.head if name.role != nodes.SELF),
            block.variadic,
            any(name.role == nodes.SELF for name in block.head),
            self.range(base + block.start, base + block.end),
        )

    def occurrence(self, name: nodes.Name, base: int) -> Occurrence:
        """What a variable or a label of the tree means."""
        labels = name.role in (nodes.LABEL, nodes.GOTO)
        found = None if labels else self._meanings.occurrence(name.text, base + name.offset)
        return found or self._all(name.text, labels=labels)[base + name.offset]

    def is_assigned_again(self, declaration: Declaration) -> bool:
        """Whether a local gets another value than the one that it is declared with."""
        uses = self._meanings.uses(declaration)
        if uses is not None:
            return any(use.role == nodes.WRITE for use in uses)
        found = self._assigned.get(declaration.text)
        if found is None:
            found = self._assigned[declaration.text] = frozenset(
                use.declaration.start
                for use in self._all(declaration.text).values()
                if use.role == nodes.WRITE and use.declaration is not None
            )
        return declaration.start in found

    def _all(self, text: str, *, labels: bool = False) -> dict[int, Occurrence]:
        """Every use of a variable or a label, by its offset."""
        found = self._occurrences.get((text, labels))
        if found is None:
            search = label_occurrences if labels else occurrences
            found = {
                use.start: use
                for use in search(self.chunk.root, text)
                if use.role != nodes.SELF  # It stands where the name of its object does.
            }
            self._occurrences[text, labels] = found
        return found

    def _variable(self, name: nodes.Name, base: int) -> Name:
        return self._resolved(self.occurrence(name, base), name.text)

    def _resolved(self, found: Occurrence, text: str) -> Name:
        declaration = found.declaration
        kind: Kind = "global"
        if declaration is not None:
            kind = _KINDS[declaration.role]
        elif found.role in (nodes.LABEL, nodes.GOTO):
            kind = "label"
        return Name(
            text,
            self.range(found.start, found.end),
            kind,
            self._declaration_range(declaration),
            is_write=found.role not in (nodes.READ, nodes.GOTO),
            is_upvalue=found.is_upvalue,
            attribute=None if declaration is None else declaration.attribute,
        )

    def _declared(self, declaration: Declaration) -> Name:
        range_ = self.range(declaration.start, declaration.end)
        return Name(
            declaration.text,
            range_,
            _KINDS[declaration.role],
            range_,
            is_write=True,
            attribute=declaration.attribute,
        )

    def _declaration_range(self, declaration: Declaration | None) -> Range | None:
        return None if declaration is None else self.range(declaration.start, declaration.end)

    def _field(self, step: Step, base: int) -> Name | None:
        if not isinstance(step.key, str) or not step.key:
            return None
        range_ = self.range(base + step.key_start, base + step.key_end)
        kind: Kind = "method" if step.kind == ":" else "field"
        return Name(step.key, range_, kind, None, is_write=step.write)

    def _step(self, step: Step, base: int) -> PathStep:
        if step.kind != "(":
            range_ = self.range(base + step.key_start, base + step.key_end)
            return PathStep(step.kind, step.key, range_)  # type: ignore[arg-type]
        range_ = self.range(base + step.start, base + step.end)
        return PathStep("(", None, range_, _constants(step))

    def _call(self, base: int, chain: Chain, count: int, offset: int) -> CallSite:
        step = chain.steps[count]
        start = base + step.start
        end = base + step.end
        if self.chunk.source[start] == "(":
            start += 1
            end -= step.closed
        ranges = [(base + given.start, base + given.end) for given in step.arguments]
        index = sum(1 for _, argument_end in ranges[:-1] if offset > argument_end)
        return CallSite(
            self.path(chain, base, count),
            index,
            self.range(start, end),
            tuple(self.range(*range_) for range_ in ranges),
            _constants(step),
        )


def _constants(call: Step) -> tuple[nodes.CONSTANT_KEY | None, ...]:
    return tuple(
        given.expression.value if isinstance(given.expression, nodes.Literal) else None
        for given in call.arguments
    )
