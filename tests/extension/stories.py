"""A workspace to tell stories in, and the run of the stories of `vscode-extension/test/ui`."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lua_ls_persist import Session
from tools import node_tools
from tools.code_server import CodeServer
from tools.node_tools import EXTENSION

LOOK = {
    "window.commandCenter": False,
    "editor.minimap.enabled": False,
    "workbench.colorTheme": "Default Dark Modern",
    "files.simpleDialog.enable": True,
    "luaPersist.timeLimitSeconds": 300,
    "terminal.integrated.gpuAcceleration": "off",
}
"""Settings for screenshots that show what matters; loops without end are ended by hand, and what
stands in a terminal can be read."""
PEOPLE_ROWS = 100_000
RUN_S_MAX = 780.0

TOUR = """\
-- Put the cursor on a line and press Ctrl+Enter.
math.max(7, 42, 12)
select("#", "two", "words")

for round = 1, 3 do
  print("round " .. round)
end

function inventory() return { apples = 12, pears = 0, plums = { ripe = 5, green = 40 } } end

-- What does not fit behind the line stands whole in the hover;
-- there it can be copied, opened in an editor, and undone.

inventory()
"""

OOPS = """\
-- One of these has no price.
local function total(orders)
  local sum = 0
  for _, order in ipairs(orders) do
    sum = sum + order.price
  end
  return sum
end

-- The error stands where it was raised, in an evaluation
-- that began further below; the traceback leads
-- from one to the other. Nothing of an evaluation
-- that fails is kept: mend it, and run it again.
-- There are no halves.

print(total { { id = 1, price = 4 }, { id = 2 } })
"""

LOOP = """\
-- An evaluation that does not end by itself.
for step = 1, math.huge do if step <= 3 then print("step " .. step) end end
Memory.loops = (Memory.loops or 0) + 1
"""

DATA = """\
-- What `Memory` and named tables reach is stored; nobody calls save.
function Memory.greet(who) return "Hello, " .. who end
function Memory.older(person, years) person.age = person.age + years return person end

season = { name = "spring", days = 92 }
local cities = ext.table("cities")
cities.rome = { name = "Rome", people = 2.8e6, river = "Tiber" }
cities.oslo = { name = "Oslo", people = 7.1e5 }
"""

STORY = """\
--%% markdown
-- # People by the decade
--
-- Cells share the session of the workspace: what one defines, the next one sees.

--%% lua
local groups = {}
for _, row in ipairs(ext.query("people", { limit = 5000 })) do
  local decade = row.value.age // 10 * 10
  groups[decade] = (groups[decade] or 0) + 1
