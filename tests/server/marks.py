"""Lua fixtures with marks: `⟦` and `⟧` around a range, `‸` at the cursor."""

from __future__ import annotations

import re

from lua_ls_persist.server.documents import Document
from lua_ls_persist.server.positions import Position, Range

URI = "file:///project/main.lua"
MARK = re.compile("[⟦⟧‸]")


def document(text: str, uri: str = URI) -> Document:
    """A document of a text without marks."""
    return Document.of_text(uri, text)


def unmarked(marked: str) -> tuple[Document, list[Range], list[Position]]:
    """The document without the marks, the marked ranges, and the cursors."""
    ranges: list[Range] = []
    starts: list[Position] = []
    cursors: list[Position] = []
    lines: list[str] = []
    for row, line in enumerate(marked.split("\n")):
        text = ""
        for part in re.split("([⟦⟧‸])", line):
            here = Position(row, len(text))
            if part == "⟦":
                starts.append(here)
            elif part == "⟧":
                ranges.append(Range(starts.pop(), here))
            elif part == "‸":
                cursors.append(here)
            else:
                text += part
        lines.append(text)
    return document("\n".join(lines)), ranges, cursors


def marked(document: Document, ranges: list[Range]) -> str:
    """The document's text with its ranges marked: for readable failures."""
    places = sorted(
        [(range_.end, "⟧") for range_ in ranges] + [(range_.start, "⟦") for range_ in ranges],
        key=lambda place: place[0],
        reverse=True,
    )
    lines = list(document.rows)
    for place, mark in places:
        line = lines[place.row]
        lines[place.row] = line[: place.column] + mark + line[place.column :]
    return "\n".join(lines)
