"""Where a text may be the name of a field, as far as the parser has to know.

A statement mentions such names as it mentions those that stand in the code: whoever looks for a
name looks at the statements only that mention it.
"""

from __future__ import annotations

import re
from typing import Final

FIELD_PARTS: Final = frozenset(
    {"where", "order_by", "select", "group_by", "sum", "min", "max", "avg"}
)
"""The parts of a question that say fields."""
FIELD_CALLS: Final = frozenset({"index", "drop_index", "rebuild_index"})
"""The functions of `ext` whose second argument says fields."""

_WORD = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_STRING = re.compile(r"[\"']|\[=*\[")


def words_in(source: str, start: int, end: int) -> list[str]:
    """What may be a name in the strings of a piece of source: at least those, maybe more."""
    if _STRING.search(source, start, end) is None:
        return []
    return _WORD.findall(source, start, end)
