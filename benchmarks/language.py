"""`python -m benchmarks language`: how long an editor waits for the language features.

A buffer of 5,000 lines, a session with 10,000 globals and a table of 100,000 rows. Each request
comes right after an edit, as it does while somebody types, and is measured from the client's side.
The floor is a bare pygls server that has the same features and answers each with nothing.

The Lua language server (LuaLS) is not among the peers: none of the package registries has it.
"""

from __future__ import annotations

import contextlib
import gc
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from pathlib import Path
from typing import Any

from benchmarks.bars import LANGUAGE_FEATURE, LANGUAGE_START, Judgement
from benchmarks.bench_server import OUR_SERVER, Client
from benchmarks.measure import Sample, format_table, format_time
from lua_ls_persist.session import Session, default_path

GLOBALS = 10_000
ROWS = 100_000
LINES = 5_000
STARTS = 8

FLOOR = "a bare pygls server"
OURS = "lua-ls-persist"

BARE_SERVER = """
from lsprotocol import types
from pygls.lsp.server import LanguageServer
server = LanguageServer("bare", "1")
for method in {methods!r}:
    server.feature(method)(lambda params: None)
server.start_io()
"""

FORM = """\
--- Says hello to somebody, number {n}.
---@param name string
{local}function greet_{n}(name, times, ...)
  local text = "Hello, " .. name
  for index = 1, times do
    local line = text .. tostring(index) .. global_{n}
    print(line, ...)
  end
  return {{ text = text, times = times, [1] = name }}
end

function module_{m}:method_{n}(value)
  if value > {n} then
    self.total = (self.total or 0) + value
  end
  local users = ext.table("users")
  local one = users[{n}]
  return one.name, greet_{n}(one.name, self.total)
end

"""

PREPARE = f"""
for n = 1, {GLOBALS} do _G["global_" .. n] = n end
for n = 1, 300 do _G["module_" .. n] = {{ total = 0 }} end
function greet(name, times, ...) return name, times, ... end
local users = ext.table("users")
for n = 1, {ROWS} do
  users[n] = {{ name = "user " .. n, age = n % 90, city = "c" .. n % 100, tags = {{ "a", "b" }} }}
end
Memory.users = users
ext.index("users", "age")
"""


@dataclass(frozen=True, slots=True)
class Feature:
    """A request, asked behind a text that was typed just before."""

    name: str
    method: str
    typed: str
    more: dict[str, Any]
    everywhere: bool = False
    """It is about the whole document, not about a place."""
    pause_s: float = 0.0
    """Before the last letter."""


PAUSE_S = 0.41
"""After 0.4 s, the document is compared with the VM."""

FEATURES = (
    Feature("completion of a global", "textDocument/completion", "  global_12", {}),
    Feature("completion of a row's field", "textDocument/completion", "  Memory.users[5].na", {}),
    Feature("completion of a local", "textDocument/completion", "  tex", {}),
    Feature(
        "completion in a query", "textDocument/completion", 'ext.query("users", {where={"a', {}
    ),
    Feature("hover of a table", "textDocument/hover", "  print(Memory.users", {}),
    Feature("hover of a function", "textDocument/hover", "  greet", {}),
    Feature("signature help", "textDocument/signatureHelp", "  greet(1, ", {}),
    Feature("definition", "textDocument/definition", "  greet_77", {}),
    Feature(
        "references", "textDocument/references", "  text", {"context": {"includeDeclaration": True}}
    ),
    Feature("document highlight", "textDocument/documentHighlight", "  text", {}),
    Feature(
        "references of a field",
        "textDocument/references",
        "  module_7.total",
        {"context": {"includeDeclaration": True}},
    ),
    Feature("highlight of a field", "textDocument/documentHighlight", "  module_7.total", {}),
    Feature("prepare rename", "textDocument/prepareRename", "  text", {}),
    Feature("rename", "textDocument/rename", "  text", {"newName": "words"}),
    Feature("document symbols", "textDocument/documentSymbol", " ", {}, everywhere=True),
    Feature("folding", "textDocument/foldingRange", " ", {}, everywhere=True),
    Feature("semantic tokens", "textDocument/semanticTokens/full", " ", {}, everywhere=True),
    Feature("code lenses", "textDocument/codeLens", " ", {}, everywhere=True),
    Feature("document links", "textDocument/documentLink", " ", {}, everywhere=True),
    Feature("selection range", "textDocument/selectionRange", "  text", {"positions": True}),
    Feature("code actions", "textDocument/codeAction", "  text", {"context": {"diagnostics": []}}),
    Feature("inlay hints", "textDocument/inlayHint", " ", {"range": True}),
    Feature("completion after a pause", "textDocument/completion", "  tex", {}, pause_s=PAUSE_S),
    Feature("hover after a pause", "textDocument/hover", "  greet", {}, pause_s=PAUSE_S),
)
CAPABILITIES: dict[str, Any] = {
    "general": {"positionEncodings": ["utf-16"]},
    "textDocument": {
        "inlayHint": {},
        "completion": {"completionItem": {"snippetSupport": True}},
        "hover": {"contentFormat": ["markdown"]},
        "documentSymbol": {"hierarchicalDocumentSymbolSupport": True},
        "rename": {"prepareSupport": True},
        "publishDiagnostics": {"relatedInformation": True},
    },
    "workspace": {"workspaceFolders": True, "inlayHint": {"refreshSupport": True}},
}


