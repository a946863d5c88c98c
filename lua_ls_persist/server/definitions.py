"""Definitions of functions in a document, and bringing a stored function up to date with one.

Owns which statement of a document defines which function, and the program that puts its function in
the place of the stored one, with the variables that this one shares with others. Must not know LSP
types or sessions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tree_sitter import Node

from lua_ls_persist.errors import SessionError
from lua_ls_persist.paths import Key, keys_of
from lua_ls_persist.pretty import is_name
from lua_ls_persist.server.drift import named
from lua_ls_persist.server.forms import Syntax
from lua_ls_persist.server.positions import Position, Range
from lua_ls_persist.session.documents import BACK_START, FRONT_END, FRONT_START

if TYPE_CHECKING:
    from lua_ls_persist.model import StoredFunction

LOCALS_MAX: Final = 150
"""Lua has 200 local variables at most in one function."""

# Before the definition, on one row: what stands there finds the stored function and declares the
# names that are to be variables. Behind it: they become those of the stored function.
_FIND: Final = (
    FRONT_START + "local __name = __lua_persist_keys[1] "
    'local __holder = __name == "Memory" and Memory or ext.table(__name) '
    "for place = 2, #__lua_persist_keys - 1 do __holder = __holder[__lua_persist_keys[place]] end "
    "local __key = __lua_persist_keys[#__lua_persist_keys] "
    "local __old = __holder[__key] "
)
_STAND_IN: Final = "setmetatable({}, { __index = function(self) return self end })"
_PUT: Final = (
    BACK_START
    + """local __new = %(target)s
local __places, __kept, __fresh = {}, {}, {}
for place = 1, 255 do
  local name = debug.getupvalue(__old, place)
  if not name then break end
  __places[name] = place
end
for place = 1, 255 do
  local name = debug.getupvalue(__new, place)
  if not name then break end
  if name ~= "_ENV" then
    if __places[name] then
      debug.upvaluejoin(__new, place, __old, __places[name])
      __kept[#__kept + 1] = name
    else
      __fresh[#__fresh + 1] = name
    end
    if name == "%(own)s" then debug.setupvalue(__new, place, __new) end
  end
end
__holder[__key] = __new
return table.concat(__kept, " "), table.concat(__fresh, " ")
"""
)


@dataclass(frozen=True, slots=True)
class Definition:
    """A statement that defines one function with a name."""

    target: str
    """The name as an expression: `Memory.hit`, also where a colon stands in the source."""
    range: Range
    """The whole statement."""
    name: Position
    """Where the name begins."""
    is_local: bool

    @property
    def base(self) -> str:
        """The first part of the name."""
        return str(_keys(self.target)[0]) if _keys(self.target) else ""


def definitions_in(syntax: Syntax) -> list[Definition]:
    """All definitions of functions with names, also those inside of others, in order."""
    found = []
    stack = [syntax.root]
    while stack:
        node = stack.pop()
        name = _name_of(node)
        if name is not None:
            is_local = node.type == "variable_declaration" or node.children[0].type == "local"
            range_ = syntax.range_of(node)
            found.append(Definition(_text(name), range_, syntax.range_of(name).start, is_local))
        if name is None or node.type != "variable_declaration":  # it has the statement inside
            stack.extend(reversed(node.named_children))
    return found


def definition_of(function: StoredFunction, definitions: Sequence[Definition]) -> Definition | None:
    """The definition that a stored function comes from, as far as names tell; None: there is none.

    By its path; else by the name in its own text; else by the last part of the path, if only one
    definition ends so.
    """
    path = _keys(function.path)
    first_line = function.text.split("\n", 1)[0]
    own = _keys((named(first_line) or "").replace(":", "."))
    for wanted in (path, own):
        same = [one for one in definitions if wanted and _keys(one.target) == wanted]
        if same:
            return min(same, key=lambda one: abs(one.range.start.row + 1 - function.line))
    last = [one for one in definitions if path and _keys(one.target)[-1:] == path[-1:]]
    return last[0] if len(last) == 1 else None


def update_source(
    definition: Definition, text: str, upvalues: Sequence[str], *, base_is_local: bool
) -> tuple[str, int]:
    """The program that puts a definition's function in the place of a stored one.

    It takes the keys of the stored function's path. The definition stands in it as in its document,
    so that its lines are the same.

    Args:
        definition: where the function is defined now.
        text: the statement.
        upvalues: the names of the variables that the stored function has.
        base_is_local: whether the name's first part is a local variable of the document.

    Returns:
        the source, and how many lines stand before it.
    """
    names = [name for name in dict.fromkeys(upvalues) if is_name(name) and name != "_ENV"]
    base = definition.base
    is_field = len(_keys(definition.target)) > 1
    own = "" if is_field or not definition.is_local else definition.target
    declared = [name for name in names if name not in (own, base if is_field else "")]
    head = _FIND
    if declared[:LOCALS_MAX]:
        head += f"local {', '.join(declared[:LOCALS_MAX])} "
    if is_field and (base_is_local or base in names):
        head += f"local {base} = {_STAND_IN} "
    # Where no row is above the definition it stands before it, and is left out of what is shown.
    row = definition.range.start.row
    head += "\n" if row else FRONT_END
    tail = _PUT % {"target": definition.target, "own": own}
    return f"{head}{text}{tail}", max(row - 1, 0)


def _name_of(node: Node) -> Node | None:
    """The name that a statement gives to a function; None if it gives none."""
    if node.type == "function_declaration":
        return node.child_by_field_name("name")
    statement = node
    if node.type == "variable_declaration" and len(node.named_children) == 1:
        statement = node.named_children[0]
    if statement.type != "assignment_statement" or len(statement.named_children) != 2:
        return None
    names, values = statement.named_children
    if len(names.named_children) != 1 or len(values.named_children) != 1:
        return None
    is_function = values.named_children[0].type == "function_definition"
    return names.named_children[0] if is_function else None


def _text(node: Node) -> str:
    text = "".join((node.text or b"").decode("utf-8", "replace").split())
    if node.type == "method_index_expression":
        table, _, method = text.rpartition(":")
        return f"{table}.{method}"
    return (node.text or b"").decode("utf-8", "replace")


def _keys(text: str) -> list[Key]:
    try:
        return keys_of(text)
    except SessionError:
        return []


def names_of(listed: object) -> Iterator[str]:
    """The names that the program gives back."""
    yield from str(listed or "").split()
