"""What is kept with statements is what one finds who looks at the whole text anew."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from lua_ls_persist.server.analysis import ExpressionPath, Scopes, scopes_of, walking
from lua_ls_persist.server.analysis.asked_tables import asked_tables_in
from lua_ls_persist.server.analysis.field_texts import field_text_at, field_texts
from lua_ls_persist.server.analysis.folding import folds_of
from lua_ls_persist.server.analysis.holding import holders_in
from lua_ls_persist.server.analysis.key_uses import key_at, key_uses, key_uses_alike
from lua_ls_persist.server.analysis.symbols import SYMBOLS_MAX, Symbol, symbols_of
from lua_ls_persist.server.answers import HOLE, PLACE, Placed, pattern
from lua_ls_persist.server.documents import Document
from lua_ls_persist.server.features.language.symbols import outline
from lua_ls_persist.server.live.questions import mentions_in, share_row
from lua_ls_persist.server.live.resolving import Resolver
from lua_ls_persist.server.positions import Encoding, Position, Range
from tests.server.analysis.test_parsing import edits

Edits = tuple[str, list[tuple[float, int, str]]]

EXT = (
    *("ext.", "table(", '"users"', "query(", "count", ")", "local ", "ext", " = ", "u", "\n"),
    *("function ", "f(ext) ", " end ", "do ", ", ", "{ where = x }", "🙂 ", "-- ", "_ENV"),
    *('local u = ext.table("users")\n', "ext.query(u, { limit = 1 })\n", "for ext = 1, 2 do\n"),
    *("{ where = {", '{ "age", ">", 1 }', "any = { ", '{ "a.age", f(', "order_by = ", '"age"', "}"),
    *("ext.count(Memory", ".users", '"Memory.users"', 'ext.index("Memory", "users.age")\n'),
    *('{ field = "age" }', 'ext.index("users", { "age", ', "ext.index(u, 'a[1].b'", "'age"),
    *("local e = ext\n", "local q, index = ext.query, e.index ", 'e.table("pets") ', "q = u "),
    *('q("users", { limit = 1 })\n', "index(u, 'age')", "e.index('Memory', 'users.age')\n", "e"),
    *('local q = {} q.order_by = "age"\n', "q.where = {", "u.max, q.min = ", "q['select'] = "),
    *('["where"] = ', "['order_by'] = 'age' ", '{ ["any"] = { ', '["', '"] = ', "[f()] = "),
)  # fmt: skip


@st.composite
def ext_edits(draw: st.DrawFn) -> Edits:
    texts = st.lists(st.sampled_from(EXT), max_size=30).map("".join)
    change = st.tuples(st.floats(0, 1), st.integers(0, 8), st.sampled_from(("", *EXT)))
    return draw(texts), draw(st.lists(change, min_size=1, max_size=5))


def states(start: Edits) -> list[tuple[Document, Document]]:
    """The text after each edit: as it was brought up to date, and from scratch."""
    text, changes = start
    document = Document.of_text("file:///x.lua", text)
    found = [(document, document)]
    for where, removed, inserted in changes:
        everything(document, Encoding.UTF16)
        place = round(where * len(text))
        text = text[:place] + inserted + text[place + removed :]
        changed = Document.of_text("file:///x.lua", text)
        changed.basis = {"scopes": document.derived["scopes"]}
        document = changed
        found.append((document, Document.of_text("file:///x.lua", text)))
    return found


def everything(document: Document, encoding: Encoding) -> list[Any]:
    scopes = scopes_of(document)
    return [
        symbols_of(document),
        json.loads(outline(scopes, encoding).text),
        folds_of(scopes),
        sorted(holders_in(document)),
        sorted(asked_tables_in(document), key=repr),
        mentions_in(scopes, None),
        mentions_in(scopes, None, Range.of(1, 0, 2, 1)),
        [
            (use.start, use.end, use.is_write, use.quoted, use.base, use.steps, use.table)
            for key in sorted(scopes.chunk.root.mentions)
            for use in key_uses(scopes, key)
        ],
        [
            (alike.base, [(use.start, use.is_write) for use in alike.uses])
            for key in sorted(scopes.chunk.root.mentions)
            for alike in key_uses_alike(scopes, key)
        ],
        [
            (use.start, use.end, use.quoted, use.base, use.table, use.before, use.leads_on)
            for key in sorted(scopes.chunk.root.mentions)
            for use in field_texts(scopes, key)
        ],
    ]


@settings(max_examples=200, deadline=None)
@given(st.one_of(edits(), ext_edits()), st.sampled_from(Encoding))
@example(("local a = {}; a.é = 1 🙂 function a.x() end", [(0.0, 0, "🙂\n")]), Encoding.UTF16)
@example(('local x = 1 ext.table("a")', [(0.0, 0, "local ext ")]), Encoding.UTF8)
def test_after_edits_all_is_as_if_it_was_found_anew(start: Edits, encoding: Encoding) -> None:
    for kept, fresh in states(start):
        assert everything(kept, encoding) == everything(fresh, encoding)


@settings(max_examples=150, deadline=None)
@given(st.one_of(edits(), ext_edits()))
def test_a_key_is_found_by_its_name_and_by_its_place(start: Edits) -> None:
    for document, _ in states(start)[-1:]:
        scopes = scopes_of(document)
        for text in scopes.chunk.root.mentions:
            for use in key_uses(scopes, text):
                found = key_at(scopes, use.start)
                assert found is not None
                assert document.source[use.start : use.end] == text or "\\" in document.source
                assert (found.start, found.chain, found.table) == (use.start, use.chain, use.table)


@settings(max_examples=150, deadline=None)
@given(ext_edits())
def test_a_field_in_a_text_is_found_by_its_name_and_by_its_place(start: Edits) -> None:
    for document, _ in states(start)[-1:]:
        scopes = scopes_of(document)
        for text in scopes.chunk.root.mentions:
            for use in field_texts(scopes, text):
                assert document.source[use.start : use.end] == text
                found = field_text_at(scopes, use.start)
                assert found is not None
                assert (found.start, found.chain, found.table) == (use.start, use.chain, use.table)
                assert (found.before, found.leads_on) == (use.before, use.leads_on)
                assert found.steps == use.steps


@settings(max_examples=150, deadline=None)
@given(st.one_of(edits(), ext_edits()), st.sampled_from(Encoding))
def test_an_outline_is_that_of_the_symbols(start: Edits, encoding: Encoding) -> None:
    for document, _ in states(start):
        scopes = scopes_of(document)

        def place(offset: int, document: Document = document, scopes: Scopes = scopes) -> Any:
            row, units = document.client_position(encoding, scopes.position(offset))
            return {"line": row, "character": units}

        def told(symbol: Symbol, place: Any = place) -> dict[str, Any]:
            name = {"start": place(symbol.name_start), "end": place(symbol.name_end)}
            return {
                "name": symbol.name,
                "detail": symbol.detail,
                "range": {"start": place(symbol.start), "end": place(symbol.end)},
                "selectionRange": name,
                "children": [told(child) for child in symbol.children],
            }

        def read(data: Any) -> dict[str, Any]:
            data = {"detail": "", "children": [], **data}
            del data["kind"]
            return {**data, "children": [read(child) for child in data["children"]]}

        found = json.loads(outline(scopes, encoding).text)
        assert [read(one) for one in found] == [told(one) for one in symbols_of(document)]


@settings(max_examples=200, deadline=None)
@given(ext_edits())
@example(('local _ENV = ext ext.table("users")', [(0.0, 0, "\n")]))
@example(('local ext = ext ext.table("users")', [(0.0, 0, "\n")]))
@example(('local q = ext.query do local q = q q("a") q = 1 end q("b")', [(0.0, 0, "\n")]))
def test_mentions_are_the_calls_of_functions_of_ext(start: Edits) -> None:
    for document, _ in states(start):
        scopes = scopes_of(document)
        resolver = Resolver(scopes)
        globals_ = {one.range.start for one in scopes.globals() if one.text == "ext"}

        def keys_of(path: ExpressionPath | None) -> tuple[object, ...]:
            """The keys that lead to what an expression is, `ext` first; none if it is not sure."""
            if path is None or path.base is None or not path.is_constant:
                return ()
            name = path.base
            if name.declaration is None:
                is_it = name.text == "ext" and name.range.start in globals_  # noqa: B023
                return ("ext", *path.keys) if is_it else ()
            if name.kind != "local" or any(
                one.is_write and not one.is_declaration
                for one in scopes.uses(name)  # noqa: B023
            ):
                return ()
            value = scopes.value_of(name.declaration)  # noqa: B023
            keys = keys_of(value.path if value is not None else None)
            return (*keys, *path.keys) if keys else ()

        wanted = set()
        for base, statement in walking.statements(scopes.chunk.root, 0):
            for chain in statement.chains:
                calls = [place for place, one in enumerate(chain.steps) if one.kind == "("]
                if not calls or chain.base is None:
                    continue
                keys = keys_of(scopes.path(chain, base, calls[0]))
                is_about_tables = len(keys) == 2 and keys[1] in ("table", "query", "count")
                if is_about_tables and resolver.table(chain, base, calls[0]) is not None:
                    wanted.add(scopes.position(base + chain.start))
        found = mentions_in(scopes, None)
        assert {one.range.start for one in found} == wanted
        rows = Range(Position(1, 2), Position(2, 0))
        assert mentions_in(scopes, None, rows) == [
            one for one in found if share_row(one.range, rows)
        ]


def test_an_outline_has_its_limit() -> None:
    fields = "".join(f"  f{n} = {n},\n" for n in range(SYMBOLS_MAX - 10))
    text = f"local t = {{\n{fields}}}\nlocal u = {{ {'x = 1, ' * 50} }}\nlocal v = 1\n"
    document = Document.of_text("file:///x.lua", text)
    for _ in range(2):  # What is cut off is not kept.
        found = json.loads(outline(scopes_of(document), Encoding.UTF16).text)
        assert [(one["name"], len(one["children"])) for one in found] == [
            ("t", SYMBOLS_MAX - 10),
            ("u", 8),
        ]
        assert sum(1 + len(one.children) for one in symbols_of(document)) == SYMBOLS_MAX
        changed = Document.of_text("file:///x.lua", text)
        changed.basis = {"scopes": document.derived["scopes"]}
        document = changed


def test_patterns_take_any_text_as_it_is() -> None:
    for text in ("%d", "\0", "\0\0", '"\0"', "\\", "100%", "é🙂"):
        data = {"a": text, "at": PLACE, "n": HOLE, text: [text]}
        expected = {"a": text, "at": {"line": 3, "character": 4}, "n": 5, text: [text]}
        assert json.loads(pattern(data) % (3, 4, 5)) == expected


def test_only_the_first_row_is_shifted_to_the_side() -> None:
    placed = Placed("%d:%d %d:%d", ((0, 2), (1, 2)))
    assert placed.at(10, 5) == "10:7 11:2"
