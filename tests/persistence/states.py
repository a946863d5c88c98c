"""What a session's file says, and what a session sees of it, in a form that can be compared.

Both dumps number tables, functions and cells in the order in which they are met, so they are the
same whatever the ids are. `stored` reads the file with plain SQLite and knows no code of ours; but
with the same library: a second one in the process would take the locks of the first one away.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import apsw

from lua_ls_persist.session import Session
from lua_ls_persist.store import Store

_FUNCTION, _TABLE = 5, 7

SEEN = """
local names = { [_G] = "_G" }
for library, functions in pairs(package.loaded) do
  if type(functions) == "table" then
    names[functions] = names[functions] or library
    for key, value in next, functions do
      if type(value) == "function" and debug.getinfo(value, "S").what == "C" then
        names[value] = library .. "." .. tostring(key)
      end
    end
  end
end
local lines, numbers, queue = {}, {}, {}
local function say(value)
  local kind = type(value)
  if names[value] then return names[value] end
  if kind ~= "table" and kind ~= "function" then return string.format("%q", value) end
  if not numbers[value] then
    queue[#queue + 1] = value
    numbers[value] = kind .. " " .. #queue
  end
  return numbers[value]
end
local ranks = { boolean = 1, number = 2, string = 3, ["function"] = 4, table = 5 }
local function before(a, b)
  local first, second = ranks[type(a)], ranks[type(b)]
  if first ~= second then return first < second end
  if first == 1 then return a and not b end
  if first < 4 then return a < b end
  return false
end
local cells, cell_count = {}, 0
local function look(value)
  local line = { say(value), ":" }
  if type(value) == "table" then
    local metatable = debug.getmetatable(value)
    if metatable then line[#line + 1] = "metatable=" .. say(metatable) end
    local keys = {}
    for key in next, value do keys[#keys + 1] = key end
    table.sort(keys, before)
    for _, key in ipairs(keys) do
      line[#line + 1] = say(key) .. "=" .. say(rawget(value, key))
    end
  else
    local info = debug.getinfo(value, "S")
    line[#line + 1] = info.short_src .. ":" .. info.linedefined
    for index = 1, math.huge do
      local name, content = debug.getupvalue(value, index)
      if not name then break end
      local id = debug.upvalueid(value, index)
      if not cells[id] then
        cell_count = cell_count + 1
        cells[id] = cell_count
      end
      line[#line + 1] = name .. "(" .. cells[id] .. ")=" .. say(content)
    end
  end
  lines[#lines + 1] = table.concat(line, " ")
end
for _, root in ipairs(ext.tables()) do
  lines[#lines + 1] = "root " .. root.name .. "=" .. say(ext.table(root.name))
end
local done = 0
while done < #queue do
  done = done + 1
  look(queue[done])
end
return table.concat(lines, "\\n")
"""
"""Lua that returns everything that the roots reach, as this VM sees it."""


def seen(session: Session) -> str:
    """Everything that the roots reach, as this session's program sees it."""
    evaluation = session.evaluate(SEEN, name="seen", time_limit_s=60)
    assert evaluation.ok, evaluation.problems
    (text,) = evaluation.values
    assert isinstance(text, str)
    return text


def seen_afresh(path: Path) -> str:
    """The same after a restart without an image."""
    with Session.open(path, resume=False) as session:
        return seen(session)


def stored(path: Path) -> str:
    """Everything that the roots reach, as the file has it."""
    with Store.open(path) as store:  # its connection reads what is compressed
        return _Dump(store._connection).text()


def defined(path: Path) -> str:
    """All definitions, as the file has them: schemas, indexes, what tables are migrated to."""
    with Store.open(path) as store:
        found = [store._connection.execute(statement).fetchall() for statement in _DEFINITIONS]
    return repr(found)


_DEFINITIONS = (
    "SELECT path, definition FROM schemas ORDER BY path",
    "SELECT path, fields, kind, is_unique, each FROM indexes ORDER BY path, fields, kind",
    "SELECT path, version FROM table_versions ORDER BY path, version",
)


class _Dump:
    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        connection.execute("BEGIN")  # one snapshot
        self._numbers: dict[tuple[str, int], int] = {}
        self._queue: list[tuple[str, int]] = []

    def text(self) -> str:
        execute = self._connection.execute
        lines = [
            f"root {name}={self._number('table', table_id)}"
            for name, table_id in execute("SELECT name, table_id FROM roots ORDER BY name")
        ]
        position = 0
        while position < len(self._queue):
            lines.append(" ".join(self._look(*self._queue[position])))
            position += 1
        return "\n".join(lines)

    def _number(self, kind: str, number: int) -> str:
        thing = (kind, number)
        if thing not in self._numbers:
            self._queue.append(thing)
            self._numbers[thing] = len(self._queue)
        return f"{kind} {self._numbers[thing]}"

    def _value(self, kind: int, value: object) -> str:
        if kind == _TABLE:
            assert isinstance(value, int)
            return self._number("table", value)
        if kind == _FUNCTION:
            assert isinstance(value, int)
            return self._number("function", value)
        return f"{kind}:{value!r}"

    def _look(self, kind: str, number: int) -> list[str]:
        execute = self._connection.execute
        line = [self._number(kind, number) + ":"]
        if kind == "table":
            ((metatable,),) = execute("SELECT metatable FROM tables WHERE id = ?", (number,))
            if metatable is not None:
                line.append("metatable=" + self._number("table", metatable))
            line += (
                f"{self._value(key_kind, key)}={self._value(value_kind, value)}"
                for key_kind, key, value_kind, value in execute(
                    "SELECT key_kind, key, kind, value FROM full_entries WHERE table_id = ? "
                    "ORDER BY key_kind, key",
                    (number,),
                )
            )
        elif kind == "function":
            ((code,),) = execute(
                "SELECT hex(bytecode_hash) FROM functions JOIN code ON code.id = code_id "
                "WHERE functions.id = ?",
                (number,),
            )
            line.append(code)
            line += (
                self._number("cell", cell)
                for (cell,) in execute(
                    "SELECT cell_id FROM function_cells WHERE function_id = ? ORDER BY position",
                    (number,),
                )
            )
        else:
            ((value_kind, value),) = execute(
                "SELECT kind, value FROM full_cells WHERE id = ?", (number,)
            )
            line.append(self._value(value_kind, value))
        return line


def damage(path: Path) -> list[str]:
    """What is wrong with the file, by SQLite's own word and the store's."""
    with closing(apsw.Connection(str(path))) as connection:
        found = [row[0] for row in connection.execute("PRAGMA integrity_check") if row[0] != "ok"]
    with Store.open(path) as store:
        return found + store.integrity()
