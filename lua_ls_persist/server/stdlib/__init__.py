"""The documentation of Lua's libraries and of `ext`, for hover, completion and signatures.

Owns the reader of the `.lua` files beside this one. They are written in the manner of definition
files: a comment of `---` lines, and below it what it is about. Must not know LSP types or sessions.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal

_FUNCTION = re.compile(r"function (?P<path>[\w.]+)\((?P<parameters>[^)]*)\) end\Z", re.ASCII)
_VALUE = re.compile(r"(?P<path>[\w.]+) = (?P<value>.+)\Z", re.ASCII)

OPTIONAL_FROM = {
    "assert": 1, "collectgarbage": 0, "error": 0, "load": 1, "next": 1, "print": 0, "tonumber": 1,
    "string.byte": 1, "string.char": 0, "string.dump": 1, "string.find": 2, "string.format": 1,
    "string.gmatch": 2, "string.gsub": 3, "string.match": 2, "string.rep": 2, "string.sub": 1,
    "string.unpack": 2, "table.concat": 1, "table.insert": 2, "table.move": 4, "table.remove": 1,
    "table.sort": 1, "table.unpack": 1, "math.atan": 1, "math.log": 1, "math.random": 0,
    "math.randomseed": 0, "os.date": 0, "os.time": 0, "coroutine.close": 1,
    "coroutine.isyieldable": 0, "utf8.codepoint": 1, "utf8.codes": 1, "utf8.len": 1,
    "utf8.offset": 2, "package.searchpath": 2, "debug.traceback": 0, "ext.aggregate": 1,
    "ext.check_schemas": 0, "ext.compress": 0, "ext.count": 1, "ext.drop_index": 2,
    "ext.explain": 1, "ext.history": 0,
    "ext.index": 2, "ext.indexes": 0, "ext.migrate": 3, "ext.query": 1, "ext.rebuild_index": 2,
    "ext.schema": 1, "ext.set_schema_annotations": 2, "ext.table": 0,
}  # fmt: skip
"""From which parameter on they can be left out, counted from 0; of the others none can."""


@dataclass(frozen=True, slots=True)
class Documented:
    """A function, constant or table of the libraries."""

    path: str
    """`string.format`."""
    kind: Literal["function", "value", "table"]
    text: str
    """What it does, in Markdown."""
    parameters: tuple[str, ...] = ()
    """With `...` as the last one, where it takes any number."""

    @property
    def name(self) -> str:
        """Its last name."""
        return self.path.rpartition(".")[2]

    @property
    def library(self) -> str:
        """The table that it is a field of; empty for globals."""
        return self.path.rpartition(".")[0]

    @property
    def signature(self) -> str:
        """`string.find(s, pattern, init?, plain?)`."""
        return f"{self.path}({', '.join(self.shown_parameters)})"

    @property
    def shown_parameters(self) -> tuple[str, ...]:
        """The parameters, with a question mark behind those that can be left out."""
        optional_from = OPTIONAL_FROM.get(self.path, len(self.parameters))
        return tuple(
            f"{name}?" if place >= optional_from and name != "..." else name
            for place, name in enumerate(self.parameters)
        )


@cache
def documentation() -> dict[str, Documented]:
    """Everything that is documented, by its path. Read once."""
    found: dict[str, Documented] = {}
    for file in sorted(resources.files(__name__).iterdir(), key=lambda file: file.name):
        if file.name.endswith(".lua"):
            for entry in _entries(file.read_text(encoding="utf-8")):
                found[entry.path] = entry
    return found


def _entries(text: str) -> list[Documented]:
    entries: list[Documented] = []
    comment: list[str] = []
    for line in text.splitlines():
        if line.startswith("---"):
            comment.append(line[3:].strip())
            continue
        described = " ".join(comment)
        function = _FUNCTION.match(line)
        value = _VALUE.match(line)
        if function is not None:
            names = tuple(name for name in function["parameters"].split(", ") if name)
            entries.append(Documented(function["path"], "function", described, names))
        elif value is not None:
            kind: Literal["value", "table"] = "table" if value["value"] == "{}" else "value"
            entries.append(Documented(value["path"], kind, described))
        comment = []
    return entries
