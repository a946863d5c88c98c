"""Paths to what is stored, as people write them: `Memory.users[3]["first name"]`."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence
from typing import TypeAlias

from lua_ls_persist.errors import SessionError

Key: TypeAlias = "str | int | float | bool"
Path: TypeAlias = "str | Sequence[Key]"
"""A path as text, or its keys one by one; the first is the name of a root."""

_STRING = r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\''
_ROOT = re.compile(rf"\s*(?:ext\.table\(\s*({_STRING})\s*\)|([A-Za-z_]\w*))", re.ASCII)
_STEP = re.compile(
    rf"\s*(?:\.\s*([A-Za-z_]\w*)|\[\s*(?:({_STRING})|(-?\d+)|(-?[\d.]+(?:[eE][-+]?\d+)?)|"
    r"(true|false))\s*\])",
    re.ASCII,
)


def keys_of(path: Path) -> list[Key]:
    """The keys of a path, from the name of the root on.

    Raises:
        SessionError: it is no path.
    """
    if not isinstance(path, str):
        keys = list(path)
        if not keys or not isinstance(keys[0], str):
            raise SessionError(f"{path!r} is no path: it begins with the name of a table")
        return keys
    root = _ROOT.match(path)
    if root is None:
        raise _no_path(path)
    found: list[Key] = [root[2] if root[1] is None else _unquoted(root[1], path)]
    at = root.end()
    while at < len(path.rstrip()):
        step = _STEP.match(path, at)
        if step is None:
            raise _no_path(path)
        found.append(_key(step, path))
        at = step.end()
    return found


def steps_of(text: str) -> list[Key] | None:
    """The keys of a field inside of a row, `address.city`, `tags[1]`, `["a b"]`; None: it is none.

    It begins with a name or with a key in brackets.
    """
    text = text.strip()
    rest = text if text.startswith("[") else f".{text}"
    found: list[Key] = []
    at = 0
    while at < len(rest):
        step = _STEP.match(rest, at)
        if step is None:
            return None
        try:
            found.append(_key(step, text))
        except SessionError:
            return None
        at = step.end()
    return found or None


def _key(step: re.Match[str], path: str) -> Key:
    name, string, integer, number, boolean = step.groups()
    if name is not None:
        return name
    if string is not None:
        return _unquoted(string, path)
    if boolean is not None:
        return boolean == "true"
    try:
        return int(integer) if integer is not None else float(number)
    except ValueError:
        raise _no_path(path) from None


def _unquoted(literal: str, path: str) -> str:
    try:
        text = ast.literal_eval(literal)
    except (ValueError, SyntaxError):
        raise _no_path(path) from None
    assert isinstance(text, str)
    return text


def _no_path(path: str) -> SessionError:
    return SessionError(
        f"{path!r} is no path. Write one as Memory.users[3].name, or ext.table('a name').field."
    )