end
result = {}
for decade = 0, 80, 10 do
  result[#result + 1] = { from = decade, to = decade + 9, people = groups[decade] }
end
return result

--%% lua
print("the largest group:")
table.sort(result, function(a, b) return a.people > b.people end)
return result[1].from, result[1].people

--%% lua
return result[1].name:upper()
"""

FIRST = """\
-- Counts for good: the function is stored, and the variable it closes over.
do local count = 0 function Memory.up() count = count + 1 return count end end
Memory.up()
"""

PLANTS = """\
id,name,days,zip,place.room,outside
fern,Fern,3,0049,kitchen,false
aloe,Aloe,14,0050,office,true
ivy,Ivy,5,,hall,true
"""

BAD_PLANTS = """\
id,name,days
fern,Fern,3
aloe,Aloe
,Ivy,5
fern,Fern again,4
"""
LOG_ROWS = 200_000
"""So many take long enough to be seen, and cancelled."""

_PEOPLE = """
local names = { "Ann", "Bob", "Cleo", "Dan", "Eve", "Finn", "Gil", "Hal" }
local cities = { "Rome", "Oslo", "Lima", "Kyiv", "Cork" }
local first, last = ...
for i = first, last do
  local age = (i * 7919) % 83 + i % 7
  ext.table("people")[i] = {
    name = names[(i - 1) % 8 + 1] .. " " .. i,
    age = age,
    city = cities[i % 5 + 1],
    score = i % 11 ~= 0 and (i * 31 % 400 + age * (140 - age) // 10) / 10 or nil,
    active = i % 3 == 0,
    tags = { "t" .. i % 10, "u" .. i % 4 },
  }
end
"""


_STOCK = """
local stock = { name = "string", count = "integer?", price = "number?", days = "integer?" }
ext.schema("stock", { fields = stock })
for i, name in ipairs { "apples", "pears", "plums", "quinces", "figs", "dates" } do
  ext.table("stock")[i] = { name = name, count = 10 * i, price = i / 4 }
end
"""


@dataclass(frozen=True, slots=True)
class Story:
    """What came of one story."""

    title: str
    passed: bool
    error: str
    measured: dict[str, float] = field(default_factory=dict)


def make_workspace(folder: Path, *, numbers: int = 0) -> None:
    """Lua files, a notebook, 100,000 people, and as many numbers as wanted."""
    folder.mkdir(parents=True)
    log = "".join(f'{{"n": {n}, "text": "line {n}"}}\n' for n in range(LOG_ROWS))
    files = {
        "tour.lua": TOUR, "oops.lua": OOPS, "loop.lua": LOOP, "data.lua": DATA,
        "story.luanb": STORY, "plants.csv": PLANTS, "bad-plants.csv": BAD_PLANTS, "log.jsonl": log,
    }  # fmt: skip
    for name, text in files.items():
        (folder / name).write_text(text, encoding="utf-8")
    place = folder / ".lua-persist"
    place.mkdir()
    with Session.open(place / "session.db", time_limit_s=None) as session:
        _fill(session, "function(...) " + _PEOPLE + " end", PEOPLE_ROWS)
        assert session.evaluate('ext.index("people", "age")').ok
        assert session.evaluate(_STOCK).ok
        if numbers:
            line = "for i = first, last do ext.table('numbers')[i] = { n = i, half = i / 2 } end"
            _fill(session, f"function(first, last) {line} end", numbers)


def _fill(session: Session, function: str, rows: int) -> None:
    """In pieces: one evaluation remembers what it takes to undo it."""
    assert session.evaluate(f"fill = {function}").ok
    for first in range(1, rows + 1, 50_000):
        last = min(first + 49_999, rows)
        evaluation = session.evaluate(f"fill({first}, {last})")
        assert evaluation.ok, evaluation.problems
    assert session.evaluate("fill = nil").ok


def run_stories(
    server: CodeServer,
    workspace: Path,
    folder: Path,
    shots: Path,
    names: Sequence[str],
    *,
    places: Mapping[str, str] | None = None,
) -> list[Story]:
    """Tells the stories in one window; their screenshots go to `shots`.

    `places` names files that a story needs.
    """
    profile = {"profile": str(server.profile), "workspace": str(workspace)}
    return tell(server.url(workspace), folder, shots, names, {**profile, **(places or {})})


def tell(
    url: str, folder: Path, shots: Path, names: Sequence[str], places: Mapping[str, str]
) -> list[Story]:
    """Tells the stories in a window at that address."""
    settings: Mapping[str, object] = {
        "url": url,
        "shots": str(shots),
        "browser": node_tools.chromium(),
        "places": dict(places),
    }
    done = subprocess.run(
        [str(node_tools.node_home() / "bin/node"), str(EXTENSION / "dist/test/ui.cjs"), *names],
        env={**os.environ, "LUA_PERSIST_UI": json.dumps(settings)},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=RUN_S_MAX,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [Story(**data) for data in json.loads(done.stdout)]


def shots_folder(folder: Path) -> Path:
    """Where screenshots go: below `folder`, or where somebody wants to look at them."""
    return Path(os.environ.get("LUA_PERSIST_SHOTS", folder / "shots"))


def check(stories: Sequence[Story], names: Sequence[str]) -> None:
    """Prints what was measured; each of these stories must have been told to its end."""
    for story in stories:
        print(story.title, story.measured)
    failed = [f"{story.title}: {story.error}" for story in stories if not story.passed]
    assert not failed, "\n\n".join(failed)
    assert [story.title for story in stories] == list(names)
