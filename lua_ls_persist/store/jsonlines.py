"""Values as JSON, exactly: what JSON cannot tell apart is told by an object with one member.

====================== ==============================================================
Lua                    JSON
====================== ==============================================================
nil, booleans          null, true, false
strings of UTF-8 text  strings
other strings          {"bytes": "base64"}
integers               numbers, as long as every reader gets them right (53 bits)
other integers         {"integer": "-9223372036854775808"}
floats                 {"float": "0.1"}, the shortest text that gives the same float
NaN                    {"nan": "7ff8000000000000"}, its bits
tables, functions      {"table": 12}, {"function": 34}
permanents             {"permanent": "string.format"}
====================== ==============================================================
"""

from __future__ import annotations

import base64
import math
import struct
from typing import Any, Final, TypeAlias

from lua_ls_persist.store.rows import (
    BOOLEAN,
    FLOAT,
    FUNCTION,
    INTEGER,
    NIL,
    PERMANENT,
    STRING,
    TABLE,
    Native,
    Text,
    Value,
    as_native,
)

Json: TypeAlias = Any

INTEGER_PLAIN_MAX: Final = 2**53
INTEGER_MIN: Final = -(2**63)
INTEGER_MAX: Final = 2**63 - 1
ID_MAX: Final = 2**63 - 1


def to_json(kind: int, value: Native) -> Json:
    """A value as something that the json module writes."""
    if kind == NIL:
        return None
    if kind == BOOLEAN:
        return bool(value)
    if kind == STRING:
        return text_to_json(value)  # type: ignore[arg-type]  # a string
    if kind == INTEGER:
        assert isinstance(value, int)
        return value if abs(value) <= INTEGER_PLAIN_MAX else {"integer": str(value)}
    if kind == FLOAT:
        if isinstance(value, int):
            return {"nan": f"{value & 0xFFFF_FFFF_FFFF_FFFF:016x}"}
        return {"float": repr(value)}
    return {_NAMES[kind]: value}


def text_to_json(text: Text) -> Json:
    """A string as something that the json module writes."""
    if isinstance(text, str):
        return text
    return {"bytes": base64.b64encode(text).decode()}


def from_json(json: Json) -> Value:
    """The value that was written.

    Raises:
        ValueError: it is none.
    """
    if json is None:
        return NIL, None
    if isinstance(json, bool):
        return BOOLEAN, int(json)
    if isinstance(json, int):
        return INTEGER, _integer(json)
    if isinstance(json, str):
        return STRING, text_from_json(json)
    name, content = _only_member(json)
    if name == "bytes":
        return STRING, text_from_json(json)
    if name == "permanent" and isinstance(content, str):
        return PERMANENT, content
    if name == "integer" and isinstance(content, str):
        return INTEGER, _integer(int(content))
    if name == "float" and isinstance(content, str):
        number = float(content)
        if math.isnan(number):
            raise ValueError('a NaN is written as {"nan": "its bits"}')
        return FLOAT, number
    if name == "nan" and isinstance(content, str) and len(content) == _NAN_DIGITS:
        bits = bytes.fromhex(content)
        if not math.isnan(struct.unpack(">d", bits)[0]):
            raise ValueError(f"{content} are not the bits of a NaN")
        return FLOAT, struct.unpack(">q", bits)[0]
    if name in _REFERENCES:
        return _REFERENCES[name], identity(content)
    raise ValueError(f"{name!r} is no kind of value")


_NAN_DIGITS = 16
_NAMES = {FUNCTION: "function", PERMANENT: "permanent", TABLE: "table"}
_REFERENCES = {"function": FUNCTION, "table": TABLE}


def text_from_json(json: Json) -> Text:
    """The string that was written.

    Raises:
        ValueError: it is none.
    """
    if isinstance(json, str):
        return as_native(json.encode())  # raises ValueError for half characters
    name, content = _only_member(json)
    if name != "bytes" or not isinstance(content, str):
        raise ValueError("a string is expected")
    return as_native(base64.b64decode(content, validate=True))


def identity(json: Json) -> int:
    """An id.

    Raises:
        ValueError: it is none.
    """
    if isinstance(json, bool) or not isinstance(json, int) or not 0 < json < ID_MAX:
        raise ValueError(f"{json!r} is no id")
    return json


def _integer(number: int) -> int:
    if not INTEGER_MIN <= number <= INTEGER_MAX:
        raise ValueError(f"{number} does not fit into 64 bits")
    return number


def _only_member(json: Json) -> tuple[str, Json]:
    if not isinstance(json, dict) or len(json) != 1:
        raise ValueError("a value is a scalar or an object with one member")
    return next(iter(json.items()))
