"""Tables far larger than the VM's memory: all that is done with them, in the 2 MiB profile."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lua_ls_persist.model import Value
from lua_ls_persist.session import Session

MEMORY_LIMIT_BYTES = 2 * 1024 * 1024
TIME_LIMIT_S = 60.0
ENTRIES = 1_000_000
RECORDS = 60_000

pytestmark = pytest.mark.slow


class Opened:
    """A session that can be opened again, with a fresh VM."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.session = self._open()

    def _open(self) -> Session:
        return Session.open(
            self.path,
            memory_limit_bytes=MEMORY_LIMIT_BYTES,
            time_limit_s=TIME_LIMIT_S,
            resume=False,
        )

    def run(self, source: str) -> tuple[Value, ...]:
        evaluation = self.session.evaluate(source)
        assert evaluation.ok, evaluation.problems
        return evaluation.values

    def again(self) -> None:
        self.session.close()
        self.session = self._open()


@pytest.fixture
def opened(tmp_path: Path) -> Iterator[Opened]:
    opened = Opened(tmp_path / "session.db")
    yield opened
    opened.session.close()


SUMS = """
local count, keys, values = 0, 0, 0
for key, value in pairs(Memory.large) do
  count, keys, values = count + 1, keys + key, values + value
end
return count, keys, values
"""


def test_a_million_entries(opened: Opened) -> None:
    n = ENTRIES
    keys = n * (n + 1) // 2
    opened.run(f"Memory.large = {{}} for i = 1, {n} do Memory.large[i] = 2 * i end")
    assert opened.session.memory().committed_bytes <= MEMORY_LIMIT_BYTES
    assert opened.run(SUMS) == (n, keys, 2 * keys)
    opened.again()
    assert opened.run("return #Memory.large, next(Memory.large)") == (n, 1, 2)
    assert opened.run(SUMS) == (n, keys, 2 * keys)
    # Assigning to existing keys while going through all of them.
    opened.run("for key, value in pairs(Memory.large) do Memory.large[key] = value - key end")
    assert opened.run(SUMS) == (n, keys, keys)
    assert opened.run("return ext.info(Memory.large).entries") == (n,)
    # Every second one goes, while it is gone through.
    opened.run(
        "for key in pairs(Memory.large) do if key % 2 == 0 then Memory.large[key] = nil end end"
    )
    opened.again()
    odd = (n // 2) ** 2
    assert opened.run(SUMS) == (n // 2, odd, odd)
    opened.run("for i = 1, #Memory.large do Memory.large[i] = nil end")
    assert opened.run("return next(Memory.large), #Memory.large") == (None, 0)
    assert opened.session.integrity() == []


def test_an_error_after_half_a_million_writes(opened: Opened) -> None:
    """What was written out in the middle is undone as well."""
    opened.run("Memory.large = { 1, 2, 3 }")
    half = ENTRIES // 2
    source = f"for i = 1, {half} do Memory.large[i] = 0 end error('no')"
    assert not opened.session.evaluate(source).ok
    assert opened.run(SUMS) == (3, 6, 6)
    inner = f"pcall(ext.transaction, function() {source} end) Memory.large[4] = 4"
    opened.run(inner)
    assert opened.run(SUMS) == (4, 10, 10)


def test_records_and_functions(opened: Opened) -> None:
    """Each entry is a table, and some hold a closure with a cell of its own."""
    opened.run(
        f"""
        local records = ext.table("records")
        for i = 1, {RECORDS} do
          local uses = 0
          records["r" .. i] = {{
            id = i, tags = {{ "a", "b" .. i % 7 }},
            use = i % 100 == 0 and function() uses = uses + 1 return uses end or nil,
          }}
        end
        """
    )
    look = """
        local records, count, ids, tags, uses = ext.table("records"), 0, 0, {}, 0
        for key, record in pairs(records) do
          assert(key == "r" .. record.id and #record.tags == 2)
          count, ids = count + 1, ids + record.id
          tags[record.tags[2]] = (tags[record.tags[2]] or 0) + 1
          if record.use then uses = uses + record.use() end
        end
        return count, ids, tags.b3, uses
    """
    ids, tags = RECORDS * (RECORDS + 1) // 2, (RECORDS + 4) // 7
    for turn in (1, 2):
        opened.again()
        assert opened.run(look) == (RECORDS, ids, tags, turn * RECORDS // 100)
    assert opened.session.integrity() == []


def test_a_table_that_was_large_when_it_was_adopted(opened: Opened) -> None:
    """A plain table must fit into memory; adopted, it may grow beyond that."""
    opened.run(
        f"""
        local t = {{}}
        for i = 1, 10000 do t[i] = i end
        Memory.t = t
        for i = 10001, {ENTRIES // 2} do t[i] = i end
        assert(Memory.t == t and #t == {ENTRIES // 2})
        """
    )
    opened.again()
    count = ENTRIES // 2
    assert opened.run(SUMS.replace("large", "t")) == (count, *[count * (count + 1) // 2] * 2)
