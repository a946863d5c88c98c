"""Which tables are objects of which others, by the metatables that a document sets.

A table is a class where `__index` leads to it: `Account.__index = Account`, `{ __index = Base }`. A
local with such a metatable is another name for the class, as `self` in its methods is: what it has
is what the class has. A table that is a class itself, or a global, or a field, has the class as its
parent.

Where the metatable is another file's, `Base` of `setmetatable(o, Base)`, the class is
`Base.__index`: what that leads to, others say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from lua_ls_persist.server.analysis import nodes
from lua_ls_persist.server.analysis.entity import Entity
from lua_ls_persist.server.analysis.nodes import Block, Chain, Either, Expression, Statement, Step
from lua_ls_persist.server.analysis.resolving import Declaration
from lua_ls_persist.server.analysis.scopes import Scopes

INDEX: Final = "__index"

Named: TypeAlias = Callable[[Chain, int], Entity | None]
Declared: TypeAlias = Callable[[Declaration], Entity]


@dataclass(frozen=True, slots=True)
class Metatables:
    """What metatables say; places are offsets of the text."""

    locals: Mapping[int, Entity] = field(default_factory=dict)
    """The class, by where a local is declared that is an object of it."""
    tables: Mapping[int, Entity] = field(default_factory=dict)
    """The class, by where the constructor of an object begins."""
    calls: Mapping[int, Entity] = field(default_factory=dict)
    """The class, by where the bracket of a call of `setmetatable` opens."""
    parents: Mapping[Entity, Entity] = field(default_factory=dict)
    """The class that another table has its fields of."""
    classes: frozenset[Entity] = frozenset()
    indexed: Mapping[Entity, Entity] = field(default_factory=dict)
    """Of a metatable with a name, where its `__index` leads."""
    objects: Mapping[Entity, Entity] = field(default_factory=dict)
    """The class of a local, if it is another file's: the `__index` of a metatable."""
    foreign: Mapping[int, Entity] = field(default_factory=dict)
    """The same by where the constructor of an object begins."""


NONE: Final = Metatables()


def metatables_in(scopes: Scopes, named: Named, declared: Declared, returned: Entity) -> Metatables:
    """What metatables say in a document; `named` tells what a chain is without them.

    `returned` is the table that the document returns without a name.
    """
    mentions = scopes.chunk.root.mentions
    if INDEX not in mentions and "setmetatable" not in mentions:
        return NONE
    return _Reader(scopes, named, declared, returned).read()


