"""Chunk names, the documents they stand for, and lines of code that has moved since."""

from __future__ import annotations

from pathlib import Path

import pytest

from lua_ls_persist.server import uris
from lua_ls_persist.server.documents import Change, ClientRange, Documents
from lua_ls_persist.server.places import Place, Places
from lua_ls_persist.server.positions import Range


@pytest.fixture
def two_folders(tmp_path: Path) -> Places:
    for name in ("one/main.lua", "one/lib/init.lua", "two/main.lua", "two/only.lua"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    return Places(Documents(), [tmp_path / "one", tmp_path / "two"])


def test_names_lead_back(two_folders: Places, tmp_path: Path) -> None:
    def name(uri: str) -> str:
        name = two_folders.name_of(uri)
        assert two_folders.uri_of(name) == uri
        assert two_folders.name_of(uri) == name
        return name

    assert name(uris.uri_of(tmp_path / "one/main.lua")) == "main.lua"
    assert name(uris.uri_of(tmp_path / "one/lib/init.lua")) == "lib/init.lua"
    assert name(uris.uri_of(tmp_path / "two/only.lua")) == "only.lua"
    assert name(uris.uri_of(tmp_path / "two/main.lua")) == "two/main.lua"
    assert name(uris.uri_of(tmp_path / "x y.lua")) == str(tmp_path / "x y.lua")
    assert name("untitled:Untitled-1") == "Untitled-1"
    assert name("other:Untitled-1") == "Untitled-1~2"
    assert name("untitled:/a/main.lua") == "a/main.lua"
    assert name("memory:main.lua") == "main~2.lua"


def test_names_that_the_session_gave(two_folders: Places, tmp_path: Path) -> None:
    assert two_folders.uri_of("only.lua") == uris.uri_of(tmp_path / "two/only.lua")
    assert two_folders.uri_of("main.lua") == uris.uri_of(tmp_path / "one/main.lua")
    assert two_folders.uri_of(str(tmp_path / "two/main.lua")) == uris.uri_of(
        tmp_path / "two/main.lua"
    )
    two_folders.documents.open(uris.uri_of(tmp_path / "one/unsaved.lua"), "")
    assert two_folders.uri_of("unsaved.lua") == uris.uri_of(tmp_path / "one/unsaved.lua")
    for unknown in ("", "[C]", "=stdin", "nowhere.lua", "a\0b"):
        assert two_folders.uri_of(unknown) is None


URI = "file:///project/main.lua"


@pytest.fixture
def places() -> Places:
    documents = Documents()
    documents.open(URI, "function f()\n  error()\nend\nf()\n")
    places = Places(documents, [Path("/project")])
    places.name_of(URI)
    return places


def edit(places: Places, *change: int, text: str) -> None:
    places.documents.change(URI, None, [Change(ClientRange(*change), text)])


def row(places: Places, line: int) -> int | None:
    place = places.locate("main.lua", line)
    assert place is None or place.uri == URI
    return None if place is None else place.row


def test_a_line_that_was_never_loaded_is_itself(places: Places) -> None:
    assert places.locate("main.lua", 2) == Place(URI, 1)
    assert places.locate("main.lua", None) is None
    assert places.locate("unknown", 1) is None


def test_a_function_reports_lines_of_when_it_was_loaded(places: Places) -> None:
    document = places.documents.get(URI)
    assert document is not None
    places.loaded(document)
    edit(places, 0, 0, 0, 0, text="-- a\n-- b\n")
    assert row(places, 2) == 3
    changed = places.documents.get(URI)
    assert changed is not None
    load = places.loaded(changed, Range.of(2, 0, 4, 3))
    edit(places, 0, 0, 1, 0, text="")
    assert row(places, 4) == 2, "the newer load has line 4"
    assert row(places, 2) == 2, "only the older one has line 2"
    places.rolled_back(load)
    assert row(places, 4) == 4
    edit(places, 2, 0, 3, 0, text="")
    assert row(places, 2) is None, "its row was deleted"
    places.forget(URI)
    assert row(places, 2) == 1


def test_the_session_reads_open_documents(places: Places) -> None:
    assert places.open_text(Path("/project/main.lua")) == "function f()\n  error()\nend\nf()\n"
    assert places.open_text(Path("/project/other.lua")) is None
    edit(places, 0, 0, 0, 0, text="\n")
    assert row(places, 2) == 2
    places.forget()
    assert row(places, 2) == 1
