"""How stored functions stand to their source."""

from __future__ import annotations

from pathlib import Path

import pytest

from lua_ls_persist.model import StoredFunction
from lua_ls_persist.server import uris
from lua_ls_persist.server.documents import Documents
from lua_ls_persist.server.drift import Drift, drift_of
from lua_ls_persist.server.places import Places

HIT = "function Memory.hit(n)\n  return n + 1\nend"


def stored(text: str = HIT, *, chunk: str = "main.lua", line: int = 1) -> StoredFunction:
    last = line + text.count("\n")
    return StoredFunction("Memory.hit", "hit", ("n",), False, chunk, line, last, text, 100, ())


def drift(buffer: str | None, function: StoredFunction, folder: Path) -> Drift:
    documents = Documents()
    places = Places(documents, [folder])
    if buffer is not None:
        documents.open(uris.uri_of(folder / "main.lua"), buffer)
    return drift_of(function, places, documents.get)


@pytest.mark.parametrize(
    ("buffer", "expected"),
    [
        pytest.param(HIT, ("in_sync", 0), id="as it is"),
        pytest.param(f"local a = 1\n\n{HIT}\n", ("in_sync", 2), id="moved"),
        pytest.param("do\n  " + HIT.replace("\n", "\n  ") + "\nend", ("in_sync", 1), id="indented"),
        pytest.param(HIT.replace("+ 1", "+ 2"), ("edited", 0), id="another body"),
        pytest.param(HIT.replace("(n)", "(n, m)"), ("edited", 0), id="another head"),
        pytest.param("-- a\nMemory.hit = function(n) end", ("edited", 1), id="assigned"),
        pytest.param("function Memory.miss(n)\nend", ("source_gone", None), id="no"),
        pytest.param("", ("source_gone", None), id="emptied"),
        pytest.param(None, ("source_gone", None), id="no file"),
    ],
)
def test_states(buffer: str | None, expected: tuple[str, int | None], tmp_path: Path) -> None:
    found = drift(buffer, stored(), tmp_path)
    assert (found.state, found.row) == expected


def test_what_never_came_from_a_document(tmp_path: Path) -> None:
    assert drift(HIT, stored(chunk="(eval)"), tmp_path).state == "unknown"
    assert drift(HIT, stored(chunk='[string "x = 1"]'), tmp_path).state == "unknown"
    assert drift(HIT, stored(""), tmp_path).state == "unknown"


def test_the_nearest_of_several(tmp_path: Path) -> None:
    found = drift(f"{HIT}\n\n\n{HIT}", stored(line=6), tmp_path)
    assert (found.state, found.row) == ("in_sync", 5)


def test_a_function_without_a_name(tmp_path: Path) -> None:
    text = "Memory.each(users, function(user) return user.age end)"
    assert drift(text, stored(text), tmp_path).state == "in_sync"
    assert drift("f(function() end)", stored("return function(a)\nend"), tmp_path).state == "edited"
    assert drift("f()", stored("return function(a)\nend"), tmp_path).state == "source_gone"


def test_a_whole_chunk(tmp_path: Path) -> None:
    assert drift("return 1", stored("return 1", line=0), tmp_path).state == "in_sync"
    assert drift("return 2", stored("return 1", line=0), tmp_path).state == "edited"


def test_the_file_on_disk(tmp_path: Path) -> None:
    (tmp_path / "main.lua").write_text(HIT)
    documents = Documents()
    places = Places(documents, [tmp_path])
    found = drift_of(stored(), places, lambda uri: documents.open(uri, HIT))
    assert found.state == "in_sync"
    assert found.uri == uris.uri_of(tmp_path / "main.lua")
