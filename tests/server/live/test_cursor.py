"""What is being typed at a position, and where in tables it stands."""

from __future__ import annotations

import pytest

from lua_ls_persist.server.analysis import scopes_of
from lua_ls_persist.server.live.cursor import in_table, typed_at
from tests.server.marks import unmarked


@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        ("‸", "other  after "),
        ("fo‸o", "name fo after "),
        ("foo.ba‸", "name ba after ."),
        ("foo.‸", "other  after ."),
        ("foo:‸\nlocal x", "other  after :"),
        ("local x = fo‸", "name fo after ="),
        ("local fo‸", "name fo after local"),
        ("x = 'ab‸c'", "string ab after ="),
        ('x = "ab‸', "string ab after ="),
        ('x = "ab"‸', 'other  after "ab"'),
        ('x = ""‸', 'other  after ""'),
        ('x = "‸"', "string  after ="),
        (r'x = "a\"‸', 'string a\\" after ='),
        ("x = [[ab‸c]]", "long string  after ="),
        ("x = [[ab]]‸", "other  after [[ab]]"),
        ("x = 12‸", "number 12 after ="),
        ("-- abc‸", "comment  after "),
        ("x = 1 -- abc‸ d\ny = 2", "comment  after 1"),
        ("--[[ a‸ b ]] x = 1", "comment  after "),
        ("--[[ a b ]]‸ x = 1", "other  after "),
        ("-- abc\nfo‸", "name fo after "),
        ("f(‸)", "other  after ("),
        ("t[‸", "other  after ["),
        ("local function f()\n  -- a\n  pri‸\nend", "name pri after "),
    ],
)
def test_typed(marked: str, expected: str) -> None:
    document, _, (cursor,) = unmarked(marked)
    found = typed_at(scopes_of(document), cursor)
    assert f"{found.kind} {found.text} after {found.before}" == expected


@pytest.mark.parametrize(
    ("marked", "keys", "is_value"),
    [
        ('ext.query("u", {‸})', (1,), False),
        ('ext.query("u", { wh‸ })', (1,), False),
        ('ext.query("u", { limit = 2, wh‸', (1,), False),
        ('ext.query("u", { limit = 2, ‸', (1,), False),
        ('ext.query("u", { order_by = "a‸" })', ("order_by",), True),
        ('ext.query("u", { order_by = "‸', ("order_by",), True),
        ('ext.query("u", { select = {"a", "b‸"} })', ("select", 2), False),
        ('ext.query("u", { where = {"a‸"} })', ("where", 1), False),
        ('ext.query("u", { where = {"a", "‸', ("where", 2), False),
        ('ext.query("u", { where = {"a", ‸} })', ("where", 2), False),
        ('ext.query("u", { where = {{"a", ">", 1}, {"‸"}} })', ("where", 2, 1), False),
        ('ext.query("u", { where = {any = {{"a", "‸"}}} })', ("where", "any", 1, 2), False),
        ('ext.query("u", {\n  where = {\n    {"‸\n  },\n  limit = 3,\n})', ("where", 1, 1), False),
        ('ext.query("u", ‸)', (), False),
    ],
)
def test_in_table(marked: str, keys: tuple[str | int, ...], is_value: bool) -> None:
    document, _, (cursor,) = unmarked(marked)
    scopes = scopes_of(document)
    call = scopes.call_at(cursor)
    assert call is not None
    assert call.function.text == "ext.query"
    assert call.argument == 1
    found = in_table(scopes, cursor, call.range)
    assert (found.keys, found.is_value) == (keys, is_value)
