"""Modules that are loaded in a VM and whose file has changed.

Owns by which names `require` may have loaded a file, and the program that has it loaded again. Must
not know LSP types.

`next` only takes the module out of `package.loaded`: the next `require` loads the new source, and
until then everybody goes on with what they have. `inPlace` loads it at once and puts what it is
into the table that everybody has: functions become the new ones, and those that are no more are
gone; other fields keep their values, for they are the module's state, and only new ones are added.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

SUFFIX: Final = ".lua"
CHUNK: Final = "(reload)"

DROP: Final = """
local names, dropped = ..., {}
for _, name in ipairs(names) do
  if package.loaded[name] ~= nil then
    package.loaded[name] = nil
    dropped[#dropped + 1] = name
  end
end
return table.unpack(dropped)
"""

RELOAD: Final = """
local names, done = ..., {}
for _, name in ipairs(names) do
  local old = package.loaded[name]
  if old ~= nil then
    package.loaded[name] = nil
    local new = require(name)
    if type(old) == "table" and type(new) == "table" and old ~= new then
      for key, value in pairs(old) do
        if type(value) == "function" and new[key] == nil then old[key] = nil end
      end
      for key, value in pairs(new) do
        if type(value) == "function" or old[key] == nil then old[key] = value end
      end
      setmetatable(old, getmetatable(new))
      package.loaded[name] = old
    end
    done[#done + 1] = name
  end
end
return table.unpack(done)
"""


def names_of(path: Path, folders: Sequence[Path]) -> list[str]:
    """By which names a program may have required a file."""
    names: dict[str, None] = {}
    for folder in folders:
        if path.suffix == SUFFIX and path.is_relative_to(folder):
            parts = path.relative_to(folder).with_suffix("").parts
            ways = [parts]
            if len(parts) > 1 and parts[-1] == "init":
                ways.append(parts[:-1])
            for way in ways:
                names[".".join(way)] = None
                names["/".join(way)] = None
    return list(names)
