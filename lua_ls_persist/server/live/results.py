"""What calls give, and what functions are given: by annotations, or else as functions are written.

Part of one question of `inference`, which it asks what expressions are. Must not know LSP types.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from lua_ls_persist.schema.type_texts import FunctionType
from lua_ls_persist.server.analysis import nodes, scopes_of
from lua_ls_persist.server.analysis.annotations import Note, note_above
from lua_ls_persist.server.analysis.entities import entities_of
from lua_ls_persist.server.analysis.entity import Entity
from lua_ls_persist.server.analysis.nodes import Block, Chain, Literal, Statement, Step
from lua_ls_persist.server.analysis.walking import key_start
from lua_ls_persist.server.documents import Document
from lua_ls_persist.server.live.meaning import Bound, bind, function_type, parts_in
from lua_ls_persist.server.live.resolving import Literally, Resolver
from lua_ls_persist.server.live.shapes import (
    FILES_MAX,
    Built,
    Called,
    Instance,
    Shape,
    literal_text,
)
from lua_ls_persist.server.navigation import Spot
from lua_ls_persist.session.sights import ANY, Way

if TYPE_CHECKING:
    from lua_ls_persist.server.live.inference import Walk

RETURNS_MAX: Final = 50


@dataclass(frozen=True, slots=True)
class Call:
    """A call in a chain."""

    document: Document
    called: Shape | None
    owner: Shape | None
    """What stands before the last dot."""
    chain: Chain
    base: int
    place: int

    @property
    def step(self) -> Step:
        """The call itself."""
        return self.chain.steps[self.place]

    @property
    def is_method(self) -> bool:
        """Whether what stands before a colon is given, too."""
        return self.place > 0 and self.chain.steps[self.place - 1].kind == ":"


@dataclass(frozen=True, slots=True)
class Signatures:
    """How a function is called, as its annotations say."""

    ways: tuple[FunctionType, ...]
    """That of its parameters first, then the overloads."""
    generics: tuple[str, ...] = ()
    has_self: bool = False
    """Whether its first parameter is written as a colon, so that none of the ways names it."""


class Results:
    """What calls give in one walk."""

    def __init__(self, walk: Walk) -> None:
        self._walk = walk

    def called(self, call: Call) -> list[Shape | None]:
        """What a call gives, value by value; empty where nobody knows."""
        called = call.called
        if isinstance(called, Way) and called.steps == ("setmetatable",) and called.is_global:
            return [self._set_metatable(call)]
        if isinstance(called, (Way, Literally)):
            resolver = Resolver(scopes_of(call.document))
            found = resolver.called(called, call.chain, call.place, call.base)
            if found is not None:
                return [self._walk.in_sources(found)]
        if isinstance(called, Called):
            return self._chosen(Signatures((called.type,)), call)
        spot = self.function(call)
        if spot is None:
            return []
        signatures = self.signatures(spot)
        if any(way.returns for way in signatures.ways):
            return self._chosen(signatures, call)
        return (
            self._walk.once(
                ("returned", spot.document.uri, spot.range), lambda: self._as_written(spot)
            )
            or []
        )

    def given(self, call: Call, number: int) -> FunctionType | None:
        """The type of the function that a call takes as its argument of a number.

        Generic names stand in it as they are written.
        """
        for way, shift in self._ways(call):
            place = number + shift
            if 0 <= place < len(way.parameters):
                return function_type(way.parameters[place][1])
        return None

    def expected(self, call: Call, number: int) -> Shape | None:
        """What a call takes as its argument of a number."""
        for way, shift in self._ways(call):
            place = number + shift
            if 0 <= place < len(way.parameters) and way.parameters[place][1]:
                return self._walk.of_type(way.parameters[place][1], self.bound(call))
        return None

    def handed_on(self, call: Call, argument: int, number: int) -> Shape | None:
        """What functions of the libraries call a function with that they are given."""
        called = call.called
        if not isinstance(called, Way) or not called.is_global:
            return None
        if called.steps == ("ext", "migrate") and argument == 2 and number == 0:
            table = Resolver(scopes_of(call.document)).table(call.chain, call.base, call.place)
            return None if table is None else table / ANY
        if called.steps == ("table", "sort") and argument == 1:
            first = call.step.arguments[0].expression
            return self._walk.element(self._walk.value(call.document, first, call.base))
        return None

    def bound(self, call: Call) -> Bound:
        """What the generic names of a called function stand for."""
        if isinstance(call.called, Called):
            return {"self": call.owner}
        spot = self.function(call)
        return {} if spot is None else self._bound(self.signatures(spot), call)

    def _ways(self, call: Call) -> Iterator[tuple[FunctionType, int]]:
        """How a function is called, and by how many its parameters are before the arguments."""
        if isinstance(call.called, Called):
            yield call.called.type, int(call.is_method)
            return
        spot = self.function(call)
        if spot is not None:
            signatures = self.signatures(spot)
            for way in signatures.ways:
                yield way, call.is_method - signatures.has_self

    def signatures(self, spot: Spot) -> Signatures:
        """What the annotations of the function say that is defined at a spot."""
        key = ("signatures", spot.document.uri, spot.range)
        found = self._walk.once(key, lambda: signatures_at(spot))
        return found or Signatures(())

    def _chosen(self, signatures: Signatures, call: Call) -> list[Shape | None]:
        """What the ways of calling give that fit; nothing where they do not agree."""
        bound = self._bound(signatures, call)
        found: list[list[Shape | None]] = []
        count = len(call.step.arguments) + call.is_method - signatures.has_self
        fitting = [way for way in signatures.ways if _takes(way, count)] or signatures.ways
        for way in fitting:
            given = [self._walk.of_type(one, bound) if one else None for one in way.returns]
            if given not in found:
                found.append(given)
        return found[0] if len(found) == 1 else []

    def _bound(self, signatures: Signatures, call: Call) -> Bound:
        bound: dict[str, Shape | None] = {"self": call.owner}
        for name in signatures.generics:
            bound[name] = None
            for place, (_, type_) in enumerate(signatures.ways[0].parameters):
                number = place - call.is_method + signatures.has_self
                if not 0 <= number < len(call.step.arguments):
                    continue
                expression = call.step.arguments[number].expression
                given = self._walk.value(call.document, expression, call.base)
                found = bind(name, type_, given, self._walk.element(given))
                if found is not None:
                    bound[name] = found
                    break
        return bound

    def _set_metatable(self, call: Call) -> Shape | None:
        """An object: of the class that its metatable is, or else what the table is."""
        document, step, base = call.document, call.step, call.base
        given = [one.expression for one in step.arguments]
        if len(given) > 1:
            found = self._walk.value(document, given[1], base)
            if isinstance(found, Instance):
                return found
        entity = entities_of(document).metatables.calls.get(base + step.start)
        if entity is not None:
            return self._walk.named(entity)
        found = self._walk.value(document, given[0], base) if given else None
        return replace(found, inherits=True) if isinstance(found, Built) else found

    def function(self, call: Call) -> Spot | None:
        """Where the called function is defined, if that is one place for certain."""
        document = call.document
        scopes = scopes_of(document)
        chain, place = call.chain, call.place
        before = chain.steps[place - 1] if place else None
        if before is None:
            at = call.base + chain.base.offset if chain.base is not None else -1
        elif before.kind == "(" or not isinstance(before.key, str):
            return None
        else:
            members = self._walk.members(call.owner)
            member = None if members is None else members.named(before.key)
            if member is not None:
                return member.spot if member.is_function and member.certain else None
            if members is not None and not isinstance(call.owner, Built):
                return None
            at = call.base + before.key_start
        name = scopes.name_at(scopes.position(at)) if at >= 0 else None
        if name is None:
            return None
        if name.declaration is None or chain.base is None:
            return self._defined(document, self._walk.navigator.entity(document, name))
        declaration = scopes.occurrence(chain.base, call.base).declaration
        if declaration is None or scopes.is_assigned_again(declaration):
            return None
        own = Spot(document, name.declaration)
        if function_at(own) is not None:
            return own
        # A local that is another name for a function.
        held = entities_of(document).held(declaration)
        return self._defined(document, held and self._walk.navigator.settled(held))

    def _defined(self, document: Document, entity: Entity | None) -> Spot | None:
        """The one place where a field or a global is defined."""
        navigator = self._walk.navigator
        text = entity.keys[-1] if entity is not None and entity.keys else None
        if entity is None or not isinstance(text, str):
            return None
        if navigator.files.count_mentioning(text) > FILES_MAX:
            return None
        spots = list(navigator.defined(document, text, entity))
        return spots[0] if len(spots) == 1 else None

    def _as_written(self, spot: Spot) -> list[Shape | None]:
        """What the function at a spot returns, where that is the same everywhere."""
        found = function_at(spot)
        if found is None:
            return []
        base, block = found
        return [self._first_value(spot.document, block, base)]

    def _first_value(self, document: Document, block: Block, base: int) -> Shape | None:
        found: list[Shape] = []
        for count, (at, statement) in enumerate(_returns(block, base)):
            if not statement.values:
                continue
            value = statement.values[0]
            if isinstance(value, Literal) and literal_text(document, value, at) == "nil":
                continue
            shape = None if count > RETURNS_MAX else self._walk.value(document, value, at)
            if shape is None:
                return None
            if shape not in found:
                found.append(shape)
        return found[0] if len(found) == 1 else None


def function_at(spot: Spot) -> tuple[int, Block] | None:
    """The function that is defined at a spot, and what its places count from."""
    scopes = scopes_of(spot.document)
    offset = scopes.offset(spot.range.start)
    for base, statement in scopes.around(offset):
        for target, value in zip(statement.targets, statement.values, strict=False):
            if base + key_start(target) == offset and isinstance(value, Block):
                return (base, value) if value.kind == "function" else None
    return None


def signatures_at(spot: Spot) -> Signatures:
    """What the annotations of the function say that is defined at a spot."""
    found = function_at(spot)
    if found is None:
        return Signatures(())
    base, block = found
    note = note_above(spot.document, scopes_of(spot.document).position(base).row)
    return noted_signatures(note, block)


def noted_signatures(note: Note, block: Block) -> Signatures:
    """What a comment says of the function below it."""
    if not note.is_of_function:
        declared = function_type(note.type)
        return Signatures(() if declared is None else (declared,))
    names = [name.text for name in block.head if name.role != nodes.SELF]
    names += ["..."] if block.variadic else []
    has_self = any(name.role == nodes.SELF for name in block.head)
    ways = [FunctionType(tuple((name, _type_of(note, name)) for name in names), note.returns)]
    for text in note.overloads:
        other = function_type(text)
        if other is not None:
            drops_self = has_self and other.parameters[:1] and other.parameters[0][0] == "self"
            parameters = other.parameters[1:] if drops_self else other.parameters
            ways.append(FunctionType(parameters, other.returns))
    return Signatures(tuple(ways), note.generics, has_self)


def _type_of(note: Note, name: str) -> str:
    type_ = note.params.get(name, ("", ""))[0]
    return f"{type_}|nil" if type_ and name in note.optional else type_


def _takes(way: FunctionType, count: int) -> bool:
    """Whether a function may be called with so many arguments."""
    needed = 0
    for place, (name, type_) in enumerate(way.parameters):
        if name == "...":
            return count >= needed
        if type_ and "nil" not in (parts_in(type_) or ("nil",)):
            needed = place + 1
    return needed <= count <= len(way.parameters)


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
