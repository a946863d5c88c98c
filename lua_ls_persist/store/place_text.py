"""Where things are, as people write it: `Memory.users[3]["first name"]`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from lua_ls_persist.pretty import is_name, scalar_text
from lua_ls_persist.store.rows import (
    BOOLEAN,
    FLOAT,
    FUNCTION,
    INTEGER,
    STRING,
    TABLE,
    Native,
    Value,
)

KEY_TEXT_LENGTH_MAX: Final = 60
"""Longer keys are cut where they are part of a path."""

NAME_LENGTH_MAX: Final = 200
"""Keys that are names may be longer: a path by which something is called should lead there."""

_REFERENCE_NAMES: Final = {FUNCTION: "function", TABLE: "table"}


def root_text(name: str) -> str:
    """How a program names a root."""
    return name if is_name(name) else f"ext.table({scalar_text(name)})"


def key_text(kind: int, key: Native) -> str:
    """What to append to the text of a table for one of its entries."""
    if isinstance(key, str) and kind == STRING and len(key) <= NAME_LENGTH_MAX and is_name(key):
        return f".{key}"
    if isinstance(key, (str, bytes)) and kind == STRING:
        short = key[:KEY_TEXT_LENGTH_MAX]
        return f"[{scalar_text(short)}{'...' if len(short) < len(key) else ''}]"
    if kind == BOOLEAN:
        return f"[{scalar_text(bool(key))}]"
    if kind in (INTEGER, FLOAT) and isinstance(key, (int, float)):
        return f"[{scalar_text(key)}]"
    return f"[{_REFERENCE_NAMES.get(kind, 'permanent')} {key!r}]"


def path_text(root: str, keys: Sequence[Value]) -> str:
    """The whole path from a root."""
    return root_text(root) + "".join(key_text(*key) for key in keys)
