"""`compress`."""

from __future__ import annotations

import json
from pathlib import Path

from tests.cli.conftest import Cli

DB = Path("s.db")
DATA = """
local events = ext.table("events")
for i = 1, 500 do events[i] = "the connection of user " .. i .. " to the server has failed" end
"""


def test_a_table_is_compressed(cli: Cli) -> None:
    assert cli("eval", "--db", DB, "-e", DATA).status == 0
    assert cli("tables", "--db", DB).out == "Memory  0 entries\nevents  500 entries\n"
    told = cli("compress", "events", "--db", DB)
    assert told.status == 0
    first, second = told.out.splitlines()
    assert first.startswith("events: 500 of 500 strings are compressed, ")
    assert "--vacuum gives them back." in second
    assert ":1\n" in cli("tables", "--db", DB).out
    facts = json.loads(cli("compress", "--vacuum", "--json", "--db", DB).out)
    assert list(facts["tables"]) == ["Memory", "events"]
    assert facts["tables"]["events"]["ratio"] > 2
    assert facts["file_bytes"] == DB.stat().st_size
    assert "fewer than before" in cli("compress", "--vacuum", "--db", DB).out
    assert cli("doctor", "--db", DB).status == 0
    listed = json.loads(cli("tables", "--json", "--db", DB).out)
    assert listed[1]["compression"]["strings"] == 500


def test_what_cannot_be_done(cli: Cli) -> None:
    assert cli("eval", "--db", DB, "-e", DATA).status == 0
    told = cli("compress", "nobody", "--db", DB)
    assert told.status == 2
    assert "there is no table nobody" in told.err
