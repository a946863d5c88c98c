"""Conditions as one types them: `age > 25`, `name startsWith A`, `city in Rome, Oslo`.

Values are JSON where they can be read as that, and otherwise text as it stands. A condition or a
group may be JSON as a whole: `{"any": [["age", "<", 20], ["age", ">", 60]]}`.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

from lua_ls_persist.errors import QueryError
from lua_ls_persist.query.spec import OPERATORS

_QUOTED: Final = r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\''
_FIELD: Final = re.compile(
    rf"\s*(@?[A-Za-z_]\w*|\[\s*(?:{_QUOTED}|[^\]\"']*)\])"
    rf"(?:\s*\.\s*[A-Za-z_]\w*|\s*\[\s*(?:{_QUOTED}|[^\]\"']*)\])*",
    re.ASCII,
)
_OPERATOR: Final = re.compile(r"\s*([=!<>~]+|not\s+in\b|[A-Za-z]+)(?=$|[^A-Za-z]|(?<=[=!<>~]))\s*")
_PART: Final = re.compile(rf"\s*({_QUOTED}|[^,\"']+?)\s*(?:(,)|$)")
_QUOTES: Final = re.compile(_QUOTED, re.DOTALL)
_JOINT: Final = re.compile(r"\s(?:and|or)\s", re.IGNORECASE)
_AND: Final = re.compile(rf"^\s*({_QUOTED}|.+?)(?:\s+and\s+|\s*,\s*)({_QUOTED}|.+?)\s*$", re.DOTALL)


_TOO_DEEP = "the value is nested too deeply to be read as JSON"


def parse_condition_text(text: str) -> Any:
    """The tree of a condition or group, for `parse_where`.

    Raises:
        QueryError: the text is none.
    """
    if text.lstrip()[:1] in ("{", "["):
        try:
            return json.loads(text)
        except RecursionError:
            raise QueryError(_TOO_DEEP) from None
        except ValueError:
            if text.lstrip().startswith("{"):
                raise QueryError(f"{text} is no condition: it is not JSON") from None
    field = _FIELD.match(text)
    operator = None if field is None else _OPERATOR.match(text, field.end())
    if field is None or operator is None:
        raise QueryError(f"{text!r} is no condition. Write one as 'age > 25' or 'age exists'.")
    name = " ".join(operator[1].split())
    rest = text[operator.end() :].strip()
    _check_is_one(text, rest)
    condition: list[Any] = [field[0].strip(), name]
    if name not in OPERATORS or (not rest and name in ("exists", "missing")):
        return condition + [value_of(rest)] * bool(rest)
    if name == "between":
        ends = _AND.match(rest)
        return condition + ([rest] if ends is None else [value_of(ends[1]), value_of(ends[2])])
    if name in ("in", "not in"):
        return [*condition, _values(rest)]
    return [*condition, value_of(rest)] if rest else condition


def _check_is_one(text: str, rest: str) -> None:
    """Refuses `age > 25 and city = Rome`: all behind the operator would be one text, found nowhere.

    Raises:
        QueryError: what is behind the operator reads like another condition.
    """
    for joint in _JOINT.finditer(_QUOTES.sub(" ", rest)):
        field = _FIELD.match(joint.string, joint.end())
        operator = None if field is None else _OPERATOR.match(joint.string, field.end())
        if operator is not None and " ".join(operator[1].split()) in OPERATORS:
            raise QueryError(
                f"{text!r} reads like two conditions. Give each by itself, or the value in quotes."
            )


def value_of(text: str) -> Any:
    """What a value means: JSON if it is that, a string in single quotes, or the text itself."""
    if len(text) >= 2 and text[0] == text[-1] == "'":
        return re.sub(r"\\(.)", r"\1", text[1:-1], flags=re.DOTALL)
    return plain_value_of(text)


def plain_value_of(text: str) -> Any:
    """What a text means: JSON if it is that, None for `nil`, and otherwise the text itself.

    Raises:
        QueryError: it is JSON nested too deeply.
    """
    if text == "nil":
        return None
    try:
        return json.loads(text, parse_constant=_no_constant)
    except RecursionError:
        raise QueryError(_TOO_DEEP) from None
    except ValueError:
        return text


def _values(text: str) -> Any:
    if text.startswith("["):
        return value_of(text)
    if text.startswith("(") and text.endswith(")"):
        text = text[1:-1]
    values: list[Any] = []
    at = 0
    while at < len(text):
        part = _PART.match(text, at)
        if part is None:
            raise QueryError(f"{text} is no list of values. Write one as 1, 2, 3 or [1, 2, 3].")
        values.append(value_of(part[1]))
        at = part.end()
    return values


def _no_constant(name: str) -> None:
    """`NaN` and `Infinity` are no JSON: they are words."""
    raise ValueError(name)
