"""What parameters, locals and results of calls are, as far as the sources say for certain.

From LuaCATS annotations of the file set, from tables that are constructed, from what functions
return, and from the tables of the store that all of these are rows of. Nothing is guessed: where
two answers are possible there is none. Must not know LSP types or sessions. Not for the loop's
thread, because other files may have to be read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar, cast

from lua_ls_persist.errors import SchemaError
from lua_ls_persist.schema.annotations_read import parts_of
from lua_ls_persist.server.analysis import ExpressionPath, nodes, scopes_of
from lua_ls_persist.server.analysis.annotations import note_above
from lua_ls_persist.server.analysis.nodes import Block, Chain, Expression, Literal, Statement, Step
from lua_ls_persist.server.analysis.resolving import Declaration
from lua_ls_persist.server.documents import Document
from lua_ls_persist.server.live.resolving import (
    ITERATORS,
    Literally,
    QueryRows,
    Resolver,
    further,
)
from lua_ls_persist.server.live.shapes import (
    Built,
    Instance,
    ListOf,
    Members,
    Shape,
    built_members,
    class_members,
    literal_text,
)
from lua_ls_persist.server.navigation import Navigator, Spot
from lua_ls_persist.session.sights import ANY, Way

T = TypeVar("T")

DEPTH_MAX: Final = 40
"""So many declarations, one by the other, are followed."""
STEPS_MAX: Final = 1_000
"""So many are looked at for one question."""
FILES_MAX: Final = 50
"""A function whose name stands in more files is not looked for: each would have to be read."""
RETURNS_MAX: Final = 50


@dataclass(frozen=True, slots=True)
class _Call:
    """A call in a chain."""

    called: Shape | None
    owner: Shape | None
    """What stands before the last dot."""
    chain: Chain
    base: int
    place: int

    @property
    def step(self) -> Step:
        return self.chain.steps[self.place]


class Inference:
    """Answers about expressions of the file set.

    With `remembers`, what is found out is kept: for many questions about texts as they are now.
    """

    def __init__(self, navigator: Navigator, *, remembers: bool = False) -> None:
        self.navigator = navigator
        self._kept = _Walk(navigator) if remembers else None

    def _walk(self) -> _Walk:
        if self._kept is None:
            return _Walk(self.navigator)
        self._kept.left = STEPS_MAX
        return self._kept

    def of_path(self, document: Document, path: ExpressionPath, steps: int) -> Shape | None:
        """What an expression, or its first steps, is; None where that is not certain."""
        scopes = scopes_of(document)
        walk = self._walk()
        found = Resolver(scopes).chain_of(path)
        if found is not None:
            return walk.chain(document, found[1], found[0], steps)
        if steps or path.base is None:
            return None
        offset = scopes.offset(path.base.range.start)
        for base, statement in scopes.around(offset):
            for name in _names(statement):
                if base + name.offset == offset:
                    return walk.name(document, name, base)
        return None

    def of_chain(self, document: Document, chain: Chain, base: int, steps: int) -> Shape | None:
        """The same for the first steps of a chain of the tree."""
        return self._walk().chain(document, chain, base, steps)

    def members(self, shape: Shape | None) -> Members | None:
        """What something has; None where only the VM may know."""
        return self._walk().members(shape)


class _Walk:
    """One question, with what was found out on the way to its answer."""

    def __init__(self, navigator: Navigator) -> None:
        self.navigator = navigator
        self._found: dict[object, Any] = {}
        self.left = STEPS_MAX
        self._depth = 0

    def _once(self, key: object, find: Callable[[], T | None]) -> T | None:
        """Finds something once; what would have to be known before itself is not known."""
        if key in self._found:
            return cast("T | None", self._found[key])
        if self.left <= 0 or self._depth >= DEPTH_MAX:
            return None
        self.left -= 1
        self._depth += 1
        self._found[key] = None
        try:
            found = self._found[key] = find()
        finally:
            self._depth -= 1
        return found

    def _shape(self, key: object, find: Callable[[], Shape | None]) -> Shape | None:
        return cast("Shape | None", self._once(key, find))

    def members(self, shape: Shape | None) -> Members | None:
        files = self.navigator.files
        if isinstance(shape, Instance):
            name = shape.name
            return self._once(("members", name), lambda: class_members(files, name))
        if isinstance(shape, Built):
            built = shape
            return self._once(("members", shape), lambda: built_members(files, built))
        return None

    # -- expressions

    def chain(self, document: Document, chain: Chain, base: int, count: int) -> Shape | None:
        found = self._results(document, chain, base, count)
        return found[0] if found else None

    def _results(
        self, document: Document, chain: Chain, base: int, count: int
    ) -> list[Shape | None]:
        """What the first steps of a chain give: of a call all its values."""
        if chain.base is None:
            return []
        owner: Shape | None = None
        found = [self.name(document, chain.base, base)]
        for place in range(count):
            step, shape = chain.steps[place], found[0] if found else None
            if step.kind == "(":
                found = self._called(document, _Call(shape, owner, chain, base, place))
            else:
                owner, found = shape, [self._field(shape, step.key)]
        return found

    def _value(self, document: Document, value: Expression, base: int) -> Shape | None:
        if isinstance(value, Chain):
            return self.chain(document, value, base, len(value.steps))
        if isinstance(value, Block) and value.kind == "table":
            return Built(document.uri, base + value.start)
        if isinstance(value, Literal) and isinstance(value.value, str):
            return Literally()
        return None

    def _field(self, shape: Shape | None, key: object) -> Shape | None:
        if isinstance(shape, ListOf):
            return shape.element if shape.has_names or not isinstance(key, str) else None
        if isinstance(shape, (Instance, Built)):
            members = self.members(shape)
            member = None if members is None or not isinstance(key, str) else members.named(key)
            if member is None:
                return None
            if member.type:
                return self._of_type(member.type)
            spot = member.spot
            place = ("assigned", spot.document.uri, spot.range)
            return self._shape(place, lambda: self._assigned(spot)) if member.certain else None
        return further(shape, key)

    # -- names

    def name(self, document: Document, name: nodes.Name, base: int) -> Shape | None:
        declaration = scopes_of(document).occurrence(name, base).declaration
        if declaration is None:
            return self._shape(("global", name.text), lambda: self._global(name.text))
        key = ("local", document.uri, declaration.start)
        return self._shape(key, lambda: self._declared(document, declaration))

    def _declared(self, document: Document, declaration: Declaration) -> Shape | None:
        if declaration.role == nodes.SELF:
            return self._self(document, declaration)
        if declaration.role == nodes.PARAMETER:
            typed = self._parameter(document, declaration)
        elif declaration.role == nodes.LOOP:
            typed = self._looped(document, declaration)
        else:
            typed = self._local(document, declaration)
        return typed or self._resolved(document, declaration)

    def _resolved(self, document: Document, declaration: Declaration) -> Shape | None:
        scopes = scopes_of(document)
        kinds = {nodes.LOOP: "loop", nodes.PARAMETER: "parameter"}
        return Resolver(scopes).declared(
            scopes.range(declaration.start, declaration.end),
            kinds.get(declaration.role, "local"),
            declaration.text,
        )

    def _global(self, text: str) -> Shape | None:
        if text == "_G":
            return Way()
        notes = list(self.navigator.files.annotated(text))
        noted = None
        if len(notes) == 1:
            noted = self._noted(notes[0].type, notes[0].class_name)
        return noted or Way((text,))

    def _noted(self, type_: str, class_name: str) -> Shape | None:
        if type_:
            return self._of_type(type_)
        return Instance(class_name) if class_name else None

    def _self(self, document: Document, declaration: Declaration) -> Shape | None:
        for base, statement in scopes_of(document).around(declaration.start):
            for block in statement.blocks:
                owner = block.owner
                if owner is not None and owner.steps and base + owner.start == declaration.start:
                    return self.chain(document, owner, base, len(owner.steps) - 1)
        return None

    def _parameter(self, document: Document, declaration: Declaration) -> Shape | None:
        """What `---@param` says; of `self` written out, what stands before the dot."""
        scopes = scopes_of(document)
        for base, statement in scopes.around(declaration.start):
            for block in statement.blocks:
                if all(base + name.offset != declaration.start for name in block.head):
                    continue
                row = scopes.position(base).row
                type_, _ = note_above(document, row).params.get(declaration.text, ("", ""))
                if type_:
                    return self._of_type(type_)
                owner = block.owner
                if declaration.text == "self" and owner is not None and owner.steps:
                    return self.chain(document, owner, base, len(owner.steps) - 1)
                return None
        return None

    def _local(self, document: Document, declaration: Declaration) -> Shape | None:
        scopes = scopes_of(document)
        for base, statement in scopes.around(declaration.start):
            for place, target in enumerate(statement.targets):
                if not isinstance(target, nodes.Name) or base + target.offset != declaration.start:
                    continue
                note = note_above(document, scopes.position(base).row)
                noted = self._noted(note.type, note.class_name) if place == 0 else None
                if noted is not None:
                    return noted
                if self._is_assigned_again(document, declaration):
                    return None
                return self._nth(document, statement, place, base)
        return None

    def _is_assigned_again(self, document: Document, declaration: Declaration) -> bool:
        """Whether a local gets another value than the one that it is declared with."""
        scopes = scopes_of(document)
        name = scopes.name_at(scopes.position(declaration.start))
        return name is not None and any(
            use.is_write and not use.is_declaration for use in scopes.uses(name)
        )

    def _nth(self, document: Document, statement: Statement, place: int, base: int) -> Shape | None:
        """The value that the target of a number gets; several of them come from a last call."""
        values = statement.values
        if place < len(values) - 1 or (place < len(values) and place == 0):
            return self._value(document, values[place], base)
        last = values[-1] if values else None
        if not isinstance(last, Chain) or not last.steps or last.steps[-1].kind != "(":
            return None if place >= len(values) else self._value(document, last, base)
        results = self._results(document, last, base, len(last.steps))
        number = place - (len(values) - 1)
        return results[number] if number < len(results) else None

    def _looped(self, document: Document, declaration: Declaration) -> Shape | None:
        """The second variable of `for key, value in pairs(t)`."""
        for base, statement in scopes_of(document).around(declaration.start):
            if statement.kind != "for":
                continue
            heads = [name for block in statement.blocks for name in block.head]
            places = [at for at, one in enumerate(heads) if base + one.offset == declaration.start]
            if places != [1]:
                continue
            for chain in statement.chains:
                called = chain.base is not None and chain.base.text in ITERATORS and chain.steps
                if called and chain.steps[0].kind == "(" and chain.steps[0].arguments:
                    given = chain.steps[0].arguments[0].expression
                    return _element(self._value(document, given, base))
        return None

    # -- calls

    def _called(self, document: Document, call: _Call) -> list[Shape | None]:
        """What a call gives, value by value; empty where nobody knows."""
        called = call.called
        if isinstance(called, Way) and called.steps == ("setmetatable",) and called.is_global:
            return [self._set_metatable(document, call.step, call.base)]
        if isinstance(called, (Way, Literally)):
            resolver = Resolver(scopes_of(document))
            found = resolver.called(called, call.chain, call.place, call.base)
            if found is not None:
                return [found]
        spot = self._function(document, call)
        if spot is None:
            return []
        key = ("returned", spot.document.uri, spot.range)
        return self._once(key, lambda: self._returned(spot)) or []

    def _set_metatable(self, document: Document, call: Step, base: int) -> Shape | None:
        """An object: of the class that its metatable is, or else what the table is."""
        given = [one.expression for one in call.arguments]
        if len(given) > 1:
            found = self._value(document, given[1], base)
            if isinstance(found, Instance):
                return found
        found = self._value(document, given[0], base) if given else None
        return replace(found, inherits=True) if isinstance(found, Built) else found

    def _function(self, document: Document, call: _Call) -> Spot | None:
        """Where the called function is defined, if that is one place for certain."""
        scopes = scopes_of(document)
        chain, place = call.chain, call.place
        before = chain.steps[place - 1] if place else None
        if before is None:
            at = call.base + chain.base.offset if chain.base is not None else -1
        elif before.kind == "(" or not isinstance(before.key, str):
            return None
        else:
            members = self.members(call.owner)
            if members is not None:
                member = members.named(before.key)
                certain = member is not None and member.is_function and member.certain
                return member.spot if member is not None and certain else None
            at = call.base + before.key_start
        name = scopes.name_at(scopes.position(at)) if at >= 0 else None
        if name is None:
            return None
        if name.declaration is not None:
            again = any(use.is_write and not use.is_declaration for use in scopes.uses(name))
            return None if again else Spot(document, name.declaration)
        entity = self.navigator.entity(document, name)
        if entity is None or self.navigator.files.count_mentioning(name.text) > FILES_MAX:
            return None
        spots = list(self.navigator.defined(document, name.text, entity))
        return spots[0] if len(spots) == 1 else None

    def _returned(self, spot: Spot) -> list[Shape | None]:
        """What the function that is defined at a spot returns: annotated, or else as written."""
        document = spot.document
        scopes = scopes_of(document)
        offset = scopes.offset(spot.range.start)
        for base, statement in scopes.around(offset):
            for target, value in zip(statement.targets, statement.values, strict=False):
                if base + _name_start(target) != offset or not isinstance(value, Block):
                    continue
                note = note_above(document, scopes.position(base).row)
                if note.returns:
                    return [self._of_type(one) if one else None for one in note.returns]
                if value.kind == "function":
                    return [self._as_written(document, value, base)]
        return []

    def _as_written(self, document: Document, block: Block, base: int) -> Shape | None:
        """The first value of all returns of a function, where that is the same everywhere."""
        found: list[Shape] = []
        for count, (at, statement) in enumerate(_returns(block, base)):
            if not statement.values:
                continue
            value = statement.values[0]
            if isinstance(value, Literal) and literal_text(document, value, at) == "nil":
                continue
            shape = None if count > RETURNS_MAX else self._value(document, value, at)
            if shape is None:
                return None
            if shape not in found:
                found.append(shape)
        return found[0] if len(found) == 1 else None

    def _assigned(self, spot: Spot) -> Shape | None:
        """What a field is set to where it is defined."""
        scopes = scopes_of(spot.document)
        offset = scopes.offset(spot.range.start)
        for base, statement in scopes.around(offset):
            for target, value in zip(statement.targets, statement.values, strict=False):
                if base + _name_start(target) == offset:
                    return self._value(spot.document, value, base)
        return None

    # -- types

    def _of_type(self, text: str) -> Shape | None:
        """What an annotation means, if it is one thing, nil aside."""
        try:
            parts, _ = parts_of(text)
        except (SchemaError, ValueError):
            return None
        return self._shape(("type", text), lambda: self._of_parts(parts))

    def _of_parts(self, parts: object) -> Shape | None:
        if not isinstance(parts, list):
            return None
        given = [one for one in parts if one != "nil"]
        if len(given) != 1:
            return None
        part = given[0]
        if isinstance(part, str):
            if part == "string":
                return Literally()
            if any(True for _ in self.navigator.files.classes(part)):
                return Instance(part)
            alias = next(self.navigator.files.aliases(part), None)
            return None if alias is None else self._of_type(alias)
        what, inner = part
        if what in ("array", "map"):
            element = self._of_parts(inner)
            return None if element is None else ListOf(element, has_names=what == "map")
        return self._of_parts(inner) if what == "union" else None


def _element(shape: Shape | None) -> Shape | None:
    """What somebody gets who goes through it."""
    if isinstance(shape, ListOf):
        return shape.element
    return further(shape, ANY) if isinstance(shape, (Way, QueryRows)) else None


def _returns(block: Block, base: int) -> Iterator[tuple[int, Statement]]:
    """The `return` statements of a function, not those of functions in it."""
    stack = [(base, block)]
    while stack:
        at, current = stack.pop()
        for offset, statement in zip(current.offsets, current.statements, strict=True):
            if statement.kind == "return":
                yield at + offset, statement
            stack += [
                (at + offset, inner)
                for inner in statement.blocks
                if inner.kind not in ("function", "table")
            ]


def _names(statement: Statement) -> Iterator[nodes.Name]:
    for event in statement.events:
        if isinstance(event, Block):
            yield from event.head
        else:
            yield event


def _name_start(target: nodes.Name | Chain | Step) -> int:
    if isinstance(target, nodes.Name):
        return target.offset
    if isinstance(target, Step):
        return target.key_start
    return target.steps[-1].key_start if target.steps else target.start
