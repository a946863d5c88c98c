"""The documentation of the libraries is complete, and about what there is."""

from __future__ import annotations

import re

import pytest

from lua_ls_persist.server.stdlib import OPTIONAL_FROM, Documented, documentation
from lua_ls_persist.session import Session

SOURCE = """
local found = {}
for name, value in next, _G do
  found[#found + 1] = name .. " " .. type(value)
  if type(value) == "table" and name ~= "_G" and name ~= "Memory" then
    for key, inner in next, value do
      found[#found + 1] = name .. "." .. key .. " " .. type(inner)
    end
  end
end
return table.concat(found, "\\n")
"""


def test_everything_is_documented_and_nothing_else() -> None:
    with Session.open() as session:
        (text,) = session.evaluate(SOURCE).values
    live = dict(line.split(" ") for line in str(text).splitlines())
    kinds = {"function": "function", "table": "table", "userdata": "table"}
    expected = {path: kinds.get(kind, "value") for path, kind in live.items()}
    assert {path: one.kind for path, one in documentation().items()} == expected


@pytest.mark.parametrize("entry", documentation().values(), ids=lambda entry: entry.path)
def test_each_text(entry: Documented) -> None:
    assert re.match(r"[A-Z0-9`]|[em] |x ", entry.text), "a sentence"
    assert entry.text.endswith((".", "`.", "..."))
    assert "..." not in entry.parameters[:-1]
    assert OPTIONAL_FROM.get(entry.path, 0) <= len(entry.parameters)


def test_what_can_be_left_out() -> None:
    entries = documentation()
    assert set(OPTIONAL_FROM) <= set(entries)
    assert entries["string.find"].signature == "string.find(s, pattern, init?, plain?)"
    assert entries["print"].signature == "print(...)"
    assert (entries["ext.query"].library, entries["ext.query"].name) == ("ext", "query")
