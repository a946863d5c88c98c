"""The comments that document what follows them."""

from __future__ import annotations

import re

from lua_ls_persist.server.documents import Document

ROWS_MAX = 200

_LINE = re.compile(r"\s*-{2,}(?!\[=*\[) ?(?P<text>.*)")
_DIVIDER = re.compile(r"\s*-{4,}\s*\Z")
_REGION = re.compile(r"\s*--+\s*#?(?:end)?region\b")
_BLOCK_END = re.compile(r"\](=*)\](?:--)?\s*\Z")


def doc_comment(document: Document, row: int) -> str:
    """The text of the comment right above a row, without its dashes; empty if there is none."""
    block = _block_comment(document, row - 1)
    if block is not None:
        return block
    lines: list[str] = []
    for above in range(row - 1, max(-1, row - 1 - ROWS_MAX), -1):
        text = document.row(above)
        match = _LINE.match(text)
        if match is None or _REGION.match(text):
            break
        if not _DIVIDER.match(text):
            lines.append(match["text"].rstrip())
    return "\n".join(reversed(lines)).strip("\n")


def _block_comment(document: Document, row: int) -> str | None:
    """The text of a `--[[ ]]` comment that ends on a row and stands alone."""
    end = _BLOCK_END.search(document.row(row)) if row >= 0 else None
    if end is None:
        return None
    opening = re.compile(rf"\s*--\[{end[1]}\[")
    for above in range(row, max(-1, row - ROWS_MAX), -1):
        start = opening.match(document.row(above))
        if start is not None:
            rows = [document.row(at) for at in range(above, row + 1)]
            rows[-1] = rows[-1][: end.start()]
            rows[0] = rows[0][start.end() :]
            return "\n".join(line.strip() for line in rows).strip("\n- ")
    return None
