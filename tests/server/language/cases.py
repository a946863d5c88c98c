"""The cases of a language feature: source, cursor and expectation, many in one file.

```
==== what the case shows
---- main.lua        (may be left out for a single file)
local ⟦x⟧ = 1        `⟦ ⟧` around what is expected,
print(x‸)            `‸` at the cursor
>>>> y               what is asked for, such as a new name; may be left out
expected text        where ranges do not say it
```

The first file is the one with the cursor.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from lua_ls_persist.server.documents import Document
from lua_ls_persist.server.positions import Position, Range
from tests.server.marks import marked, unmarked

FOLDER = Path(__file__).parent / "cases"

_CASE = re.compile(r"^==== ?", re.MULTILINE)
_FILE = re.compile(r"^---- (\S+)\n", re.MULTILINE)
_EXPECTED = re.compile(r"^>>>> ?(.*)\n?", re.MULTILINE)


@dataclass(frozen=True)
class MarkedFile:
    name: str
    document: Document
    ranges: list[Range]
    cursors: list[Position]

    def shown(self, ranges: list[Range]) -> str:
        return marked(self.document, ranges)


@dataclass(frozen=True)
class Case:
    title: str
    files: list[MarkedFile]
    given: str
    """What stands behind `>>>>`."""
    expected: str | None
    """What stands below it."""

    @property
    def main(self) -> MarkedFile:
        return self.files[0]


def cases(feature: str) -> list[Case]:
    """All cases of `cases/<feature>.lua`."""
    text = (FOLDER / f"{feature}.lua").read_text(encoding="utf-8")
    head, *parts = _CASE.split(text)
    assert not head.strip() or head.startswith("--"), "only a comment stands above the cases"
    return [_case(part) for part in parts]


def _case(part: str) -> Case:
    title, _, body = part.partition("\n")
    given, expected = "", None
    match = _EXPECTED.search(body)
    if match is not None:
        given, expected = match[1], body[match.end() :].rstrip("\n")
        body = body[: match.start()]
    pieces = _FILE.split(body)
    first = [] if not pieces[0].strip() else ["main.lua", pieces[0]]
    named = first + pieces[1:]
    files = []
    for name, source in zip(named[::2], named[1::2], strict=True):
        document, ranges, cursors = unmarked(source.rstrip("\n"))
        files.append(MarkedFile(name, document, ranges, cursors))
    return Case(title, files, given, expected)
