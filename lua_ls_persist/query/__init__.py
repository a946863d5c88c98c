"""What can be asked of stored tables: from plain trees to questions that make sense.

Pure: nothing here reads or writes anything. docs/queries.md tells the meaning to people.
"""

from __future__ import annotations

from lua_ls_persist.query.fields import parse_field
from lua_ls_persist.query.model import (
    Aggregate,
    Class,
    Comparison,
    Field,
    Group,
    Node,
    Operand,
    OrderField,
    Position,
    Query,
    Reference,
)
from lua_ls_persist.query.spec import parse_aggregate, parse_query, parse_where

__all__ = [
    "Aggregate",
    "Class",
    "Comparison",
    "Field",
    "Group",
    "Node",
    "Operand",
    "OrderField",
    "Position",
    "Query",
    "Reference",
    "parse_aggregate",
    "parse_field",
    "parse_query",
    "parse_where",
]
