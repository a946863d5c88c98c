"""LuaCATS annotations in a document: its classes and aliases, and what stands above a row.

Owns what is read from the comments, as texts. What a type means is `live/inference.py`'s matter.
What makes no sense is passed over: these are comments.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from lua_ls_persist.errors import SchemaError
from lua_ls_persist.schema.type_texts import parts_of
from lua_ls_persist.server.documents import Document
from lua_ls_persist.server.positions import Range

ROWS_MAX = 200
"""So many rows of comments above something are read."""

_CLASS = re.compile(r"\s*---@class\s+(?:\(\w+\)\s*)?([\w.]+)(?:<[^>]*>)?\s*(?::\s*([\w., ]+))?")
_FIELD = re.compile(
    r"\s*---@field\s+(?:(?:public|private|protected|package)\s+)?"
    r"(?:\[\s*[\"'](?P<quoted>[^\"']+)[\"']\s*\]|(?P<open>\[)|(?P<name>[\w]+))(?P<optional>\??)\s*"
    r"(?P<rest>.*)"
)
_ALIAS = re.compile(r"\s*---@alias\s+([\w.]+)\s*(\S?.*)")
_ALIAS_PART = re.compile(r"\s*---\|\s*[+>]?\s*(\S.*)")
_NOTE = re.compile(r"\s*---@(param|return|type|generic|overload)\s+(.*)")
_PARAM = re.compile(r"([\w.]+)(\??)\s*(.*)")
_GENERIC = re.compile(r"([A-Za-z_]\w*)\s*(?::[^,]*)?(?:,\s*|$)", re.ASCII)
_COMMENT = re.compile(r"\s*--")
_GLOBAL = re.compile(r"([A-Za-z_]\w*)\s*=(?!=)", re.ASCII)
_TEXT = re.compile(r"\s*---?(?!-)(?!@)\s?(.*)")


@dataclass(frozen=True, slots=True)
class FieldNote:
    """A line `---@field name type text`."""

    name: str
    type: str
    text: str
    range: Range
    """The name."""


@dataclass(frozen=True, slots=True)
class ClassNote:
    """A class with the fields below it."""

    name: str
    uri: str
    parents: tuple[str, ...]
    fields: tuple[FieldNote, ...]
    is_open: bool
    """Whether it may have fields of any name: `---@field [string] any`."""
    range: Range
    """The name."""
    owner_row: int
    """The row below the comment, where the table stands that is the class."""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Note:
    """What the comment above a row says of the types of what stands there."""

    type: str = ""
    class_name: str = ""
    params: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """By parameter: the type, and what is said about it."""
    optional: frozenset[str] = frozenset()
    """The parameters that may be left out."""
    returns: tuple[str, ...] = ()
    overloads: tuple[str, ...] = ()
    """Other ways to call it, as types of functions."""
    generics: tuple[str, ...] = ()
    """Names that stand for types in what is said of parameters and returns."""

    @property
    def is_of_function(self) -> bool:
        """Whether it says how a function is called."""
        return bool(self.params or self.returns or self.overloads)


@dataclass(frozen=True, slots=True)
class Annotations:
    """The classes, aliases and annotated globals of a document."""

    classes: tuple[ClassNote, ...] = ()
    aliases: tuple[tuple[str, str], ...] = ()
    globals: tuple[tuple[str, Note], ...] = ()
    """What is assigned right below a comment that says its type."""


def annotations_of(document: Document) -> Annotations:
    """The classes and aliases of a document, read once. Any thread."""
    found = document.derived.get("annotations")
    if not isinstance(found, Annotations):
        found = _read(document)
        document.derived["annotations"] = found
    return found


def note_above(document: Document, row: int) -> Note:
    """What the comment right above a row says of types."""
    first = row
    while first > max(0, row - ROWS_MAX) and _COMMENT.match(document.row(first - 1)):
        first -= 1
    type_, class_name = "", ""
    params: dict[str, tuple[str, str]] = {}
    optional: set[str] = set()
    returns: list[str] = []
    overloads: list[str] = []
    generics: list[str] = []
    for at in range(first, row):
        text = document.row(at)
        if found := _CLASS.match(text):
            class_name = found[1]
        elif found := _NOTE.match(text):
            kind, rest = found.groups()
            if kind == "param" and (named := _PARAM.match(rest)):
                params[named[1]] = _typed(named[3])
                if named[2]:
                    optional.add(named[1])
            elif kind == "return":
                returns += _listed(rest)
            elif kind == "type":
                type_ = _typed(rest)[0]
            elif kind == "overload":
                overloads.append(_typed(rest)[0])
            elif kind == "generic":
                generics += [one[1] for one in _GENERIC.finditer(rest)]
    return Note(
        type_,
        class_name,
        params,
        frozenset(optional),
        tuple(returns),
        tuple(overloads),
        tuple(generics),
    )


def _read(document: Document) -> Annotations:
    classes: list[ClassNote] = []
    aliases: list[tuple[str, str]] = []
    globals_: list[tuple[str, Note]] = []
    rows: Sequence[str] = ()
    for row in document.rows_with("---@"):
        text = document.row(row)
        alias, class_ = _ALIAS.match(text), _CLASS.match(text)
        if (alias or class_) and not rows:
            rows = list(document.rows)
        if alias:
            aliases.append((alias[1], _typed(alias[2])[0] or _alternatives(rows, row + 1)))
            continue
        if class_:
            classes.append(_class(document.uri, rows, row, class_))
        if name := _GLOBAL.match(document.row(row + 1)):
            globals_.append((name[1], note_above(document, row + 1)))
    return Annotations(tuple(classes), tuple(aliases), tuple(globals_))


def _class(uri: str, rows: Sequence[str], row: int, found: re.Match[str]) -> ClassNote:
    fields: list[FieldNote] = []
    is_open = False
    below = row + 1
    while below < len(rows) and _COMMENT.match(rows[below]) and not _CLASS.match(rows[below]):
        given = _FIELD.match(rows[below])
        if given is not None:
            name = given["name"] or given["quoted"]
            if name is None:
                is_open = True
            else:
                type_, text = _typed(given["rest"])
                start = given.start("name" if given["name"] else "quoted")
                type_ += "|nil" if type_ and given["optional"] else ""
                range_ = Range.of(below, start, below, start + len(name))
                fields.append(FieldNote(name, type_, text, range_))
        below += 1
    return ClassNote(
        found[1],
        uri,
        tuple(one.strip() for one in (found[2] or "").split(",") if one.strip()),
        tuple(fields),
        is_open,
        Range.of(row, found.start(1), row, found.end(1)),
        below,
        _text_above(rows, row),
    )


def _alternatives(rows: Sequence[str], row: int) -> str:
    """The type that the lines `---| "r"  # to read` below an alias make."""
    parts = []
    while row < len(rows) and (found := _ALIAS_PART.match(rows[row])):
        parts.append(_typed(found[1])[0])
        row += 1
    return "|".join(part for part in parts if part)


def _text_above(rows: Sequence[str], row: int) -> str:
    lines: list[str] = []
    while row > 0 and (found := _TEXT.fullmatch(rows[row - 1])):
        lines.append(found[1].rstrip())
        row -= 1
    return "\n".join(reversed(lines)).strip()


def _typed(text: str) -> tuple[str, str]:
    """The type at the beginning of a text, and what is said behind it."""
    try:
        rest = parts_of(text)[1]
    except (SchemaError, ValueError):
        return "", text.strip()
    kept = text[: len(text.rstrip()) - len(rest)] if rest else text
    return kept.strip(), rest.lstrip("#@ ").strip()


def _listed(text: str) -> list[str]:
    """The types of `---@return integer count, string? message`; empty where one is not read."""
    found = []
    while True:
        type_, rest = _typed(text)
        found.append(type_)
        named = re.match(r"[\w]*\s*,\s*(.*)", rest)
        if not type_ or named is None:
            return found
        text = named[1]
