"""What the fields of a program are fields of: a table with a name, a class, the rows of a table.

Two fields are the same if they have the same key and are of the same thing, by whatever way the
program reaches it. An `Entity` says what that is; besides those of `analysis/entities.py` there are

- `("class", name)`: what annotations call a class, and its values,
- `("stored", name)`: a table of the store; `ELEMENT` is any of its rows,
- `("built", uri, offset)`: what a constructor makes that has no name,
- `("list", ...)`, `("argument", ...)`, and those of `asking`: what has others as its elements, what
  is handed to a function that may know its fields by their names. Of fields of these themselves
  nothing is told.

Nothing is guessed: where it is not certain of what something is a field, there is no answer. Must
not know LSP types. Not for the loop's thread.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from lua_ls_persist.server.analysis import nodes, scopes_of
from lua_ls_persist.server.analysis.annotations import note_above
from lua_ls_persist.server.analysis.entities import entities_of, unwrapped
from lua_ls_persist.server.analysis.entity import GLOBAL, Entity
from lua_ls_persist.server.analysis.key_uses import KeyUse
from lua_ls_persist.server.analysis.nodes import Block, Chain, Either, Expression, Statement, Step
from lua_ls_persist.server.analysis.walking import key_start
from lua_ls_persist.server.documents import Document
from lua_ls_persist.server.live.asking import ELEMENT, HELPERS, Asking, general
from lua_ls_persist.server.live.inference import NOTHING_LIVE, STEPS_MAX, Walk
from lua_ls_persist.server.live.labels import may_be_same
from lua_ls_persist.server.live.resolving import Literally
from lua_ls_persist.server.live.results import noted_signatures
from lua_ls_persist.server.live.shapes import (
    PARENTS_MAX,
    Built,
    Instance,
    Items,
    ListOf,
    Named,
    Shape,
    documents_of,
    listed_tables,
)
from lua_ls_persist.server.live.stored_names import is_stored
from lua_ls_persist.server.navigation import Navigator, is_settled
from lua_ls_persist.session.sights import ANY, Way

DEPTH_MAX: Final = 20

_HELPERS: Final = frozenset({"list", "argument", *HELPERS})


class Identities:
    """Answers about fields, for one question about texts as they are now."""

    def __init__(self, navigator: Navigator, live: Mapping[str, str] = NOTHING_LIVE) -> None:
        self.navigator = navigator
        self.walk = Walk(navigator, live)
        self._asking = Asking(self)
        self._canonical: dict[Entity, Entity] = {}
        self._homes: dict[Entity, Entity] = {}
        self._tables: dict[tuple[str, int], Entity] = {}
        self._depth = 0
        self._parents: Mapping[Entity, Entity] | None = None

    def of_use(self, document: Document, use: KeyUse, key: str) -> Entity | None:
        """What a key in the text is; None where that is not certain."""
        self.walk.left = STEPS_MAX
        if use.before is not None:
            owner = self._asking.owner(document, use)
        elif use.chain is None:
            owner = self.of_table(document, use.table)
        else:
            owner = self.of_chain(document, use.chain, use.base, use.steps - 1)
        if owner is None or owner.root[0] in _HELPERS:
            return None
        return self.at_home(owner.at(key))

    def of_chain(self, document: Document, chain: Chain, base: int, count: int) -> Entity | None:
        """What the first steps of a chain give."""
        entity = entities_of(document).of_chain(chain, base, count)
        if entity is not None:
            return self.canonical(entity)
        return self.of_shape(self.walk.chain(document, chain, base, count))

    def of_shape(self, shape: Shape | None) -> Entity | None:
        """What something is of which the kind is known."""
        match shape:
            case Instance():
                return Entity(("class", shape.name), ())
            case Named():
                return self.canonical(shape.entity)
            case Built() | Items():
                document = self.navigator.files.document(shape.uri)
                if document is None:
                    return None
                found = self.of_table(document, shape.start)
                return found.at(ELEMENT) if isinstance(shape, Items) else found
            case ListOf():
                inner = self.of_shape(shape.element)
                return None if inner is None else Entity(("list", *inner.root), inner.keys)
            case Literally():
                return Entity(GLOBAL, ("string",))
            case Way():
                return self.of_way(shape)
        return None

    def of_way(self, way: Way) -> Entity | None:
        """What is there in the VM."""
        if way.document is not None:
            return None
        keys = tuple(ELEMENT if step is ANY else step for step in way.steps)
        if way.root is None and keys[:2] == ("package", "loaded") and len(keys) > 2:
            return self.canonical(Entity(("module", str(keys[2])), keys[3:]))
        if way.root is None:
            return self.canonical(Entity(GLOBAL, keys)) if keys else None
        if way.root == "Memory":
            return self.canonical(Entity(GLOBAL, ("Memory", *keys)))
        # Rows of a table have the same fields, whatever their keys are.
        inner = (ELEMENT, *map(general, keys[1:])) if keys else ()
        return Entity(("stored", way.root), inner)

    def canonical(self, entity: Entity) -> Entity:
        """An entity by its own name; where its kind is known, as a value of that kind."""
        found = self._canonical.get(entity)
        if found is None:
            settled = self.navigator.settled(entity)
            self._canonical[entity] = settled  # What asks for itself has no other name.
            found = self._canonical[entity] = self._by_kind(settled)
        return found

    def _by_kind(self, entity: Entity) -> Entity:
        if entity.root[0] == "module":
            stored = self.walk.stored.exported(entity.root[1])
            way = None if stored is None else Way((*stored.steps, *entity.keys), stored.root)
            return entity if way is None else self.of_way(way) or entity
        size = 0 if entity.root[0] == "returned" else 1
        if entity.root[0] in ("local", "returned"):
            leads = self._class_elsewhere(entity)
            if leads is not None:
                return self.canonical(leads.at(*entity.keys[size:]))
        if entity.root[0] not in ("global", "local", "returned") or len(entity.keys) < size:
            return entity
        root, rest = Entity(entity.root, entity.keys[:size]), entity.keys[size:]
        shape = self._declared(root)
        if shape is None and rest and not root.is_global:
            shape = Named(root)
        reached: Instance | Named | None = shape if isinstance(shape, Instance) else None
        left = rest
        while rest and shape is not None and not is_stored(shape):
            shape, rest = self.walk.field(shape, rest[0]), rest[1:]
            if isinstance(shape, Built):
                leads = self._made_elsewhere(shape.uri, shape.start)
                shape = shape if leads is None else Named(leads)
            if isinstance(shape, (Instance, Named)):
                reached, left = shape, rest
        if is_stored(shape):
            # Another name for a table of the store.
            return self.of_way(Way((*shape.steps, *rest), shape.root)) or entity
        if isinstance(reached, Named):
            return Entity(reached.entity.root, (*reached.entity.keys, *map(general, left)))
        if reached is not None:
            return Entity(("class", reached.name), left)
        found = Entity(entity.root, tuple(map(general, entity.keys)))
        return self._asking.in_memory(found) if entity.is_global else found

    def _class_elsewhere(self, entity: Entity) -> Entity | None:
        """The class of another file that a local, or what a file returns, is an object of."""
        document = self.navigator.files.document(entity.root[1])
        if document is None:
            return None
        entities = entities_of(document)
        if entity.root[0] == "local":
            own = Entity(entity.root, entity.keys[:1])
            return self._settled(entities.metatables.objects.get(own))
        value, base = entities.returned()
        table = unwrapped(value)
        start = base + table.start if isinstance(table, Block) else -1
        return self._settled(entities.metatables.foreign.get(start))

    def _made_elsewhere(self, uri: str, start: int) -> Entity | None:
        """The class of another file that what a constructor makes is an object of."""
        document = self.navigator.files.document(uri)
        if document is None:
            return None
        return self._settled(entities_of(document).metatables.foreign.get(start))

    def _settled(self, leads: Entity | None) -> Entity | None:
        """Where the `__index` of a metatable leads, if somebody knows."""
        found = None if leads is None else self.navigator.settled(leads)
        return self.canonical(found) if found is not None and is_settled(found) else None

    def _declared(self, root: Entity) -> Shape | None:
        """What comments say of a variable where it is declared, or of what a file returns."""
        shape = self.walk.named(root)
        if isinstance(shape, Instance):
            return shape
        if root.is_global:
            found = self.walk.of_global(str(root.keys[0]))
            return found if isinstance(found, (Instance, ListOf)) or is_stored(found) else None
        document = None
        if root.root[0] == "local":
            document = self.navigator.files.document(root.root[1])
        return None if document is None else self._noted(document, int(root.root[2]))

    def _noted(self, document: Document, start: int) -> Shape | None:
        """The type above a local, which is that of the first one there."""
        scopes = scopes_of(document)
        for base, statement in scopes.around(start):
            if statement.targets and base + key_start(statement.targets[0]) == start:
                note = note_above(document, scopes.position(base).row)
                return self.walk.of_type(note.type) if note.type else None
        return None

    # -- tables that are constructed

    def of_table(self, document: Document, start: int) -> Entity:
        """What the table is that the constructor at a place makes."""
        key = (document.uri, start)
        found = self._tables.get(key)
        if found is None:
            own = Entity(("built", document.uri, str(start)), ())
            if self._depth >= DEPTH_MAX:
                return own
            self._tables[key] = own  # What asks for itself on the way has no other name.
            self._depth += 1
            try:
                found = self._tables[key] = self._built(document, start) or own
            finally:
                self._depth -= 1
        return found

    def _built(self, document: Document, start: int) -> Entity | None:
        made = entities_of(document).metatables.tables.get(start)
        made = made or self._made_elsewhere(document.uri, start)
        if made is not None:
            return self.canonical(made)
        around = scopes_of(document).around(start)
        base, statement = around[0]
        for value, target in _values(statement):
            if not _is_at(value, start - base):
                continue
            if isinstance(target, Step) or statement.kind == "field":
                outer = _outer(around)
                key = target.key if isinstance(target, Step) else ELEMENT
                if outer is None or key is None:
                    return None
                return self._inside(document, outer, general(key), start)
            if isinstance(target, nodes.Name):
                declaration = scopes_of(document).occurrence(target, base).declaration
                if declaration is not None:
                    entities = entities_of(document)
                    held = entities.held(declaration)
                    return self.canonical(held or entities.declared(declaration))
            elif isinstance(target, Chain):
                return self.of_chain(document, target, base, len(target.steps))
            elif statement.kind == "return":
                return self._returned(document, around, start)
        listed = self._listed(document, base, statement, start)
        return listed or self._argument(document, base, statement, start)

    def _inside(
        self, document: Document, outer: int, key: nodes.CONSTANT_KEY, start: int
    ) -> Entity | None:
        """What a table is that stands in the constructor of another."""
        table = self.of_table(document, outer)
        if table.root[0] == "batch":
            is_operation = not table.keys and key == ELEMENT
            return self._asking.operation(document, start) if is_operation else None
        return self._asking.field(table, key) or self._of_field(table.at(key))

    def element(self, table: Entity) -> Entity:
        """What any element of a table is."""
        return self._of_field(table.at(ELEMENT))

    def _of_field(self, entity: Entity) -> Entity:
        """A field; the class of its value, where annotations say it."""
        key = entity.keys[-1]
        if entity.root[0] == "list":
            return Entity(entity.root[1:], entity.keys[:-1])
        if entity.root[0] == "class" and len(entity.keys) == 1 and isinstance(key, str):
            shape = self.walk.field(Instance(entity.root[1]), key)
            return self.of_shape(shape) or entity
        return entity

    def _returned(
        self, document: Document, around: list[tuple[int, Statement]], start: int
    ) -> Entity | None:
        """What a function returns, as annotations say; what a file returns."""
        base, statement = around[0]
        value = unwrapped(statement.values[0]) if statement.values else None
        if value is None or base + value.start != start:
            return None
        if len(around) == 2:
            return Entity(("returned", entities_of(document).uri), ())
        for at, outer in around[1:]:
            for block in outer.blocks:
                inside = at + block.start <= start < at + block.end
                if block.kind == "function" and inside:
                    return self._promised(document, outer, block, at)
        return None

    def _promised(
        self, document: Document, statement: Statement, block: Block, base: int
    ) -> Entity | None:
        """What annotations say that a function returns first."""
        if not any(one is block for one in statement.values):
            return None
        note = note_above(document, scopes_of(document).position(base).row)
        ways = noted_signatures(note, block).ways
        returns = ways[0].returns if ways else ()
        return self.of_shape(self.walk.of_type(returns[0])) if returns else None

    def _listed(
        self, document: Document, base: int, statement: Statement, start: int
    ) -> Entity | None:
        """One of those that a constructor lists on one row."""
        outer = [
            block
            for block in statement.blocks
            if block.kind == "table" and base + block.start < start < base + block.end
        ]
        if not outer:
            return None
        around = base + max(outer, key=lambda block: block.start).start
        tables = listed_tables(scopes_of(document), around)
        if any(at + table.start == start for at, table in tables):
            return self._inside(document, around, ELEMENT, start)
        return None

    def _argument(
        self, document: Document, base: int, statement: Statement, start: int
    ) -> Entity | None:
        """What a function is given, as its annotations say."""
        for chain in statement.chains:
            for place, step in enumerate(chain.steps):
                for number, given in enumerate(step.arguments):
                    if _is_at(given.expression, start - base):
                        call = self.walk.call(document, chain, base, place)
                        asked = self._asking.given(document, call, number, start)
                        if asked is not None:
                            return asked
                        found = self.of_shape(self.walk.results.expected(call, number))
                        return found or Entity(("argument", document.uri, str(start)), ())
        return None

    # -- where fields come from

    def at_home(self, entity: Entity) -> Entity:
        """A field as that of the class that has it, of those that its table inherits from."""
        found = self._homes.get(entity)
        if found is None:
            found = self._homes[entity] = self._inherited(entity)
        return found

    def _inherited(self, entity: Entity) -> Entity:
        owner, key = Entity(entity.root, entity.keys[:-1]), entity.keys[-1]
        if owner.root[0] == "class":
            return self._of_class(owner, key) or entity
        current: Entity | None = owner
        for _ in range(PARENTS_MAX):
            if current is None:
                break
            if current.root[0] == "class":
                return self._of_class(current, key) or current.at(key)
            parent = self._parent(current)
            if parent is None and current == owner:
                break  # It inherits nothing.
            if self._has(current, key):
                return current.at(key)
            current = parent
        return entity

    def _of_class(self, owner: Entity, key: nodes.CONSTANT_KEY) -> Entity | None:
        """A field of a class, by the class of its parents that declares it."""
        if owner.keys or not isinstance(key, str):
            return None
        members = self.walk.members(Instance(owner.root[1]))
        member = None if members is None else members.named(key)
        return Entity(("class", member.owner), (key,)) if member and member.owner else None

    def _parent(self, owner: Entity) -> Entity | None:
        found = None
        if owner.is_global:
            if self._parents is None:
                self._parents = dict(self.navigator.files.inheritance())
            found = self._parents.get(owner)
        elif owner.root[0] in ("local", "returned"):
            document = self.navigator.files.document(owner.root[1])
            if document is not None:
                found = entities_of(document).metatables.parents.get(owner)
        return None if found is None else self.canonical(found)

    def are_related(self, one: Entity, other: Entity) -> bool:
        """Whether one of two fields of the same name may be meant where the other is read."""
        if (ELEMENT in one.keys or ELEMENT in other.keys) and may_be_same(one, other):
            return True
        first, second = (Entity(each.root, each.keys[:-1]) for each in (one, other))
        return first in self._ancestors(second) or second in self._ancestors(first)

    def _ancestors(self, owner: Entity) -> Sequence[Entity]:
        found: list[Entity] = []
        waiting = [owner]
        while waiting and len(found) < PARENTS_MAX:
            current = waiting.pop()
            found.append(current)
            if current.root[0] == "class" and not current.keys:
                for note in self.navigator.files.classes(current.root[1]):
                    waiting += [Entity(("class", name), ()) for name in note.parents]
            else:
                parent = self._parent(current)
                waiting += [] if parent is None else [parent]
        return found

    def _has(self, owner: Entity, key: nodes.CONSTANT_KEY) -> bool:
        """Whether a field gets a value in a table itself."""
        return any(
            one.entity.keys[-1] == key
            for document in documents_of(self.navigator.files, owner)
            for one in entities_of(document).definitions_of(owner)
        )


def _values(
    statement: Statement,
) -> list[tuple[Expression, nodes.Name | Chain | Step | None]]:
    """The values of a statement, each with what gets it."""
    targets = [*statement.targets, *([None] * len(statement.values))]
    return list(zip(statement.values, targets, strict=False))


def _is_at(value: Expression, offset: int) -> bool:
    """Whether a value is the table at a place, or may be."""
    for choice in value.operands if isinstance(value, Either) else (value,):
        table = unwrapped(choice)
        if isinstance(table, Block) and table.kind == "table" and table.start == offset:
            return True
    return False


def _outer(around: list[tuple[int, Statement]]) -> int | None:
    """Where the constructor begins that a field stands in."""
    (_, field), (base, statement) = around[0], around[1]
    for block in statement.blocks:
        if any(one is field for one in block.statements) and block.kind == "table":
            return base + block.start
    return None
