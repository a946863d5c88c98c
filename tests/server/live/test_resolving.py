"""From an expression in a document to the way to its value."""

from __future__ import annotations

import pytest

from lua_ls_persist.server.analysis import scopes_of
from lua_ls_persist.server.live.resolving import Group, Groups, QueryRow, QueryRows, Resolver
from tests.server.marks import unmarked


def target(marked: str) -> str:
    """What stands before the cursor, as text."""
    document, _, (cursor,) = unmarked(marked)
    scopes = scopes_of(document)
    path = scopes.path_at(cursor)
    assert path is not None
    found = Resolver(scopes).target(path)
    if isinstance(found, (QueryRows, QueryRow, Groups, Group)):
        return f"{type(found).__name__} {found.table}"
    return str(found)


@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        ("foo‸", "foo"),
        ("foo.bar‸", "foo.bar"),
        ("foo.bar‸.baz", "foo.bar"),
        ("_G.foo‸", "foo"),
        ('foo["a b"][3].c‸', 'foo["a b"][3].c'),
        ("foo[i].c‸", "foo[...].c"),
        ("Memory.users‸", "Memory.users"),
        ('ext.table("users").ann‸', "users.ann"),
        ("ext.table'users'.ann‸", "users.ann"),
        ('local users = ext.table("users")\nusers.ann‸', "users.ann"),
        ('local users <const> = ext.table("a table")\nusers.ann‸', 'ext.table("a table").ann'),
        ('local a, users = 1, ext.table("users")\nprint(users.ann‸)', "users.ann"),
        ("local m = require('lib.shapes')\nm.area‸", 'package.loaded["lib.shapes"].area'),
        ("local u = Memory.users\nlocal v = u.ann\nv.name‸", "Memory.users.ann.name"),
        ("local t = Memory.t or {}\nt.a‸", "Memory.t.a"),
        ("local o = setmetatable({}, Account)\no.x‸", "Account.x"),
        ("for k, user in pairs(Memory.users) do user.name‸ end", "Memory.users[...].name"),
        ('for k, u in pairs(ext.table("users")) do u‸ end', "users[...]"),
        ("for k, u in next, users do u‸ end", "None"),
        ("for i, v in ipairs(list) do i‸ end", "None"),
        ('local p = ext.query("users", {})\nfor _, row in ipairs(p) do row‸ end', "QueryRow users"),
        ('for _, row in ipairs(ext.query("users", {})) do row.value.a‸ end', "users[...].a"),
        ('ext.query("users", {})‸', "QueryRows users"),
        ('ext.query("users", {})[1].value.name‸', "users[...].name"),
        ('ext.query("Memory.users", {})[1].value.name‸', "Memory.users[...].name"),
        ('ext.aggregate("users", { group_by = "age" })‸', "Groups users"),
        ('for _, one in ipairs(ext.aggregate("users", {})) do one‸ end', "Group users"),
        ('ext.aggregate("users", { group_by = "age" })[1].group.age‸', "users[...].age"),
        ('ext.aggregate("users", { max = "age" })[1].max‸', "None"),
        ("function Account:deposit(n)\n  self.balance‸\nend", "Account.balance"),
        ("function a.b.deposit(self)\n  self.balance‸\nend", "a.b.balance"),
        ("function f(x)\n  x.balance‸\nend", "None"),
        ("local x = f()\nx.y‸", "None"),
        ("f().y‸", "None"),
        ('local text = "abc"\ntext:upper‸()', "string.upper"),
        ("local x = x\nx.y‸", "x.y"),
        ("local t = assert(Memory.t)\nt.y‸", "Memory.t.y"),
    ],
)
def test_targets(marked: str, expected: str) -> None:
    assert target(marked) == expected


@pytest.mark.parametrize(
    "marked", ["foo.‸", "foo:‸", "local x = foo.‸\nlocal y", "f(foo.‸", "if foo.‸ then", "{foo.‸"]
)
def test_while_typing(marked: str) -> None:
    document, _, (cursor,) = unmarked(marked)
    scopes = scopes_of(document)
    path = scopes.path_at(cursor)
    assert path is not None
    assert path.keys == ("",)
    assert str(Resolver(scopes).target(path, len(path.steps) - 1)) == "foo"


def test_what_leads_to_itself_ends() -> None:
    assert target("local a = b\nlocal function f() a.x‸ end") == "b.x"
    assert target("for k, a in pairs(a) do a.x‸ end") == "a[...].x"
