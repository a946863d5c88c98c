"""A query as a line that one types: `users where age > 25 and city = Rome order by age limit 10`.

What stands between the words is as in `text`: conditions with values that are JSON or plain words.
The words themselves may be left out where they are not needed: `users` alone is a query, too.
"""

from __future__ import annotations

import re
from typing import Any, Final

from lua_ls_persist.errors import QueryError
from lua_ls_persist.query.text import parse_condition_text

_QUOTED: Final = r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\''
_PARTS: Final = ("where", "order by", "limit", "after", "select")
_KEYWORD: Final = re.compile(
    rf"{_QUOTED}|(?<![\w.\]])(where|order\s+by|limit|after|select)(?![\w.(\[])", re.IGNORECASE
)
_AND: Final = re.compile(rf"{_QUOTED}|(?<!\w)(and)(?!\w)", re.IGNORECASE)
_BETWEEN: Final = re.compile(r"\bbetween\s+\S+\s*$", re.IGNORECASE)
_COMMA: Final = re.compile(rf"{_QUOTED}|(,)")
_DIRECTION: Final = re.compile(r"\s+(asc|desc|ascending|descending)$", re.IGNORECASE)


def parse_query_line(text: str) -> tuple[str, dict[str, Any]]:
    """The table that a line is about, and the question, for `parse_query`.

    Raises:
        QueryError: the line makes no sense.
    """
    table, parts = _parts(text.strip())
    if not table:
        raise QueryError("a query begins with a table: users where age > 25 order by age limit 10")
    question: dict[str, Any] = {}
    if "where" in parts:
        question["where"] = [parse_condition_text(one) for one in _conditions(parts["where"])]
    if "order by" in parts:
        question["order_by"] = [_order(one) for one in _split(_COMMA, parts["order by"])]
    if "limit" in parts:
        if not parts["limit"].isdigit():
            raise QueryError(f"limit: expected a whole number, got {parts['limit'] or 'nothing'}")
        question["limit"] = int(parts["limit"])
    if "after" in parts:
        question["after"] = parts["after"]
    if "select" in parts:
        question["select"] = _split(_COMMA, parts["select"])
    return table, question


def _parts(text: str) -> tuple[str, dict[str, str]]:
    """What stands before the first keyword, and what stands behind each."""
    found = [match for match in _KEYWORD.finditer(text) if match[1]]
    starts = [match.start() for match in found] + [len(text)]
    parts: dict[str, str] = {}
    for match, end in zip(found, starts[1:], strict=True):
        name = " ".join(match[1].lower().split())
        if name in parts:
            raise QueryError(f"{name} is there twice")
        parts[name] = text[match.end() : end].strip()
    return text[: starts[0]].strip(), parts


def _conditions(text: str) -> list[str]:
    """Conditions between `and`; the one of a `between` is part of it."""
    found = [""]
    at = 0
    for match in _AND.finditer(text):
        if not match[1]:
            continue
        found[-1] += text[at : match.start()]
        at = match.end()
        if _BETWEEN.search(found[-1]):
            found[-1] += "and"
        else:
            found.append("")
    found[-1] += text[at:]
    return [one.strip() for one in found]


def _split(pattern: re.Pattern[str], text: str) -> list[str]:
    parts = []
    at = 0
    for match in pattern.finditer(text):
        if match[1]:
            parts.append(text[at : match.start()].strip())
            at = match.end()
    return [*parts, text[at:].strip()]


def _order(text: str) -> dict[str, Any]:
    direction = _DIRECTION.search(text)
    if direction is None:
        return {"field": text}
    is_down = direction[1].lower().startswith("desc")
    return {"field": text[: direction.start()].strip(), "descending": is_down}
