"""What parameters, locals and results of calls are, as far as the sources say for certain.

From LuaCATS annotations of the file set, from tables that are constructed, from what functions
return, and from the tables of the store that all of these are rows of. Nothing is guessed: where
two answers are possible there is none. Must not know LSP types or sessions. Not for the loop's
thread, because other files may have to be read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast

from lua_ls_persist.server.analysis import ExpressionPath, nodes, scopes_of
from lua_ls_persist.server.analysis.annotations import Note, note_above
from lua_ls_persist.server.analysis.entities import entities_of
from lua_ls_persist.server.analysis.entity import Entity
from lua_ls_persist.server.analysis.library import GLOBAL_TABLES
from lua_ls_persist.server.analysis.nodes import (
    Block,
    Chain,
    Either,
    Expression,
    Literal,
    Statement,
)
from lua_ls_persist.server.analysis.resolving import Declaration
from lua_ls_persist.server.analysis.walking import key_start
from lua_ls_persist.server.documents import Document
from lua_ls_persist.server.live.meaning import Bound, function_type, shape_of_type
from lua_ls_persist.server.live.resolving import (
    ITERATORS,
    Groups,
    Literally,
    QueryRows,
    Resolver,
    further,
)
from lua_ls_persist.server.live.results import Call, Results
from lua_ls_persist.server.live.shapes import (
    Built,
    Called,
    Instance,
    Items,
    ListOf,
    Members,
    Named,
    Shape,
    class_name,
    members_of,
)
from lua_ls_persist.server.live.stored_names import StoredNames
from lua_ls_persist.server.navigation import Navigator, Spot, is_settled
from lua_ls_persist.session.sights import ANY, Way

if TYPE_CHECKING:
    from lua_ls_persist.schema.type_texts import FunctionType

T = TypeVar("T")

DEPTH_MAX: Final = 40
"""So many declarations, one by the other, are followed."""
NOTHING_LIVE: Final[Mapping[str, str]] = MappingProxyType({})
"""The VM was not asked which named tables its globals hold."""
STEPS_MAX: Final = 1_000
"""So many are looked at for one question."""


class Inference:
    """Answers about expressions of the file set.

    With `remembers`, what is found out is kept: for many questions about texts as they are now.
    """

    def __init__(self, navigator: Navigator, *, remembers: bool = False) -> None:
        self.navigator = navigator
        self._kept = Walk(navigator) if remembers else None

    def _walk(self) -> Walk:
        if self._kept is None:
            return Walk(self.navigator)
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


class Walk:
    """One question, with what was found out on the way to its answer."""

    def __init__(self, navigator: Navigator, live: Mapping[str, str] = NOTHING_LIVE) -> None:
        self.navigator = navigator
        self.results = Results(self)
        self.stored = StoredNames(self, live)
        self._noted_globals: Mapping[str, Sequence[Note]] | None = None
        self._found: dict[object, Any] = {}
        self.left = STEPS_MAX
        self._depth = 0

    def once(self, key: object, find: Callable[[], T | None]) -> T | None:
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
        return cast("Shape | None", self.once(key, find))

    def members(self, shape: Shape | None) -> Members | None:
        """What something has; None where only the VM may know."""
        if not isinstance(shape, (Instance, Built, Items, Named)):
            return None
        return self.once(("members", shape), lambda: members_of(self.navigator.files, shape))

    def named(self, entity: Entity) -> Shape:
        """A table by its name: an object of the class that annotations make it."""
        entity = self.navigator.settled(entity)
        name = self.once(("class", entity), lambda: self._class_name(entity))
        return Instance(name) if name else Named(entity)

    def _class_name(self, entity: Entity) -> str | None:
        if not entity.is_global:
            return class_name(self.navigator.files, entity)
        notes = self._notes(str(entity.keys[0])) if len(entity.keys) == 1 else ()
        return notes[0].class_name if len(notes) == 1 else None

    def _notes(self, text: str) -> Sequence[Note]:
        """What comments say of a global where it is assigned."""
        if self._noted_globals is None:
            self._noted_globals = self.navigator.files.noted_globals()
        return self._noted_globals.get(text, ())

    def of_type(self, text: str, bound: Bound | None = None) -> Shape | None:
        """What an annotation means, if it is one thing, nil aside."""
        files = self.navigator.files
        if bound and any(name in text for name in bound):
            return shape_of_type(files, text, bound)
        return self._shape(("type", text), lambda: shape_of_type(files, text))

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
                call = Call(document, shape, owner, chain, base, place)
                found = self.results.called(call)
            else:
                owner, found = shape, [self.field(shape, step.key)]
        return found

    def call(self, document: Document, chain: Chain, base: int, place: int) -> Call:
        """A call in a chain, with what is known of what is called."""
        called = self.chain(document, chain, base, place)
        owner = self.chain(document, chain, base, place - 1) if place else None
        return Call(document, called, owner, chain, base, place)

    def value(self, document: Document, value: Expression, base: int) -> Shape | None:
        if isinstance(value, Chain):
            return self.chain(document, value, base, len(value.steps))
        if isinstance(value, Block) and value.kind == "table":
            return Built(document.uri, base + value.start)
        if isinstance(value, Literal) and isinstance(value.value, str):
            return Literally()
        if isinstance(value, Either):
            return self._either(document, value, base)
        return None

    def _either(self, document: Document, value: Either, base: int) -> Shape | None:
        """The first of `a or {...}`, if it is known; a table without fields says nothing."""
        found: list[Shape] = []
        for operand in value.operands:
            if isinstance(operand, Literal) and operand.value in (None, False):
                continue
            if found and isinstance(operand, Block) and operand.kind == "table":
                continue  # What is there if the first is not.
            shape = self.value(document, operand, base)
            if shape is None:
                return None
            if shape not in found:
                found.append(shape)
        return found[0] if len(found) == 1 else None

    def element(self, shape: Shape | None) -> Shape | None:
        """What somebody gets who goes through it."""
        if isinstance(shape, ListOf):
            return shape.element
        if isinstance(shape, Built):
            return self._item(shape)
        return further(shape, ANY) if isinstance(shape, (Way, QueryRows, Groups)) else None

    def field(self, shape: Shape | None, key: object) -> Shape | None:
        if isinstance(shape, ListOf):
            return shape.element if shape.has_names or not isinstance(key, str) else None
        if isinstance(shape, Built) and not isinstance(key, str):
            return None if isinstance(key, bool) else self._item(shape)
        if isinstance(shape, (Instance, Built, Items, Named)):
            members = self.members(shape)
            member = None if members is None or not isinstance(key, str) else members.named(key)
            if member is None:
                return None
            if member.type:
                return self.of_type(member.type, {"self": shape})
            spot = member.spot
            place = ("assigned", spot.document.uri, spot.range)
            return self._shape(place, lambda: self._assigned(spot)) if member.certain else None
        return None if isinstance(shape, Called) else further(shape, key)

    def _item(self, shape: Built) -> Shape | None:
        items = Items(shape.uri, shape.start)
        return None if self.members(items) is None else items

    # -- names

    def name(self, document: Document, name: nodes.Name, base: int) -> Shape | None:
        declaration = scopes_of(document).occurrence(name, base).declaration
        if declaration is None:
            return self._shape(("global", name.text), lambda: self.of_global(name.text))
        key = ("local", document.uri, declaration.start)
        return self._shape(key, lambda: self._declared(document, declaration))

    def _declared(self, document: Document, declaration: Declaration) -> Shape | None:
        if declaration.role == nodes.SELF:
            return self._self(document, declaration)
        made = entities_of(document).metatables.locals.get(declaration.start)
        if made is not None:
            return self.named(made)
        own = entities_of(document).declared(declaration)
        leads = entities_of(document).metatables.objects.get(own)
        if leads is not None and is_settled(self.navigator.settled(leads)):
            return self.named(own)
        if declaration.role == nodes.PARAMETER:
            typed = self._parameter(document, declaration)
        elif declaration.role == nodes.LOOP:
            typed = self._looped(document, declaration)
        else:
            typed = self._local(document, declaration)
        return typed or self._resolved(document, declaration)

    def _resolved(self, document: Document, declaration: Declaration) -> Shape | None:
        scopes = scopes_of(document)
        if declaration.role == nodes.LOCAL and scopes.is_assigned_again(declaration):
            return None
        kinds = {nodes.LOOP: "loop", nodes.PARAMETER: "parameter"}
        found = Resolver(scopes).declared(
            scopes.range(declaration.start, declaration.end),
            kinds.get(declaration.role, "local"),
            declaration.text,
        )
        return self.in_sources(found)

    def in_sources(self, shape: Shape | None) -> Shape | None:
        """What a module returns, if it is a file with a table; anything else as it is."""
        if not isinstance(shape, Way) or shape.steps[:2] != ("package", "loaded"):
            return shape
        name = shape.steps[2] if len(shape.steps) > 2 else None
        if not shape.is_global or not isinstance(name, str):
            return shape
        keys = [step for step in shape.steps[3:] if step is not ANY]
        entity = self.navigator.settled(Entity(("module", name), tuple(keys)))
        if entity.root[0] == "module":
            stored = self.stored.exported(entity.root[1])
            return shape if stored is None else Way(stored.steps + shape.steps[3:], stored.root)
        return self.named(entity) if len(keys) == len(shape.steps) - 3 else shape

    def of_global(self, text: str) -> Shape | None:
        if text in GLOBAL_TABLES:
            return Way()
        notes = self._notes(text)
        noted = None
        if len(notes) == 1:
            noted = self._noted(notes[0].type, notes[0].class_name)
        return noted or self.stored.held(text) or Way((text,))

    def _noted(self, type_: str, class_name: str) -> Shape | None:
        if type_:
            return self.of_type(type_)
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
                note = note_above(document, row)
                type_, _ = note.params.get(declaration.text, ("", ""))
                if type_:
                    return self.of_type(type_)
                owner = block.owner
                if declaration.text == "self" and owner is not None and owner.steps:
                    return self.chain(document, owner, base, len(owner.steps) - 1)
                number = [base + name.offset for name in block.head].index(declaration.start)
                if owner is None and block in statement.values and function_type(note.type):
                    return self._nth_of(function_type(note.type), number)
                return self._called_back(document, statement, block, base, number)
        return None

    def _nth_of(
        self, type_: FunctionType | None, number: int, bound: Bound | None = None
    ) -> Shape | None:
        """What a function of a type gets as its parameter of a number."""
        if type_ is None or number >= len(type_.parameters):
            return None
        return self.of_type(type_.parameters[number][1], bound)

    def _called_back(
        self, document: Document, statement: Statement, block: Block, base: int, number: int
    ) -> Shape | None:
        """What a function without a name gets from the function that it is given to."""
        for chain in statement.chains:
            for place, step in enumerate(chain.steps):
                for argument, given in enumerate(step.arguments):
                    if given.expression is not block:
                        continue
                    call = self.call(document, chain, base, place)
                    found = self.results.handed_on(call, argument, number)
                    if found is not None:
                        return found
                    type_ = self.results.given(call, argument)
                    return self._nth_of(type_, number, self.results.bound(call))
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
                if scopes.is_assigned_again(declaration):
                    return None
                own = entities_of(document).declared(declaration)
                found = self._nth(document, statement, place, base)
                if own in entities_of(document).metatables.classes or (
                    isinstance(found, Built) and self._is_extended(document, own)
                ):
                    return self.named(own)
                return found
        return None

    def _is_extended(self, document: Document, own: Entity) -> bool:
        """Whether a table gets more than its constructor says."""
        definitions = entities_of(document).definitions_of(own)
        return any(one.origin == "chain" for one in definitions)

    def _nth(self, document: Document, statement: Statement, place: int, base: int) -> Shape | None:
        """The value that the target of a number gets; several of them come from a last call."""
        values = statement.values
        if place < len(values) - 1 or (place < len(values) and place == 0):
            return self.value(document, values[place], base)
        last = values[-1] if values else None
        if not isinstance(last, Chain) or not last.steps or last.steps[-1].kind != "(":
            return None if place >= len(values) else self.value(document, last, base)
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
                    return self.element(self.value(document, given, base))
        return None

    def _assigned(self, spot: Spot) -> Shape | None:
        """What a field is set to where it is defined."""
        scopes = scopes_of(spot.document)
        offset = scopes.offset(spot.range.start)
        for base, statement in scopes.around(offset):
            for target, value in zip(statement.targets, statement.values, strict=False):
                if base + key_start(target) == offset:
                    return self.value(spot.document, value, base)
        return None


def _names(statement: Statement) -> Iterator[nodes.Name]:
    for event in statement.events:
        if isinstance(event, Block):
            yield from event.head
        else:
            yield event
