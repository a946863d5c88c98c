"""What names and fields stand for, beyond the document they are written in.

Owns `Entity`: a global, a local or what a module returns, with the keys behind it. `u.name` is the
field `name` of the global `users` after `local u = users`, and `self.name` in `function M:f()` is
`M.name`. Knows one document; which file a module is, others say.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from itertools import zip_longest
from typing import Final
from typing import Literal as OneOf

from lua_ls_persist.server.analysis import nodes
from lua_ls_persist.server.analysis.entity import GLOBAL, Definition, Entity
from lua_ls_persist.server.analysis.key_uses import key_at
from lua_ls_persist.server.analysis.library import GLOBAL_TABLES
from lua_ls_persist.server.analysis.metatables import NONE, Metatables, metatables_in
from lua_ls_persist.server.analysis.nodes import (
    Block,
    Chain,
    Either,
    Expression,
    Name,
    Statement,
    Step,
)
from lua_ls_persist.server.analysis.resolving import Declaration
from lua_ls_persist.server.analysis.scopes import Scopes, scopes_of
from lua_ls_persist.server.documents import Document
from lua_ls_persist.server.uris import key_of

ALIASES_MAX = 8
"""How many `local a = b` are followed, one after the other."""
_GLOBALS: Final = tuple((name,) for name in GLOBAL_TABLES)


def entities_of(document: Document) -> Entities:
    """The entities of a document. Any thread."""
    entities = document.derived.get("entities")
    if not isinstance(entities, Entities):
        entities = Entities(key_of(document.uri), scopes_of(document))
        document.derived["entities"] = entities
    return entities


class Entities:
    """The entities of one document."""

    def __init__(self, uri: str, scopes: Scopes, *, plain: bool = False) -> None:
        self.uri = uri
        self.scopes = scopes
        self._locals: dict[int, Entity | None] = {}
        self._owned: dict[Entity, tuple[Definition, ...]] = {}
        self._metatables = NONE if plain else None

    @property
    def metatables(self) -> Metatables:
        """Which tables are objects of which others, as the document says."""
        if self._metatables is None:
            # What metatables say of names depends on what names are without them.
            plain = Entities(self.uri, self.scopes, plain=True)
            returned = Entity(("returned", self.uri), ())
            self._metatables = metatables_in(self.scopes, plain.of_chain, plain.declared, returned)
        return self._metatables

    def at(self, offset: int) -> Entity | None:
        """What the name, the field or the key of a table stands for at a place."""
        use = key_at(self.scopes, offset)
        if use is None:
            return None
        if use.chain is not None:
            return self.of_chain(use.chain, use.base, use.steps)
        key = self.scopes.chunk.source[use.start : use.end]
        found = (one.entity for one in self.definitions(key) if one.start == use.start)
        return next(found, None)

    def of_chain(
        self, chain: Chain, base: int, count: int | None = None, depth: int = ALIASES_MAX
    ) -> Entity | None:
        """What a chain, or its first steps, stands for; None if that depends on a call."""
        steps = chain.steps if count is None else chain.steps[:count]
        if chain.base is None:
            return None
        entity: Entity | None
        occurrence = self.scopes.occurrence(chain.base, base)
        if occurrence.declaration is not None:
            entity = self._of_local(occurrence.declaration, depth)
        else:
            entity = Entity(GLOBAL, (chain.base.text,))
        if entity is not None and entity.is_global and entity.keys == ("require",) and steps:
            entity = self._module(steps[0])
            steps = steps[1:]
        elif entity is not None and entity.keys == ("setmetatable",) and steps:
            made = self.metatables.calls.get(base + steps[0].start)
            entity = made or self._first_argument(steps[0], base, depth)
            steps = steps[1:]
        for step in steps:
            if entity is None or step.kind == "(" or step.key is None:
                return None
            entity = entity.at(step.key)
        if entity is not None and entity.is_global and entity.keys[:1] in _GLOBALS:
            return Entity(GLOBAL, entity.keys[1:]) if len(entity.keys) > 1 else None
        return entity

    def exported(self) -> Entity | None:
        """What the file returns."""
        value, offset = self.returned()
        found = self.of_chain(value, offset) if isinstance(value, Chain) else None
        if found is None and isinstance(unwrapped(value), Block):
            return Entity(("returned", self.uri), ())
        return found

    def returned(self) -> tuple[Expression, int]:
        """The expression that the file returns, and what its offsets count from."""
        block = self.scopes.chunk.block
        for offset, statement in zip(
            reversed(block.offsets), reversed(block.statements), strict=True
        ):
            if statement.kind == "return":
                return (statement.values[0] if statement.values else None), offset
        return None, 0

    def definitions(self, key: str | None = None) -> Iterator[Definition]:
        """Where variables and fields get a value; with a key, only those whose last key it is."""
        for definition in self._in_statement(self.scopes.chunk.root, 0, key, {}):
            if key is None or definition.entity.keys[-1:] == (key,):
                yield definition

    def definitions_of(self, owner: Entity) -> tuple[Definition, ...]:
        """Where the fields of something get a value, as far as its name stands around there."""
        found = self._owned.get(owner)
        if found is None:
            found = tuple(
                one
                for base, statement in self._about(owner)
                for one in self._in_statement(statement, base, None, {})
                if one.origin != "local"
                and one.entity.root == owner.root
                and one.entity.keys[:-1] == owner.keys
            )
            self._owned[owner] = found
        return found

    def _about(self, owner: Entity) -> Iterator[tuple[int, Statement]]:
        """The statements of the outermost level that may set fields of something."""
        block = self.scopes.chunk.block
        if owner.root[0] == "local" and owner.root[1] == self.uri:
            place = bisect_right(block.offsets, int(owner.root[2])) - 1
            if place >= 0 and not _declares(block, place, int(owner.root[2])):
                # It is known in the block only in which it is declared.
                yield block.offsets[place], block.statements[place]
                return
        names = {str(owner.keys[0])} if owner.keys else set[str]()
        for base, statement in zip(block.offsets, block.statements, strict=True):
            if statement.kind == "local":
                names.update(
                    one.text
                    for one in statement.targets
                    if isinstance(one, Name)
                    and self.metatables.locals.get(base + one.offset) == owner
                )
            if not owner.keys and base in self._returned_at():
                yield base, statement
            elif not names.isdisjoint(statement.mentions):
                if statement.kind == "local":  # Another name for it, probably.
                    names.update(one.text for one in statement.targets if isinstance(one, Name))
                yield base, statement

    def _in_statement(
        self, statement: Statement, base: int, key: str | None, owners: dict[int, Entity]
    ) -> Iterator[Definition]:
        """The definitions in a statement; `owners` says what tables are the value of."""
        if statement.kind in ("local", "local function", "assign", "function"):
            for target, value in zip_longest(statement.targets, statement.values):
                if isinstance(target, (nodes.Name, Chain)):
                    entity = self._target(target, base)
                    if entity is not None:
                        yield _definition(entity, target, value, base)
                        _own(owners, value, entity)
        elif statement.kind == "return" and statement.values and base in self._returned_at():
            _own(owners, statement.values[0], Entity(("returned", self.uri), ()))
        for block in statement.blocks:
            owner = self.metatables.tables.get(base + block.start) or owners.get(id(block))
            for offset, inner in zip(block.offsets, block.statements, strict=True):
                if key is not None and key not in inner.mentions:
                    continue
                if inner.kind == "field" and owner is not None and inner.targets:
                    yield from self._in_field(inner, base + offset, key, owner)
                else:
                    yield from self._in_statement(inner, base + offset, key, {})

    def _in_field(
        self, statement: Statement, base: int, key: str | None, owner: Entity
    ) -> Iterator[Definition]:
        owners: dict[int, Entity] = {}
        target = statement.targets[0]
        if isinstance(target, Step) and target.key is not None:
            entity = owner.at(target.key)
            value = statement.values[0] if statement.values else None
            yield _definition(entity, target, value, base)
            _own(owners, value, entity)
        yield from self._in_statement(statement, base, key, owners)

    def _target(self, target: nodes.Name | Chain, base: int) -> Entity | None:
        if isinstance(target, nodes.Name):
            # The variable itself, whatever it is an alias of.
            return Entity(("local", self.uri, str(base + target.offset)), (target.text,))
        if not target.steps and target.base is not None:
            declaration = self.scopes.occurrence(target.base, base).declaration
            if declaration is not None:
                return self.declared(declaration)
        return self.of_chain(target, base)

    def _of_local(self, declaration: Declaration, depth: int) -> Entity | None:
        """What a local holds: a table of its own, or what has a name elsewhere.

        None for parameters and for what calls and operators give: that may be anything.
        """
        start = declaration.start
        made = self.metatables.locals.get(start)
        if made is not None:
            return made
        if start not in self._locals and depth > 0:
            self._locals[start] = self._held(declaration, depth - 1)
        return self._locals.get(start)

    def _held(self, declaration: Declaration, depth: int) -> Entity | None:
        for base, statement in self.scopes.around(declaration.start):
            if declaration.role == nodes.SELF and statement.kind == "function":
                owner = statement.targets[0] if statement.targets else None
                if isinstance(owner, Chain) and base + owner.start == declaration.start:
                    return self.of_chain(owner, base, len(owner.steps) - 1, depth)
            if statement.kind == "local":
                for index, target in enumerate(statement.targets):
                    if isinstance(target, nodes.Name) and base + target.offset == declaration.start:
                        return self._value(declaration, statement, index, base, depth)
        return None

    def held(self, declaration: Declaration) -> Entity | None:
        """What a local holds, by the name that it has elsewhere; None where that is not known."""
        return self._of_local(declaration, ALIASES_MAX)

    def declared(self, declaration: Declaration) -> Entity:
        """A local itself, whatever it is an alias of."""
        return Entity(("local", self.uri, str(declaration.start)), (declaration.text,))

    def _value(
        self, declaration: Declaration, statement: Statement, index: int, base: int, depth: int
    ) -> Entity | None:
        own = self.declared(declaration)
        if not statement.values:
            return own  # It gets its table later.
        value = statement.values[index] if index < len(statement.values) else None
        if isinstance(value, Either):
            value = _first_choice(value)
        table = unwrapped(value)
        if isinstance(table, Block):
            return own if table.kind == "table" else None
        if isinstance(value, Chain) and _is_alias(value):
            return self.of_chain(value, base, None, depth)
        return None

    def _module(self, call: Step) -> Entity | None:
        if call.kind == "(" and call.arguments:
            name = call.arguments[0].expression
            if isinstance(name, nodes.Literal) and isinstance(name.value, str):
                return Entity(("module", name.value), ())
        return None

    def _first_argument(self, call: Step, base: int, depth: int) -> Entity | None:
        value = call.arguments[0].expression if call.kind == "(" and call.arguments else None
        return self.of_chain(value, base, None, depth) if isinstance(value, Chain) else None

    def _returned_at(self) -> tuple[int, ...]:
        """Where the file returns something."""
        block = self.scopes.chunk.block
        return tuple(
            offset
            for offset, statement in zip(block.offsets[-1:], block.statements[-1:], strict=True)
            if statement.kind == "return"
        )


def _is_alias(value: Chain) -> bool:
    """Whether a local with this value is another name for it: what is called gives a new thing."""
    if value.base is None:
        return False
    calls = [index for index, step in enumerate(value.steps) if step.kind == "("]
    return not calls or (calls == [0] and value.base.text in ("require", "setmetatable"))


def unwrapped(value: Expression) -> Expression:
    """The table of `setmetatable({...}, ...)`; anything else as it is."""
    if (
        isinstance(value, Chain)
        and value.base is not None
        and value.base.text == "setmetatable"
        and len(value.steps) == 1
        and value.steps[0].arguments
    ):
        return value.steps[0].arguments[0].expression
    return value


def _declares(block: Block, place: int, start: int) -> bool:
    """Whether a statement of a block declares a local itself, so that those behind it know it."""
    statement, base = block.statements[place], block.offsets[place]
    return statement.kind in ("local", "local function") and any(
        isinstance(target, Name) and base + target.offset == start for target in statement.targets
    )


def _first_choice(value: Either) -> Expression:
    """What `a or {...}` is another name for; None where that is not one thing for certain."""
    first, *others = value.operands
    if all(is_table(other) for other in others):
        return first
    return None


def is_table(value: Expression) -> bool:
    """Whether a table is constructed there, with a metatable or without."""
    table = unwrapped(value)
    return isinstance(table, Block) and table.kind == "table"


def _own(owners: dict[int, Entity], value: Expression, entity: Entity) -> None:
    for choice in value.operands if isinstance(value, Either) else (value,):
        table = unwrapped(choice)
        if isinstance(table, Block) and table.kind == "table":
            owners[id(table)] = entity


def _definition(
    entity: Entity,
    target: nodes.Name | Chain | Step,
    value: Expression,
    base: int,
) -> Definition:
    origin: OneOf["local", "chain", "key"] = "chain"
    if isinstance(target, nodes.Name):
        start, end, origin = target.offset, target.end, "local"
    elif isinstance(target, Step):
        start, end, origin = target.key_start, target.key_end, "key"
    elif target.steps:
        start, end = target.steps[-1].key_start, target.steps[-1].key_end
    else:
        start, end = target.start, target.end
    table = unwrapped(value)
    kind: OneOf["function", "method", "table", "value"] = "value"
    if isinstance(table, Block):
        kind = "table" if table.kind == "table" else "function"
        if isinstance(target, Chain) and target.steps and target.steps[-1].kind == ":":
            kind = "method"
    return Definition(
        entity,
        base + start,
        base + end,
        kind,
        origin,
    )
