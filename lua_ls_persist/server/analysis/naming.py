"""Where a text may be the name of a field, as far as the parser has to know.

A statement mentions such names as it mentions those that stand in the code: whoever looks for a
name looks at the statements only that mention it.
"""

from __future__ import annotations

import re
from typing import Final

from lua_ls_persist.server.analysis.nodes import Chain

FIELD_PARTS: Final = frozenset(
    {"where", "order_by", "select", "group_by", "sum", "min", "max", "avg"}
)
"""The parts of a question that say fields."""
FIELD_CALLS: Final = frozenset({"index", "drop_index", "rebuild_index"})
"""The functions of `ext` whose second argument says fields."""


def is_part(target: object) -> bool:
    """Whether what is assigned may be a part of a question that a variable holds."""
    if not isinstance(target, Chain) or target.base is None or len(target.steps) != 1:
        return False
    return target.steps[0].key in FIELD_PARTS


_WORD = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_STRING = re.compile(r"[\"']|\[=*\[")


def words_in(source: str, start: int, end: int) -> list[str]:
    """What may be a name in the strings of a piece of source: at least those, maybe more."""
    if _STRING.search(source, start, end) is None:
        return []
    return _WORD.findall(source, start, end)
