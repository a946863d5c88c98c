"""From an expression in a document to the way to its value in the VM.

A global leads there itself. A local does where the source says what it is: `local users =
ext.table("users")`, `local m = require("m")`, `for _, user in pairs(users)`. What a call gives is
not known otherwise, and nothing is ever called to find out.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, TypeAlias

from lua_ls_persist.server.analysis import CallSite, ExpressionPath, Name, Scopes, is_identifier
from lua_ls_persist.server.analysis.ext_names import ExtNames
from lua_ls_persist.server.analysis.library import GLOBAL_TABLES
from lua_ls_persist.server.analysis.nodes import Block, Chain, Either, Expression, Literal
from lua_ls_persist.server.analysis.nodes import Name as NameNode
from lua_ls_persist.server.positions import Position, Range
from lua_ls_persist.session.sights import ANY, Way

DEPTH_MAX: Final = 12
ITERATORS: Final = frozenset({"pairs", "ipairs", "next"})
QUERIES: Final = frozenset(
    {
        "aggregate",
        "count",
        "derive_schema",
        "drop",
        "drop_index",
        "explain",
        "index",
        "indexes",
        "info",
        "migrate",
        "query",
        "rebuild_index",
        "schema",
        "schema_annotations",
        "set_schema_annotations",
        "table",
    }
)
"""Functions of `ext` whose first argument is a table or its name."""


@dataclass(frozen=True, slots=True)
class QueryRows:
    """What `ext.query` gives: rows with `key` and `value`."""

    table: Way


@dataclass(frozen=True, slots=True)
class QueryRow:
    """One of them."""

    table: Way


@dataclass(frozen=True, slots=True)
class Groups:
    """What `ext.aggregate` gives: a list of groups of rows."""

    table: Way


@dataclass(frozen=True, slots=True)
class Group:
    """One of them: what was asked of its rows, and in `group` the fields that they agree in."""

    table: Way


@dataclass(frozen=True, slots=True)
class Literally:
    """A string that stands in the source."""


Target: TypeAlias = "Way | QueryRows | QueryRow | Groups | Group | Literally"


@dataclass(frozen=True, slots=True)
class Resolver:
    """Finds ways in one document."""

    scopes: Scopes
    document: str | None = None
    """What the session calls it: top-level locals are kept by it. None: there are none."""

    def target(self, path: ExpressionPath, steps: int | None = None) -> Target | None:
        """Where an expression, or its first steps, lead; None where nobody knows."""
        found = self.chain_of(path)
        if found is not None:
            base, chain = found
            count = len(path.steps) if steps is None else steps
            return self._chain(chain, base, count, DEPTH_MAX)
        if path.steps or path.base is None:
            return None
        return self._name(path.base, DEPTH_MAX)

    def declared(self, declaration: Range, kind: str, text: str) -> Target | None:
        """Where a local leads that is declared there."""
        return self._name(Name(text, declaration, kind, declaration), DEPTH_MAX)  # type: ignore[arg-type]

    def chain_of(self, path: ExpressionPath) -> tuple[int, Chain] | None:
        """The nodes that a path was made of, with the offset they count from."""
        start = self.scopes.offset(path.range.start)
        for base, statement in self.scopes.around(start):
            for chain in statement.chains:
                if base + chain.start == start:
                    return base, chain
        return None

    def table(self, chain: Chain, base: int, count: int) -> Way | None:
        """The table that the call at step `count` of a chain is about: its first argument."""
        arguments = chain.steps[count].arguments
        return None if not arguments else self._table(arguments[0].expression, base, DEPTH_MAX)

    def _chain(self, chain: Chain, base: int, count: int, depth: int) -> Target | None:
        if depth == 0:
            return None
        if chain.base is None:
            first = chain.steps[0].start if chain.steps else chain.end
            text = self.scopes.chunk.source[base + chain.start : base + first]
            target: Target | None = Literally() if text.lstrip("( ")[:1] in ('"', "'") else None
        else:
            target = self._name(self.scopes.path(chain, base, 0).base, depth - 1)
        for place in range(count):
            step = chain.steps[place]
            if step.kind != "(":
                target = further(target, step.key)
                continue
            target = self.called(target, chain, place, base, depth - 1)
        return target

    def called(
        self, called: Target | None, chain: Chain, place: int, base: int, depth: int = DEPTH_MAX
    ) -> Target | None:
        """What a call gives, where that is known without calling."""
        if not isinstance(called, Way) or not called.is_global:
            return None
        arguments = [given.expression for given in chain.steps[place].arguments]
        first = arguments[0] if arguments else None
        match called.steps:
            case ("ext", "table"):
                return self._table(first, base, depth)
            case ("ext", "query"):
                table = self._table(first, base, depth)
                return None if table is None else QueryRows(table)
            case ("ext", "aggregate"):
                table = self._table(first, base, depth)
                return None if table is None else Groups(table)
            case ("require",):
                name = first.value if isinstance(first, Literal) else None
                return Way(("package", "loaded", name)) if isinstance(name, str) else None
            case ("setmetatable",):
                found = self._expression(first, base, depth)
                if found is not None or len(arguments) < 2:
                    return found
                # A new object: its fields are those of what it inherits from.
                return self._expression(arguments[1], base, depth)
            case ("assert",) | ("rawget",):
                return self._expression(first, base, depth) if called.steps[0] == "assert" else None
        return None

    def _table(self, expression: Expression, base: int, depth: int) -> Way | None:
        """A table by its name or path, or as itself."""
        if isinstance(expression, Literal):
            return table_named(expression)
        found = self._expression(expression, base, depth)
        return found if isinstance(found, Way) else None

    def _expression(self, expression: Expression, base: int, depth: int) -> Target | None:
        if depth == 0:
            return None
        if isinstance(expression, Chain):
            return self._chain(expression, base, len(expression.steps), depth - 1)
        if isinstance(expression, Either):
            # Of `local t = a.b or {}` it is what `a.b` is.
            return self._expression(expression.operands[0], base, depth - 1)
        if isinstance(expression, Literal) and isinstance(expression.value, str):
            return Literally()
        return None

    def _name(self, name: Name | None, depth: int) -> Target | None:
        if name is None or depth == 0:
            return None
        if name.declaration is None:
            if name.text in GLOBAL_TABLES:
                return Way()
            return Way((name.text,))
        if name.kind == "loop":
            return self._looped(name.declaration, name.text, depth)
        if name.kind == "parameter":
            return self._self(name, depth)
        found = self._declared(name.declaration, depth)
        if found is None and self.document is not None and self._is_top_level(name.declaration):
            return Way((name.text,), document=self.document)
        return found

    def _is_top_level(self, declaration: Range) -> bool:
        """Whether a local is one of the whole document: the session keeps those."""
        around = self.scopes.around(self.scopes.offset(declaration.start))
        return len(around) == 2 and around[0][1].kind.startswith("local")

    def _declared(self, declaration: Range, depth: int) -> Target | None:
        offset = self.scopes.offset(declaration.start)
        for base, statement in self.scopes.around(offset):
            values = [*statement.values]
            for place, target in enumerate(statement.targets):
                if not isinstance(target, NameNode) or base + target.offset != offset:
                    continue
                value = values[place] if place < len(values) else None
                return self._expression(value, base, depth - 1)
        return None

    def _looped(self, declaration: Range, text: str, depth: int) -> Target | None:
        """A variable of `for key, value in pairs(t)`: some element of t."""
        offset = self.scopes.offset(declaration.start)
        for base, statement in self.scopes.around(offset):
            if statement.kind != "for":
                continue
            heads = [
                name
                for event in statement.events
                if isinstance(event, Block)
                for name in event.head
            ]
            places = [place for place, name in enumerate(heads) if base + name.offset == offset]
            if not places or heads[places[0]].text != text:
                continue
            for chain in statement.chains:
                found = self._iterated(chain, base, depth - 1)
                if found is not None:
                    return further(found, ANY) if places[0] == 1 else None
        return None

    def _iterated(self, chain: Chain, base: int, depth: int) -> Target | None:
        if chain.base is None or chain.base.text not in ITERATORS or not chain.steps:
            return None
        call = chain.steps[0]
        if call.kind != "(" or not call.arguments:
            return None
        return self._expression(call.arguments[0].expression, base, depth)

    def _self(self, name: Name, depth: int) -> Target | None:
        """`self` of `function Account:deposit()`, or of `function Account.deposit(self)`."""
        if name.text != "self" or name.declaration is None:
            return None
        offset = self.scopes.offset(name.declaration.start)
        for base, statement in self.scopes.around(offset):
            for event in statement.events:
                if not isinstance(event, Block) or event.owner is None:
                    continue
                declared = any(base + one.offset == offset for one in event.head)
                owner = event.owner
                if declared and owner.steps:
                    return self._chain(owner, base, len(owner.steps) - 1, depth - 1)
        return None


def further(target: Target | None, key: object) -> Target | None:
    """Where one more key leads; `ANY` for some element, None for a key that is computed."""
    step = ANY if key is None else key
    if isinstance(target, (QueryRows, Groups)):
        if step is ANY or (isinstance(step, int) and not isinstance(step, bool)):
            return QueryRow(target.table) if isinstance(target, QueryRows) else Group(target.table)
        return None
    if isinstance(target, (QueryRow, Group)):
        part = "value" if isinstance(target, QueryRow) else "group"
        return target.table / ANY if step == part else None
    if isinstance(target, Literally):
        return Way(("string", step)) if isinstance(step, str) else None
    if target is None:
        return None
    if target == Way(("_G",)):
        return Way((step,))  # type: ignore[arg-type]
    return target / step  # type: ignore[operator]


def table_named(expression: Expression) -> Way | None:
    """The table whose name or path a string is; None for everything else."""
    if not isinstance(expression, Literal) or not isinstance(expression.value, str):
        return None
    return table_at(expression.value)


def table_at(path: str) -> Way:
    """The table of a name or a path, as `ext` takes it."""
    name, *keys = path.split(".")
    if not keys or not all(is_identifier(part) for part in (name, *keys)):
        return Way((), path)
    return Way(tuple(keys), name)


def named_table(resolver: Resolver, position: Position) -> Way | None:
    """The table that a string names: in `ext.table("users")` and its relatives."""
    call = resolver.scopes.call_at(position)
    if call is None or call.argument != 0:
        return None
    found = function_called(resolver, call)
    if found is None or found[0] not in QUERIES:
        return None
    return resolver.table(found[2], found[1], len(call.function.steps))


def function_called(resolver: Resolver, call: CallSite) -> tuple[str, int, Chain] | None:
    """The function of `ext` that is called there, and the call as it was parsed."""
    found = resolver.chain_of(call.function)
    called = found and ExtNames(resolver.scopes).function(found[1], found[0])
    # What comes back from such a call may be called, too.
    is_it = called is not None and called[1] == len(call.function.steps)
    return (called[0], *found) if found and called and is_it else None
