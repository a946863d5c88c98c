"""Cursors: where a page ended, as text that means nothing to anybody else.

A cursor is URL-safe base64 of JSON: the fingerprint of its query, and the position. A string is
`{"b": base64}`, text in a key is a JSON string; numbers are JSON's, floats with a point.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from typing import Any, Final

from lua_ls_persist.errors import QueryError
from lua_ls_persist.query.model import Class, Comparison, Node, Position, Query
from lua_ls_persist.wire import INTEGER_MAX, INTEGER_MIN

FINGERPRINT_BYTES: Final = 9

_FOREIGN = "after: this cursor is of another query or table; begin again without it"
_DAMAGED = "after: this is no cursor; give the `next` of the page before as it is"


def write_cursor(query: Query, table_id: int, position: Position) -> str:
    """The cursor of a page of this query that ends there."""
    content = [
        fingerprint(query, table_id),
        [[kind, _plain(value)] for kind, value in position.values],
        position.key_kind,
        _plain(position.key),
    ]
    text = json.dumps(content, separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def read_cursor(query: Query, table_id: int, cursor: str) -> Position:
    """The position that `write_cursor` was given.

    Raises:
        QueryError: it is no cursor, or that of another query.
    """
    try:
        padded = cursor + "=" * (-len(cursor) % 4)
        content = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        of_query, values, key_kind, key = content
        position = Position(
            tuple((_class(kind), _native(value)) for kind, value in values),
            _whole(key_kind),
            _native(key, text=True),
        )
    except (ValueError, TypeError, RecursionError, binascii.Error):
        raise QueryError(_DAMAGED) from None
    if of_query != fingerprint(query, table_id):
        raise QueryError(_FOREIGN)
    if len(position.values) != len(query.order_by):
        raise QueryError(_DAMAGED)
    return position


def fingerprint(query: Query, table_id: int) -> str:
    """What tells queries apart whose pages are not each other's: all but `limit` and `select`."""
    facts = [
        table_id,
        _facts(query.where),
        [[order.field.text, order.descending] for order in query.order_by],
        query.key_descending,
    ]
    digest = hashlib.blake2b(repr(facts).encode(), digest_size=FINGERPRINT_BYTES).digest()
    return base64.urlsafe_b64encode(digest).decode()


def _facts(node: Node) -> list[Any]:
    if isinstance(node, Comparison):
        values = [(int(operand.kind), operand.value) for operand in node.operands]
        return [node.field.text, node.operator, values]
    return [node.kind, [_facts(member) for member in node.members]]


def _plain(value: float | str | bytes) -> Any:
    return {"b": base64.b64encode(value).decode()} if isinstance(value, bytes) else value


def _native(value: Any, *, text: bool = False) -> Any:
    if isinstance(value, dict):
        if len(value) != 1 or not isinstance(value.get("b"), str):
            raise ValueError(value)
        return base64.b64decode(value["b"], validate=True)
    if isinstance(value, str) and text:
        return value
    if isinstance(value, float) and value == value:  # noqa: PLR0124  (no NaN)
        return value
    return _whole(value)


def _whole(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise ValueError(value)
    if not INTEGER_MIN <= value <= INTEGER_MAX:
        raise ValueError(value)
    return value


def _class(value: Any) -> int:
    return int(Class(_whole(value)))