def buffer() -> str:
    """The text of the document, 5,000 lines."""
    forms = [
        FORM.format(n=n, m=n % 300 + 1, local="local " * (n % 2))
        for n in range(1, LINES // FORM.count("\n") + 2)
    ]
    return "\n".join("".join(forms).split("\n")[:LINES])


def prepare(folder: Path) -> None:
    """Makes the session that the server goes on from."""
    with Session.open(default_path(folder)) as session:
        evaluation = session.evaluate(PREPARE, time_limit_s=None)
        assert evaluation.ok, evaluation.problems


class Typist:
    """A client with one open document, in which it types and asks."""

    def __init__(self, client: Client, folder: Path) -> None:
        self._client = client
        self._uri = (folder / "main.lua").as_uri()
        self._version = 1
        self._text = buffer()
        self._row = self._text.count("\n") // 2
        while self._text.split("\n")[self._row].strip():
            self._row += 1
        client.open(self._uri, self._text)

    def ask(self, feature: Feature) -> float:
        """Seconds from the edit to the answer."""
        column = len(feature.typed)
        self._edit(0, 0, feature.typed[:-1])
        time.sleep(feature.pause_s)
        start = time.perf_counter()
        self._edit(column - 1, column - 1, feature.typed[-1])
        self._client.request(feature.method, self._params(feature, column))
        taken_s = time.perf_counter() - start
        self._edit(0, column, "")
        return taken_s

    def until_diagnosed(self) -> float:
        """Seconds from an edit that breaks the syntax until the client hears of it."""
        start = time.perf_counter()
        self._edit(0, 0, "x = = 1")
        self._client.until_diagnostics(
            self._uri,
            # What was typed for the features before is no syntax either, but in another way.
            lambda found: any(_is_syntax(one) and "near '='" in one["message"] for one in found),
            version=self._version,
        )
        taken_s = time.perf_counter() - start
        self._edit(0, 7, "")
        self._client.until_diagnostics(
            self._uri,
            lambda found: not any(_is_syntax(one) for one in found),
            version=self._version,
        )
        return taken_s

    def _params(self, feature: Feature, column: int) -> dict[str, Any]:
        place = {"line": self._row, "character": column}
        params = {"textDocument": {"uri": self._uri}, **feature.more}
        if feature.more.get("positions"):
            params["positions"] = [place]
        elif "range" in feature.more:
            params["range"] = {
                "start": {"line": self._row - 30, "character": 0},
                "end": {"line": self._row + 30, "character": 0},
            }
        elif feature.method.endswith("codeAction"):
            params["range"] = {"start": place, "end": place}
        elif not feature.everywhere:
            params["position"] = place
        return params

    def _edit(self, start: int, end: int, text: str) -> None:
        self._version += 1
        range_ = {
            "start": {"line": self._row, "character": start},
            "end": {"line": self._row, "character": end},
        }
        self._client.notify(
            "textDocument/didChange",
            {
                "textDocument": {"uri": self._uri, "version": self._version},
                "contentChanges": [{"range": range_, "text": text}],
            },
        )


def _is_syntax(diagnostic: dict[str, Any]) -> bool:
    return diagnostic.get("code") == "syntax"


@contextlib.contextmanager
def servers(folder: Path) -> Iterator[dict[str, Client]]:
    """Both servers, for as long as the block runs."""
    bare = BARE_SERVER.format(methods=sorted({feature.method for feature in FEATURES}))
    with (
        Client(bare, folder=folder, capabilities=CAPABILITIES) as floor,
        Client(OUR_SERVER, folder=folder, capabilities=CAPABILITIES) as ours,
    ):
        yield {FLOOR: floor, OURS: ours}


@contextlib.contextmanager
def _without_collections() -> Iterator[None]:
    """The answers with a thousand parts make this client collect its garbage: 15 ms, of no server.

    So it does that before.
    """
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@dataclass(frozen=True, slots=True)
class Measured:
    """The seconds of each request, by server and feature."""

    features: dict[str, dict[str, Sample]]
    diagnostics: Sample
    starts: dict[str, Sample]


def measure_language(rounds: int) -> Measured:
    """Asks both servers in turn, in interleaved rounds after one to warm up."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        prepare(folder)
        taken: dict[str, dict[str, list[float]]] = {FLOOR: {}, OURS: {}}
        diagnostics: list[float] = []
        with servers(folder) as clients:
            typists = {one: Typist(client, folder) for one, client in clients.items()}
            clients[OURS].command("lua-persist.tables", {})  # The session is open.
            for round_ in range(rounds + 1):
                for feature in FEATURES:
                    for one, typist in typists.items():
                        with _without_collections():
                            seconds = typist.ask(feature)
                        if round_:
                            taken[one].setdefault(feature.name, []).append(seconds)
                if round_:
                    diagnostics.append(typists[OURS].until_diagnosed())
        starts = {
            FLOOR: _starts(BARE_SERVER.format(methods=[]), folder),
            OURS: _starts(OUR_SERVER, folder),
        }
    return Measured(
        {
            one: {name: Sample(tuple(values)) for name, values in by_name.items()}
            for one, by_name in taken.items()
        },
        Sample(tuple(diagnostics)),
        starts,
    )


def _starts(program: str, folder: Path) -> Sample:
    """From starting the process to the answer to `initialize`.

    Once before it is measured: what the first start compiles, an installation has compiled.
    """

    def once() -> float:
        start = time.perf_counter()
        with Client(program, folder=folder, capabilities=CAPABILITIES):
            return time.perf_counter() - start

    once()
    return Sample(tuple(once() for _ in range(STARTS)))


def p95(sample: Sample) -> float:
    """What 95 of 100 rounds took at most, in seconds."""
    ordered = sorted(sample.rounds_s)
    return ordered[ceil(0.95 * len(ordered)) - 1]


def format_language(measured: Measured) -> str:
    """A row a feature."""
    rows = []
    for feature in FEATURES:
        floor, ours = (measured.features[one][feature.name] for one in (FLOOR, OURS))
        rows.append(_row(feature.name, floor, ours))
    rows.append(_row("start to initialized", measured.starts[FLOOR], measured.starts[OURS]))
    diagnosed = measured.diagnostics
    rows.append(
        [
            "edit to diagnostics",
            "",
            "",
            format_time(diagnosed.median_s),
            format_time(p95(diagnosed)),
            "",
        ]
    )
    header = ["request after an edit", "floor", "its p95", "ours", "p95", "ratio"]
    return format_table(header, rows)


def _row(name: str, floor: Sample, ours: Sample) -> list[str]:
    return [
        name,
        format_time(floor.median_s),
        format_time(p95(floor)),
        format_time(ours.median_s),
        format_time(p95(ours)),
        f"{ours.median_s / floor.median_s:.2f}",
    ]


def judge(measured: Measured) -> tuple[Judgement, ...]:
    """The slowest feature, and the start."""
    ours = measured.features[OURS]
    worst = max(ours, key=lambda name: p95(ours[name]))
    return (
        Judgement(LANGUAGE_FEATURE, p95(ours[worst]) * 1000, note=worst),
        Judgement(LANGUAGE_START, measured.starts[OURS].median_s * 1000),
    )
