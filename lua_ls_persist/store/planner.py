"""Which index answers a question: what each could do, and which one is chosen.

Only this decides; a question means the same with every choice. Which rows there are is asked of
the indexes themselves, up to a limit, because SQLite's own statistics would have to be gathered.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from lua_ls_persist.query import Class, Comparison, Field, Group, Node, OrderField
from lua_ls_persist.store.index_model import Index

FEW: Final = 1_000
"""So many rows are sorted in about a millisecond: an index that leads to no more is good."""

WAYS_MAX: Final = 50
"""`any` of more conditions is looked for in all rows. SQLite puts together 500 at most."""

BOTH_MAX: Final = 50_000
"""So many entries of an index are put together with those of another one, at most."""

BOTH_RATIO: Final = 4
"""Looking a value up takes as long as reading ten entries of an index: so many times more entries
of a second index than of the first still pay."""

_BOUNDS: Final = ("<", "<=", ">", ">=", "between", "startsWith")


@dataclass(frozen=True, slots=True)
class Access:
    """A way to rows through an index."""

    index: Index
    used: tuple[Comparison, ...]
    """The conditions by which entries of the index are sought; all of them are to hold."""
    ordered: bool
    """Its entries come in the order that is asked for."""
    complete: bool
    """There are no other conditions."""
    bounded: Class | None = None
    """The one class that the first field has which is not one value; None if there are more."""


@dataclass(frozen=True, slots=True)
class Choice:
    """The ways through which rows are read: none (a scan), one, or several for `any`."""

    ways: tuple[Access, ...] = ()
    both: bool = False
    """The rows are those that all ways lead to, not those that any does."""
    scan_first: bool = False
    """A short scan may find enough; the ways lead to many rows that would have to be sorted."""

    @property
    def name(self) -> str | None:
        """The indexes as people call them."""
        return " and ".join(dict.fromkeys(way.index.name for way in self.ways)) or None


SCAN: Final = Choice()


@dataclass(frozen=True, slots=True)
class Question:
    """What the choice depends on."""

    where: Group
    order_by: tuple[OrderField, ...] = ()
    key_descending: bool = False
    limited: bool = False
    """A page is wanted, not all rows."""
    fields: tuple[Field, ...] = ()
    """What is asked about all rows, besides the conditions."""


def choose(
    question: Question, indexes: Sequence[Index], estimate: Callable[[Access, int], int]
) -> Choice:
    """The best way to the rows; `estimate` says to how many a way leads, of so many and one more.

    A page in the order of an index ends soon, and one in that of the keys, too. Where all rows
    have to be found, an index that leads to many is put together with another one.
    """
    asked = _Asked(question)
    found = [way for index in indexes if (way := _access(index, asked)) is not None]
    ordered = _in_order(question, asked, found)
    if ordered and ordered[0].complete:
        return Choice((ordered[0],))
    ways, count = _narrowest(asked, [way for way in found if way.used], indexes, estimate)
    if not ways and not question.limited:
        return _covering(question, indexes)
    if count <= FEW:
        return Choice(ways)
    if ordered:
        return Choice((ordered[0],))
    both = _both(found, estimate) if asked.orders or not question.limited else ()
    if both:
        return Choice(both, both=True)
    return Choice(ways, scan_first=question.limited and not asked.orders and bool(ways))


def straight(question: Question, indexes: Sequence[Index]) -> Choice | None:
    """What `choose` chooses without an estimate, so whatever the values are; None if it has to."""
    asked = _Asked(question)
    found = [way for index in indexes if (way := _access(index, asked)) is not None]
    ordered = _in_order(question, asked, found)
    return Choice((ordered[0],)) if ordered and ordered[0].complete else None


def _in_order(question: Question, asked: _Asked, found: Sequence[Access]) -> list[Access]:
    """The ways that give a page in order, the best one first."""
    if not question.limited:
        return []
    ordered = [way for way in found if way.ordered and (way.used or asked.orders)]
    ordered.sort(key=lambda way: (not way.complete, -len(way.used), len(way.index.fields)))
    return ordered


class _Asked:
    """A question, and what follows from it for all indexes."""

    def __init__(self, question: Question) -> None:
        self.conditions = conjuncts(question.where)
        self.by_field: dict[Field, list[Comparison]] = {}
        for node in self.conditions:
            if isinstance(node, Comparison):
                self.by_field.setdefault(node.field, []).append(node)
        self.pins = _pins(self.conditions)
        self.orders = [order for order in question.order_by if order.field not in self.pins]
        self.one_direction = all(
            order.descending == question.key_descending for order in self.orders
        )

    def on(self, field: Field) -> list[Comparison]:
        """The conditions on a field."""
        return self.by_field.get(field, [])


def _covering(question: Question, indexes: Sequence[Index]) -> Choice:
    """All rows through an index that has all that is asked about, so nothing is looked up."""
    wanted = {*question.fields, *fields_in(question.where)}
    for index in sorted(indexes, key=lambda index: len(index.fields)):
        plain = index.kind == "btree" and not index.each and index.table_id
        if plain and wanted and wanted <= set(index.fields):
            return Choice((Access(index, (), ordered=False, complete=False),))
    return SCAN


def fields_in(node: Node) -> set[Field]:
    """The fields that conditions are about."""
    if isinstance(node, Comparison):
        return {node.field}
    return set().union(*map(fields_in, node.members))


def _narrowest(
    asked: _Asked,
    found: Sequence[Access],
    indexes: Sequence[Index],
    estimate: Callable[[Access, int], int],
) -> tuple[tuple[Access, ...], int]:
    """The ways that lead to the fewest rows, and to how many."""
    choices: list[tuple[tuple[Access, ...], int]] = [((way,), estimate(way, FEW)) for way in found]
    if not choices or min(count for _, count in choices) > FEW:
        for node in asked.conditions:
            ways = _ways_of_any(node, indexes)
            if ways is not None:
                choices.append((ways, sum(estimate(way, FEW) for way in ways)))
    if not choices:
        return (), FEW + 1
    # Of those that lead to many, the one that is asked most of.
    return min(choices, key=lambda choice: (choice[1], -len(choice[0][0].used)))


def _both(found: Sequence[Access], estimate: Callable[[Access, int], int]) -> tuple[Access, ...]:
    """Two ways that are decided by different conditions, if these together are worth it."""
    plain = [way for way in found if way.used and way.index.kind == "btree" and not way.index.each]
    counted = [(estimate(way, BOTH_MAX), way) for way in plain] if len(plain) > 1 else []
    counted = sorted((one for one in counted if one[0] <= BOTH_MAX), key=lambda one: one[0])
    for number, (fewer, first) in enumerate(counted):
        for more, second in counted[number + 1 :]:
            alike = any(node is other for node in first.used for other in second.used)
            if not alike and more <= BOTH_RATIO * fewer:
                return tuple(replace(way, ordered=False, bounded=None) for way in (first, second))
    return ()


def _ways_of_any(node: Node, indexes: Sequence[Index]) -> tuple[Access, ...] | None:
    """One way for each member of an `any`; None if there is not one for each."""
    if not isinstance(node, Group) or node.kind != "any":
        return None
    if not 0 < len(node.members) <= WAYS_MAX:
        return None
    ways: list[Access] = []
    for member in node.members:
        asked = _Asked(Question(Group("all", (member,))))
        found = [_access(index, asked) for index in indexes]
        useful = [way for way in found if way is not None and way.used]
        if not useful:
            return None
        ways.append(max(useful, key=lambda way: (way.complete, len(way.used))))
    return tuple(ways)


def conjuncts(where: Group) -> list[Node]:
    """The conditions all of which are to hold."""
    return list(_flattened(where))


def asks_for_words(node: Node) -> bool:
    """Whether any of the conditions is answered by an index of words only."""
    if isinstance(node, Comparison):
        return node.operator == "matches"
    return any(map(asks_for_words, node.members))


def _flattened(node: Node) -> Iterator[Node]:
    if isinstance(node, Group) and (node.kind == "all" or _is_one(node)):
        for member in node.members:
            yield from _flattened(member)
    else:
        yield node


def _is_one(group: Group) -> bool:
    return group.kind == "any" and len(group.members) == 1


def unpinned(order_by: Sequence[OrderField], conditions: Sequence[Node]) -> list[OrderField]:
    """What really orders the rows: not the fields that have the same value in all of them."""
    pins = _pins(conditions)
    return [order for order in order_by if order.field not in pins]


def _pins(conditions: Sequence[Node]) -> dict[Field, Comparison]:
    """The fields that have one class and value in all rows, and why."""
    return {
        node.field: node for node in conditions if isinstance(node, Comparison) and _is_pin(node)
    }


def _is_pin(node: Comparison) -> bool:
    """Whether all rows that fulfil it have the same class and value."""
    if node.operator == "missing":
        return True
    return (
        node.operator in ("=", "in")
        and len(node.operands) == 1
        and node.operands[0].kind != Class.NAN
    )


def _access(index: Index, asked: _Asked) -> Access | None:
    """What an index can do; None if nothing."""
    if not index.table_id:
        return None
    used: list[Comparison] = []
    bounded = None
    if index.kind == "text":
        used = [node for field in index.fields for node in asked.on(field) if _is_words(node)][:1]
    elif index.each:
        used = [node for node in asked.on(index.fields[0]) if _is_element(index, node)][:1]
    elif index.kind == "hash":
        found = [asked.pins.get(field) for field in index.fields]
        used = [node for node in found if node is not None and node.operator != "missing"]
        if len(used) < len(index.fields):
            return None
    else:
        used, bounded = _prefix(index, asked)
    if not used and (index.kind != "btree" or index.each):
        return None
    ordered = index.kind != "text" and _is_ordered(index, used, asked)
    if not used and not ordered:
        return None
    complete = all(any(node is known for known in used) for node in asked.conditions)
    return Access(index, tuple(used), ordered, complete, bounded)


def _is_words(node: Comparison) -> bool:
    return node.operator == "matches"


def _is_element(index: Index, node: Comparison) -> bool:
    """Whether an index of elements finds the rows of the condition.

    A string may also be part of a string, which has no elements: of those, such an index knows
    at least which rows they are.
    """
    if node.operator != "contains" or node.field != index.fields[0]:
        return False
    kind = node.operands[0].kind
    return kind != Class.NAN and (index.has_strings or kind != Class.STRING)


def _prefix(index: Index, asked: _Asked) -> tuple[list[Comparison], Class | None]:
    """The conditions on the first fields by which entries are sought."""
    used: list[Comparison] = []
    for field in index.fields:
        pin = asked.pins.get(field)
        if pin is not None:
            used.append(pin)
            continue
        on_field = asked.on(field)
        bounds = [node for node in on_field if _one_class(node) is not None]
        if bounds:
            of_class = _one_class(bounds[0])
            return used + [node for node in bounds if _one_class(node) == of_class], of_class
        return used + [node for node in on_field if node.operator == "exists"][:1], None
    return used, None


def _one_class(node: Comparison) -> Class | None:
    """The one class of all values that fulfil the condition; None if there are several, or none."""
    if node.operator not in (*_BOUNDS, "in"):
        return None
    classes = {operand.kind for operand in node.operands} - {Class.NAN}
    return classes.pop() if len(classes) == 1 else None


def _is_ordered(index: Index, used: Sequence[Comparison], asked: _Asked) -> bool:
    if not asked.one_direction:
        return False
    if index.kind == "hash" or index.each:
        return not asked.orders
    if any(node.operator == "in" and not _is_pin(node) for node in used):
        return False
    of_index = [field for field in index.fields if field not in asked.pins]
    return of_index == [order.field for order in asked.orders]
