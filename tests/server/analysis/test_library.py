"""The names of the standard library are those that a session has."""

from __future__ import annotations

from lua_ls_persist import Session
from lua_ls_persist.server.analysis.library import LIBRARY, LIBRARY_FUNCTIONS, LIBRARY_TABLES

NAMES = """
local parts = {}
for name, value in pairs(_G) do
  parts[#parts + 1] = type(value) .. " " .. name
  if type(value) == "table" and value ~= _G and name ~= "Memory" and name ~= "ext" then
    for field in pairs(value) do
      parts[#parts + 1] = "field " .. name .. "." .. field
    end
  end
end
return table.concat(parts, "\\n")
"""


def test_the_names() -> None:
    with Session.open(None) as session:
        (text,) = session.evaluate(NAMES).values
    assert isinstance(text, str)
    there = {tuple(line.split(" ")) for line in text.split("\n")}
    assert {name for _, name in there if "." not in name} - {"Memory"} <= LIBRARY
    assert {name for kind, name in there if kind == "function"} <= LIBRARY_FUNCTIONS
    fields = {name for kind, name in there if kind == "field"}
    known = {f"{table}.{field}" for table, names in LIBRARY_TABLES.items() for field in names}
    assert fields <= known
