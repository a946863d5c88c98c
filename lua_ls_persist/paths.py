"""Paths to what is stored, as people write them: `Memory.users[3]["first name"]`."""

from __future__ import annotations

import ast
import math
import re
from collections.abc import Sequence
from difflib import get_close_matches
from typing import TypeAlias

from lua_ls_persist.errors import SessionError
from lua_ls_persist.pretty import is_name

Key: TypeAlias = "str | int | float | bool"
Path: TypeAlias = "str | Sequence[Key]"
"""A path as text, or its keys one by one; the first is the name of a root."""

_STRING = r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\''
_CONTROL = re.compile("[\x00-\x1f\x7f]")
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
        if not isinstance(path, Sequence):
            raise SessionError(f"{path!r} is no path: give a text, or a list of keys")
        keys = [_plain_key(path, key) for key in path]
        if not keys or not isinstance(keys[0], str):
            raise SessionError(f"{path!r} is no path: it begins with the name of a table")
        return _checked(keys)
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
    return _checked(found)


def told_path(path: Path) -> str:
    """A path for people: as it was given, or its keys with points in between."""
    return path if isinstance(path, str) else ".".join(map(str, path))


def step_text(key: object) -> str | None:
    """What to append to a path for one of the entries; None where no text leads to it."""
    if isinstance(key, bool):
        return "[true]" if key else "[false]"
    if isinstance(key, str):
        return f".{key}" if is_name(key) else f"[{_quoted(key)}]"
    if isinstance(key, int) or (isinstance(key, float) and math.isfinite(key)):
        return f"[{key!r}]"
    return None


def root_path(name: str) -> str:
    """The path of a named table."""
    return name if is_name(name) else f"ext.table({_quoted(name)})"


def path_text(path: Path) -> str:
    """A path as text that leads to the same place."""
    name, *keys = keys_of(path)
    return root_path(str(name)) + "".join(step_text(key) or "" for key in keys)


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


def _checked(keys: list[Key]) -> list[Key]:
    for key in keys:
        if isinstance(key, int) and not -(2**63) <= key < 2**63:
            raise SessionError(f"{key} is no integer of Lua, which have 64 bits")
    return keys


def _plain_key(path: object, key: object) -> Key:
    """One of the keys of a path; bytes are a string that may be no UTF-8."""
    if isinstance(key, bytes):
        return key.decode("utf-8", "surrogateescape")
    if key is None or (isinstance(key, float) and math.isnan(key)):
        raise SessionError(f"{path!r} is no path: None and NaN are no keys")
    if not isinstance(key, (str, int, float)):
        kind = type(key).__name__
        raise SessionError(
            f"{path!r} is no path: keys are strings, numbers and booleans, no {kind}"
        )
    return key


def _unquoted(literal: str, path: str) -> str:
    try:
        text = ast.literal_eval(literal)
    except (ValueError, SyntaxError):
        raise _no_path(path) from None
    assert isinstance(text, str)
    return text


def _quoted(text: str) -> str:
    """A string as both Lua and `keys_of` read it."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", escaped) + '"'


def _no_path(path: str) -> SessionError:
    return SessionError(
        f"{path!r} is no path. Write one as Memory.users[3].name, or ext.table('a name').field."
    )


def no_table(path: str, names: Sequence[str]) -> str:
    """The message that there is no table at a path, with the root of these that may be meant."""
    name = re.split(r"[.\[]", path, maxsplit=1)[0]
    known = name in names or "(" in path
    return f"there is no table {path}{'' if known else _meant(name, names)}"


def no_named_table(name: str, names: Sequence[str]) -> str:
    """The message that no table has this name, with the one of these that may be meant."""
    return f"there is no table named {name}{_meant(name, names)}"


def _meant(name: str, names: Sequence[str]) -> str:
    close = get_close_matches(name, names, n=1)
    return f"; did you mean {close[0]}?" if close else ""
