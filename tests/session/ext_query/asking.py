"""Users to ask for, and questions as programs write them."""

from __future__ import annotations

import json
from typing import Any

from lua_ls_persist.session import Session

FILL = """
    local users = ext.table("users")
    for i = 1, 1000 do
      users["u" .. i] = {
        name = "User " .. i, age = i % 50, score = i % 7 == 0 and i / 2 or nil,
        city = ({ "Rome", "Oslo", "Lima" })[i % 3 + 1], address = { zip = i % 10 },
        tags = { "t" .. i % 4, i % 5 },
      }
    end
"""


def lua(tree: Any) -> str:
    """A question as Lua writes it."""
    if tree is None:
        return "nil"
    if isinstance(tree, dict):
        return "{" + ", ".join(f"[{lua(key)}] = {lua(part)}" for key, part in tree.items()) + "}"
    if isinstance(tree, (list, tuple)):
        return "{" + ", ".join(map(lua, tree)) + "}"
    return json.dumps(tree)


def keys(session: Session, spec: dict[str, Any], table: str = "'users'") -> tuple[Any, ...]:
    """The keys of the rows that a program finds, and the cursor."""
    result = session.evaluate(
        f"""
        local page = ext.query({table}, {lua(spec)})
        local keys = {{}}
        for place, row in ipairs(page) do keys[place] = row.key end
        return table.concat(keys, " "), page.next
        """
    )
    assert result.ok, result.problems
    return result.values
