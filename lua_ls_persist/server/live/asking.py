"""Of which rows something is told or asked: questions, indexes, batches, schemas.

Part of `identity`, which it asks what expressions are. The tables that such calls are given are
entities of their own, of whose fields nothing is told: `("question", ...)` and `("schema", ...)`
with the root of the rows behind it, and `("batch", ...)`, a list of operations. Must not know LSP
types.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from lua_ls_persist.server.analysis import nodes, scopes_of
from lua_ls_persist.server.analysis.asked_tables import MEMORY, Keys
from lua_ls_persist.server.analysis.entity import GLOBAL, Entity
from lua_ls_persist.server.analysis.key_uses import KeyUse
from lua_ls_persist.server.analysis.naming import FIELD_CALLS
from lua_ls_persist.server.analysis.nodes import Block, Chain, Either, Expression, Literal, Step
from lua_ls_persist.server.analysis.resolving import Declaration
from lua_ls_persist.server.analysis.walking import key_start
from lua_ls_persist.server.documents import Document
from lua_ls_persist.server.live.candidates import QUERY_PARTS
from lua_ls_persist.server.live.resolving import table_named
from lua_ls_persist.server.live.results import Call
from lua_ls_persist.session.sights import ANY, Way

if TYPE_CHECKING:
    from lua_ls_persist.server.live.identity import Identities

ELEMENT: Final = "\0element"
"""Stands for any key of a table; no key that somebody writes."""
HELPERS: Final = frozenset({"question", "schema", "batch"})

_MEMORY_ROW: Final = Entity(GLOBAL, (MEMORY, ELEMENT))


class Asking:
    """What calls are about, for one question about texts as they are now."""

    def __init__(self, identities: Identities) -> None:
        self._identities = identities
        self._walk = identities.walk
        self._tables: set[Keys] | None = None

    def owner(self, document: Document, use: KeyUse) -> Entity | None:
        """What a name in the text of a field is a field of; None where that is not certain."""
        assert use.before is not None
        before = tuple(map(general, use.before))
        if use.chain is None:
            question = self._identities.of_table(document, use.table)
            if question.root[0] == "question":
                return _rows(question).at(*before)
            rows = self._asked_later(document, use.table)
            return None if rows is None else rows.at(*before)
        if use.chain.steps[use.steps].kind != "(":
            rows = self._put_together(document, use.chain, use.base)
            return None if rows is None else rows.at(*before)
        rows = self._indexed(document, use.chain, use.base, use.steps)
        if rows == _MEMORY_ROW and (before or use.leads_on):
            # `users.age` of `Memory` is `age` of its table `users`.
            return Entity(GLOBAL, (MEMORY, *before[:1], *([ELEMENT] * bool(before)), *before[1:]))
        return None if rows is None else rows.at(*before)

    def _indexed(self, document: Document, chain: Chain, base: int, place: int) -> Entity | None:
        """The rows of the table that a call makes an index of, or drops one."""
        called = self._walk.chain(document, chain, base, place)
        if not isinstance(called, Way) or not called.is_global or len(called.steps) != 2:
            return None
        if called.steps[0] != "ext" or called.steps[1] not in FIELD_CALLS:
            return None
        return self.rows(document, chain.steps[place].arguments[0].expression, base)

    def rows(self, document: Document, table: Expression, base: int) -> Entity | None:
        """The rows of a table that stands there, or its name."""
        if isinstance(table, Literal):
            way = table_named(table)
            return None if way is None else self._identities.of_way(way / ANY)
        shape = self._walk.value(document, table, base)
        if isinstance(shape, Way):
            return self._identities.of_way(shape / ANY)
        found = self._identities.of_shape(shape)
        return None if found is None else self._identities.element(found)

    def given(self, document: Document, call: Call, number: int, start: int) -> Entity | None:
        """A table that a function of `ext` is given; None if that says nothing of rows."""
        called = call.called
        if not isinstance(called, Way) or not called.is_global or called.steps[:1] != ("ext",):
            return None
        if called.steps == ("ext", "batch") and number == 0:
            return Entity(("batch", document.uri, str(start)), ())
        kind = ""
        if number == 1 and len(called.steps) == 2:
            name = called.steps[1]
            kind = "schema" if name == "schema" else "question" if name in QUERY_PARTS else ""
        if not kind:
            return None
        rows = self.rows(document, call.step.arguments[0].expression, call.base)
        return None if rows is None else Entity((kind, *rows.root), rows.keys)

    def in_memory(self, entity: Entity) -> Entity:
        """Something that `Memory` has, with the rows of its tables as any of them."""
        if entity.keys[0] != MEMORY:
            return entity
        if self._tables is None:
            self._tables = self._identities.navigator.files.asked_tables()
        keys = entity.keys
        for place in range(2, len(keys)):
            if keys[:place] in self._tables:
                keys = (*keys[:place], ELEMENT, *keys[place + 1 :])
        return Entity(entity.root, keys)

    def field(self, table: Entity, key: nodes.CONSTANT_KEY) -> Entity | None:
        """What a field of such a table is, where it is something of the rows."""
        kind = table.root[0]
        is_of_rows = (kind == "schema" and key == "fields") or (
            kind == "question" and key == "value"  # Of an operation of a batch.
        )
        return _rows(table) if is_of_rows else None

    def operation(self, document: Document, start: int) -> Entity | None:
        """One of a batch, by the table that it names."""
        for base, statement in scopes_of(document).around(start):
            for block in statement.blocks:
                if base + block.start == start and block.kind == "table":
                    return self._operation(document, block, base)
        return None

    def _operation(self, document: Document, block: Block, base: int) -> Entity | None:
        for offset, field in zip(block.offsets, block.statements, strict=True):
            target = field.targets[0] if field.targets else None
            if isinstance(target, Step) and target.key == "table" and field.values:
                rows = self.rows(document, field.values[0], base + offset)
                return None if rows is None else Entity(("question", *rows.root), rows.keys)
        return None

    def _asked_later(self, document: Document, start: int) -> Entity | None:
        """The rows that a question is about that a local holds, if it is asked of one table."""
        scopes = scopes_of(document)
        base, statement = scopes.around(start)[0]
        for target, value in zip(statement.targets, statement.values, strict=False):
            is_table = isinstance(value, Block) and base + value.start == start
            if is_table and isinstance(target, nodes.Name):
                declaration = scopes.occurrence(target, base).declaration
                return None if declaration is None else self._asked_of(document, declaration)
        return None

    def _put_together(self, document: Document, part: Chain, base: int) -> Entity | None:
        """The rows that a question is about, a part of which is assigned to a field of a local."""
        assert part.base is not None
        scopes = scopes_of(document)
        declaration = scopes.occurrence(part.base, base).declaration
        if declaration is None:
            return None
        at, statement = scopes.around(declaration.start)[0]
        for target, value in zip(statement.targets, statement.values, strict=False):
            is_table = isinstance(value, Block) and value.kind == "table"
            if is_table and at + key_start(target) == declaration.start:
                return self._asked_of(document, declaration)
        return None

    def _asked_of(self, document: Document, declaration: Declaration) -> Entity | None:
        """The rows that the question is about that a local holds, if they are of one table."""
        if scopes_of(document).is_assigned_again(declaration):
            return None
        found = set(self._given_to(document, declaration))
        return found.pop() if len(found) == 1 else None

    def _given_to(self, document: Document, declaration: Declaration) -> list[Entity | None]:
        """The rows that each use of a local says; None for one that may be anything."""
        scopes = scopes_of(document)

        def is_it(expression: Expression, base: int) -> bool:
            name = _name_of(expression)
            if name is None or name.text != declaration.text:
                return False
            return scopes.occurrence(name, base).declaration == declaration

        found: list[Entity | None] = []
        for base, statement in scopes.mentioning(declaration.text):
            for value in statement.values:
                choices = value.operands if isinstance(value, Either) else (value,)
                if any(is_it(one, base) for one in choices):
                    found.append(None)  # By another name it may be asked of other tables.
            for chain in statement.chains:
                for place, step in enumerate(chain.steps):
                    for number, given in enumerate(step.arguments):
                        if is_it(given.expression, base):
                            call = self._walk.call(document, chain, base, place)
                            asked = self.given(document, call, number, -1)
                            is_question = asked is not None and asked.root[0] == "question"
                            found.append(_rows(asked) if asked and is_question else None)
        return found


def _name_of(expression: Expression) -> nodes.Name | None:
    """The variable that an expression is, and nothing else."""
    if isinstance(expression, Chain) and not expression.steps:
        return expression.base
    return None


def _rows(table: Entity) -> Entity:
    return Entity(table.root[1:], table.keys)


def general(key: nodes.CONSTANT_KEY) -> nodes.CONSTANT_KEY:
    """A key as far as it tells of what kind its value is: elements of a list are alike."""
    return ELEMENT if isinstance(key, (int, float)) and not isinstance(key, bool) else key