class _Reader:
    def __init__(self, scopes: Scopes, named: Named, declared: Declared, returned: Entity) -> None:
        self._scopes = scopes
        self._named = named
        self._declared = declared
        self._returned = returned
        self._indexed: dict[Entity, Entity] = {}
        """Of a metatable with a name, where its `__index` leads."""
        self._classes: set[Entity] = set()
        self._locals: dict[int, Entity] = {}
        self._tables: dict[int, Entity] = {}
        self._calls: dict[int, Entity] = {}
        self._parents: dict[Entity, Entity] = {}
        self._objects: dict[Entity, Entity] = {}
        self._foreign: dict[int, Entity] = {}

    def read(self) -> Metatables:
        for base, statement in self._scopes.mentioning(INDEX):
            self._indexes(statement, base)
        setting = [
            (statement, chain, base)
            for base, statement in self._scopes.mentioning("setmetatable")
            for chain in statement.chains
            if _sets_metatable(chain)
        ]
        calls = [
            (statement, chain, base, owner)
            for statement, chain, base in setting
            if (owner := self._class_of(chain, base)) is not None
        ]
        # What is a class anywhere is not only an object.
        self._classes.update(owner for *_, owner in calls)
        for call in calls:
            self._set(*call)
        for statement, chain, base in setting:
            leads = self._elsewhere(chain, base)
            if leads is not None:
                self._set_elsewhere(statement, chain, base, leads)
        return Metatables(
            self._locals,
            self._tables,
            self._calls,
            self._parents,
            frozenset(self._classes),
            self._indexed,
            self._objects,
            self._foreign,
        )

    def _indexes(self, statement: Statement, base: int) -> None:
        """What a statement sets `__index` to, and what the tables in it have there."""
        if statement.kind == "return" and [base] == self._scopes.chunk.block.offsets[-1:]:
            value = statement.values[0] if statement.values else None
            leads = self._index_of(value, base) if isinstance(value, Block) else None
            if leads is not None:
                self._indexed[self._returned] = leads
                self._classes.add(leads)
        for target, value in zip(statement.targets, statement.values, strict=False):
            owner = self._entity(target, base) if isinstance(target, (nodes.Name, Chain)) else None
            if isinstance(target, Chain) and target.steps and target.steps[-1].key == INDEX:
                leads = self._entity(value, base)
                before = Chain(target.start, target.base)
                before.steps = target.steps[:-1]
                table = self._entity(before, base)
                if leads is not None and table is not None:
                    self._indexed[table] = leads
                    self._classes.add(leads)
            elif owner is not None and isinstance(value, Block) and value.kind == "table":
                leads = self._index_of(value, base)
                if leads is not None:
                    self._indexed[owner] = leads
                    self._classes.add(leads)

    def _index_of(self, table: Block, base: int) -> Entity | None:
        """The `__index` of a constructed table."""
        for offset, one in zip(table.offsets, table.statements, strict=True):
            key = one.targets[0] if one.targets else None
            if isinstance(key, Step) and key.key == INDEX and one.values:
                return self._entity(one.values[0], base + offset)
        return None

    def _entity(self, value: Expression | nodes.Name, base: int) -> Entity | None:
        if isinstance(value, nodes.Name):
            declaration = self._scopes.occurrence(value, base).declaration
            return None if declaration is None else self._declared(declaration)
        return self._named(value, base) if isinstance(value, Chain) else None

    def _class_of(self, chain: Chain, base: int) -> Entity | None:
        """The class that a call of `setmetatable` makes something an object of."""
        metatable = chain.steps[0].arguments[1].expression
        if isinstance(metatable, Block) and metatable.kind == "table":
            return self._index_of(metatable, base)
        name = self._entity(metatable, base)
        return None if name is None else self._indexed.get(name)

    def _elsewhere(self, chain: Chain, base: int) -> Entity | None:
        """The `__index` of a metatable that another file may make."""
        name = self._entity(chain.steps[0].arguments[1].expression, base)
        if name is None or name in self._indexed:
            return None
        return name.at(INDEX) if name.root[0] == "module" or name.is_global else None

    def _set_elsewhere(self, statement: Statement, chain: Chain, base: int, leads: Entity) -> None:
        made = chain.steps[0].arguments[0].expression
        for target in self._named_by(statement, chain, made):
            own, declaration = self._own(target, base)
            if own is None:
                continue
            if declaration is None or own in self._classes or own in self._indexed:
                self._parents.setdefault(own, leads)
            else:
                self._objects.setdefault(own, leads)
        for choice in made.operands if isinstance(made, Either) else (made,):
            if isinstance(choice, Block) and choice.kind == "table":
                self._foreign[base + choice.start] = leads

    def _set(self, statement: Statement, chain: Chain, base: int, owner: Entity) -> None:
        made = chain.steps[0].arguments[0].expression
        for target in self._named_by(statement, chain, made):
            if not self._is_object(target, base, owner):
                return
        self._calls[base + chain.steps[0].start] = owner
        for choice in made.operands if isinstance(made, Either) else (made,):
            if isinstance(choice, Block) and choice.kind == "table":
                self._tables[base + choice.start] = owner

    def _named_by(
        self, statement: Statement, chain: Chain, made: Expression
    ) -> Iterator[nodes.Name | Chain]:
        """What the object is called: the target that gets it, and what is given a metatable."""
        for target, value in zip(statement.targets, statement.values, strict=False):
            if value is chain and isinstance(target, (nodes.Name, Chain)):
                yield target
        for choice in made.operands if isinstance(made, Either) else (made,):
            if isinstance(choice, Chain):
                yield choice

    def _is_object(self, target: nodes.Name | Chain, base: int, owner: Entity) -> bool:
        """Notes that what a name stands for is an object; False if it is a class itself."""
        own, declaration = self._own(target, base)
        is_class = own in self._classes or own in self._indexed
        if declaration is not None and not is_class:
            self._locals[declaration.start] = owner
        elif own is not None and own != owner:
            self._parents.setdefault(own, owner)
        return not is_class

    def _own(
        self, target: nodes.Name | Chain, base: int
    ) -> tuple[Entity | None, Declaration | None]:
        """What a name stands for, and its declaration if it is a local's, `self` aside."""
        name = target if isinstance(target, nodes.Name) else target.base
        has_steps = isinstance(target, Chain) and bool(target.steps)
        declaration = None
        if name is not None and not has_steps:
            declaration = self._scopes.occurrence(name, base).declaration
        if declaration is None or declaration.role == nodes.SELF:
            return self._entity(target, base), None
        return self._declared(declaration), declaration


def _sets_metatable(chain: Chain) -> bool:
    return (
        chain.base is not None
        and chain.base.text == "setmetatable"
        and bool(chain.steps)
        and chain.steps[0].kind == "("
        and len(chain.steps[0].arguments) > 1
    )
