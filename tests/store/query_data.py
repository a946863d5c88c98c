"""Random tables and random questions about them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from lua_ls_persist.query import Reference, parse_query
from lua_ls_persist.store import Store, as_native
from lua_ls_persist.store.query_pages import FoundRow
from lua_ls_persist.store.rows import (
    FLOAT,
    FUNCTION,
    INTEGER,
    PERMANENT,
    STRING,
    TABLE,
    Value,
)
from tests.store.helpers import as_value
from tests.store.query_model import Data

ROWS = 1000
"""The table that is asked about; its rows' tables are ROWS + 1 and so on."""
INNER = 2000
"""Tables that rows have as values of fields, shared among them."""
INNER_COUNT = 3
FUNCTIONS = (3000, 3001)
PERMANENTS = ("string.format", "math")

# Few values, so that they meet; and those that are hard to tell apart.
NUMBERS: list[Any] = [
    0, 1, 2, -1, 1.0, 0.5, -0.0, 2**53, 2**53 + 1, float(2**53), 2**63 - 1, -(2**63), float(2**63),
    math.inf, -math.inf, math.nan,
]  # fmt: skip
STRINGS: list[Any] = [
    "", "a", "ab", "abc", "b", "B", "1", "é", b"\xff", b"\xff\xff", b"a\0", b"\0", "a" * 1000,
    "ä\U0010ffff",
]  # fmt: skip
FIELDS = ["a", "b", "c.a", "c[1]", "c.c.a", '["a b"]', "[1]", "@key", "@value"]

scalars = st.sampled_from([*NUMBERS, *STRINGS, True, False])
references = st.sampled_from(
    [
        *(Reference("table", INNER + number) for number in range(INNER_COUNT)),
        Reference("table", ROWS + 1),
        *(Reference("function", number) for number in FUNCTIONS),
        *(Reference("permanent", name) for name in PERMANENTS),
    ]
)
values = scalars | references
_KINDS = {"table": TABLE, "function": FUNCTION, "permanent": PERMANENT}


def stored(value: Any) -> Value:
    """A value as the store has it."""
    if isinstance(value, Reference):
        return _KINDS[value.kind], value.id
    if isinstance(value, bytes):
        return STRING, as_native(value)
    return as_value(value)


def stored_key(value: Any) -> Value | None:
    """A key as the store has it; None: NaN is none."""
    kind, native = stored(value)
    if kind == FLOAT:
        if isinstance(native, int):
            return None
        if isinstance(native, float) and native.is_integer() and abs(native) < 2**63:
            return INTEGER, int(native)
    return kind, native


entries = st.dictionaries(st.sampled_from(["a", "b", "c", "a b", 1, 2, 0, 1.5]), values, max_size=5)


@dataclass(frozen=True)
class Made:
    """Random data: as the model takes it."""

    data: Data

    def put(self, store: Store) -> None:
        """Writes all of it."""
        rows = [
            (table_id, *key, *value)
            for table_id, entries in self.data.items()
            for key, value in entries.items()
        ]
        with store.transaction():
            store.apply(rows, new_tables=[(table_id,) for table_id in self.data])


@st.composite
def made(draw: st.DrawFn) -> Made:
    """A table with rows that are tables, mostly, and tables inside of them."""

    def table(fields: dict[Any, Any]) -> dict[Value, Value]:
        found = {stored_key(key): stored(value) for key, value in fields.items()}
        return {key: value for key, value in found.items() if key is not None}

    data: Data = {INNER + number: table(draw(entries)) for number in range(INNER_COUNT)}
    rows: dict[Value, Value] = {}
    for number, key in enumerate(draw(st.lists(values, max_size=12)), 1):
        place = stored_key(key)
        if place is None:
            continue
        if draw(st.integers(0, 4)):
            rows[place] = (TABLE, ROWS + number)
            data[ROWS + number] = table(draw(entries))
        else:
            rows[place] = stored(draw(values))
    data.setdefault(ROWS + 1, {})
    data[ROWS] = rows
    return Made(data)


fields = st.sampled_from(FIELDS)
comparable = st.sampled_from([*NUMBERS, *STRINGS])


@st.composite
def conditions(draw: st.DrawFn) -> list[Any]:
    operator = draw(
        st.sampled_from(
            ["=", "!=", "<", "<=", ">", ">=", "in", "not in", "between", "startsWith", "endsWith",
             "contains", "exists", "missing"]
        )
    )  # fmt: skip
    given: list[Any] = []
    if operator in ("=", "!=", "contains"):
        given = [draw(values)]
    elif operator in ("<", "<=", ">", ">="):
        given = [draw(comparable)]
    elif operator in ("in", "not in"):
        given = [draw(st.lists(values, max_size=4))]
    elif operator == "between":
        ends = draw(st.sampled_from([NUMBERS, STRINGS]))
        given = [draw(st.sampled_from(ends)), draw(st.sampled_from(ends))]
    elif operator in ("startsWith", "endsWith"):
        given = [draw(st.sampled_from(STRINGS))]
    return [draw(fields), operator, *given]


wheres = st.recursive(
    conditions(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["any", "all", "none"]),
            st.lists(inner, max_size=3),
            min_size=1,
            max_size=2,
        )
    ),
    max_leaves=6,
)


@st.composite
def queries(draw: st.DrawFn) -> dict[str, Any]:
    """A query as people write it."""
    orders = draw(st.lists(fields, max_size=3, unique=True))
    order_by = [
        field if draw(st.booleans()) else {"field": field, "descending": draw(st.booleans())}
        for field in orders
    ]
    return {
        "where": draw(wheres),
        "order_by": order_by,
        "descending": draw(st.booleans()),
        "limit": draw(st.integers(1, 15)),
        "select": draw(st.lists(fields, max_size=3, unique=True)),
    }


aggregates = st.fixed_dictionaries(
    {"where": wheres, "count": st.just(value=True)},
    optional={
        "group_by": st.lists(fields, max_size=2, unique=True),
        **dict.fromkeys(("sum", "min", "max", "avg"), fields),
    },
)


PATH: tuple[str, list[Any]] = ("Memory", ["rows"])


def pages(store: Store, spec: dict[str, Any]) -> list[FoundRow]:
    rows: list[FoundRow] = []
    after = None
    while True:
        page = store.query(ROWS, parse_query({**spec, "after": after}))
        rows += page.rows
        after = page.next
        if after is None:
            return rows
