"""Half-typed and broken code: every question about names has an answer or a clear error."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from lua_ls_persist.server.analysis import scopes_of
from lua_ls_persist.server.analysis.key_uses import key_uses, key_uses_alike, moved
from lua_ls_persist.server.calls import function_at, incoming, outgoing
from lua_ls_persist.server.documents import Documents
from lua_ls_persist.server.live.finding import Finder
from lua_ls_persist.server.live.identity import Identities
from lua_ls_persist.server.navigation import Navigator
from lua_ls_persist.server.renaming import RenameError, rename
from lua_ls_persist.server.workspace_files import WorkspaceFiles
from tests.server.analysis.test_parsing import texts


@settings(max_examples=120, deadline=None)
@given(texts(), texts(), st.lists(st.floats(0, 1), min_size=1, max_size=4), st.sampled_from("xyf"))
def test_every_question_has_an_answer(text: str, other: str, places: list[float], new: str) -> None:
    documents = Documents()
    document = documents.open("file:///w/main.lua", text)
    documents.open("file:///w/m.lua", other)
    files = WorkspaceFiles(documents)
    files.close()
    navigator = Navigator(files)
    scopes = scopes_of(document)
    for place in places:
        position = scopes.position(round(place * len(document.source)))
        name = scopes.name_at(position)
        finder = Finder(navigator)
        for spot in finder.definitions(document, position):
            assert spot.range.end <= spot.document.end
        references = finder.references(document, position)
        if name is not None:
            assert any(spot.range == name.range for spot in references)
        if name is not None or finder.field_at(document, position) is not None:
            own = [spot for spot in references if spot.document.uri == document.uri]
            assert finder.highlights(document, position) == own
        try:
            renaming = rename(Finder(navigator), document, position, new)
        except RenameError:
            pass
        else:
            named = name or finder.field_at(document, position)
            assert named is not None
            assert renaming.spots or named.text == new
            for spot in renaming.spots:
                assert spot.document.text(spot.range) == named.text
            assert not set(renaming.spots) & set(renaming.possible)
        function = function_at(finder, document, position)
        if function is not None:
            incoming(finder, function)
            outgoing(finder, function)
    files.modules()
    assert all(symbol.name for symbol in files.symbols())


@settings(max_examples=150, deadline=None)
@given(texts(), texts())
@example("function a:x() self.y = self.y; local self = b; self.y = 1 end", "")
@example("a[1].x = a[1.0].x + a[true].x; local a = a.x; b[a].x = b[1].x; a().x = a().x", "")
@example("local a = {}; function f() a.x = 1; local a = b; a.x = 2; return a.x end", "")
def test_uses_that_are_alike_mean_the_same(text: str, other: str) -> None:
    documents = Documents()
    document = documents.open("file:///w/main.lua", text)
    documents.open("file:///w/m.lua", other)
    files = WorkspaceFiles(documents)
    files.close()
    scopes = scopes_of(document)
    identities = Identities(Navigator(files))
    for key in sorted(scopes.chunk.root.mentions):
        found = list(key_uses_alike(scopes, key))
        uses = [moved(use, alike.base) for alike in found for use in alike.uses]
        assert sorted(uses, key=lambda use: use.start) == list(key_uses(scopes, key))
        for alike in found:
            wanted = identities.of_use(document, alike.first, key)
            for use in alike.uses:
                assert identities.of_use(document, moved(use, alike.base), key) == wanted


@settings(max_examples=150, deadline=None)
@given(texts(), st.floats(0, 1), st.sampled_from(("x", "unused_name")))
def test_a_rename_and_back_is_no_change(text: str, place: float, new: str) -> None:
    documents = Documents()
    document = documents.open("file:///w/main.lua", text)
    files = WorkspaceFiles(documents)
    files.close()
    navigator = Navigator(files)
    scopes = scopes_of(document)
    position = scopes.position(round(place * len(document.source)))
    name = scopes.name_at(position)
    if name is None:
        return
    try:
        renaming = rename(Finder(navigator), document, position, new)
    except RenameError:
        return
    if name.text == new:
        return
    changed, starts, last = "", [], 0
    for spot in renaming.spots:
        start = scopes.offset(spot.range.start)
        changed += document.source[last:start]
        starts.append(len(changed))
        changed += new
        last = start + len(name.text)
    changed += document.source[last:]
    again = documents.open("file:///w/main.lua", changed)
    back = rename(Finder(navigator), again, scopes_of(again).position(starts[0]), name.text)
    assert [scopes_of(again).offset(spot.range.start) for spot in back.spots] == starts
