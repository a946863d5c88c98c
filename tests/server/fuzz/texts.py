"""A client's own idea of a document, written from the specification and not from the server."""

from __future__ import annotations

import re
from dataclasses import dataclass
from random import Random
from typing import Any

UNIT_BYTES = {"utf-8": 1, "utf-16": 2, "utf-32": 4}
CODECS = {"utf-8": "utf-8", "utf-16": "utf-16-le", "utf-32": "utf-32-le"}
PIECES = (
    "",
    "\n",
    "\r\n",
    "\r",
    "x",
    "😀",
    "é\u2028y",
    "local z = 1\n",
    "\f",
    '"',
    "--[[",
    "]]",
    "end",
    "\t",
    "a\nb\nc\n",
)
LINE_END = re.compile(r"\r\n|\r|\n")


@dataclass(slots=True)
class Mirror:
    """A document as a client holds it."""

    uri: str
    text: str
    encoding: str
    version: int = 1

    def offset(self, line: int, character: int) -> int:
        """Where a position is: past the end of a line means its end, past the last line the end."""
        start = 0
        for _ in range(line):
            found = LINE_END.search(self.text, start)
            if found is None:
                return len(self.text)
            start = found.end()
        found = LINE_END.search(self.text, start)
        end = len(self.text) if found is None else found.start()
        codec, size = CODECS[self.encoding], UNIT_BYTES[self.encoding]
        units = 0
        for place in range(start, end):
            if units >= character:
                return place
            units += len(self.text[place].encode(codec)) // size
        return end

    def position(self, offset: int) -> dict[str, int]:
        """The position of an offset that is not inside of a line's end."""
        line, start = 0, 0
        for found in LINE_END.finditer(self.text):
            if found.end() > offset:
                break
            line, start = line + 1, found.end()
        codec, size = CODECS[self.encoding], UNIT_BYTES[self.encoding]
        return {"line": line, "character": len(self.text[start:offset].encode(codec)) // size}

    def replace(self, start: int, end: int, text: str) -> None:
        """Edits the text."""
        self.text = self.text[:start] + text + self.text[end:]


def random_edit(random: Random, mirror: Mirror) -> dict[str, Any]:
    """A change of the document, done to the mirror, as a client sends it."""
    text = random.choice(PIECES)
    if random.random() < 0.03:
        mirror.text = text * 3
        return {"text": mirror.text}
    # Positions that are not in the document; one inside of a character has no meaning.
    if random.random() < 0.15:
        places = [(random.randint(0, 20), random.choice([0, 500, 2**31 - 1])) for _ in range(2)]
        places.sort()
        first, last = (mirror.offset(*place) for place in places)
        start, end = ({"line": line, "character": units} for line, units in places)
    else:
        first, last = sorted(_between(random, mirror) for _ in range(2))
        if random.random() < 0.5:
            last = first
        elif last - first > 30:
            last = _between(random, mirror, first, first + 30)
        start, end = mirror.position(first), mirror.position(last)
    mirror.replace(first, max(first, last), text)
    return {"range": {"start": start, "end": end}, "text": text}


def _between(random: Random, mirror: Mirror, low: int = 0, high: int | None = None) -> int:
    """A random offset, but not between the two characters of one line's end."""
    length = len(mirror.text)
    place = random.randint(low, length if high is None else min(high, length))
    inside = mirror.text[place - 1 : place + 1] == "\r\n" if place > 0 else False
    return place + 1 if inside else place
