"""What expressions are, as far as the sources say: what they have in front of the cursor."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lua_ls_persist.server.analysis import scopes_of
from lua_ls_persist.server.analysis.annotations import ClassNote
from lua_ls_persist.server.documents import Document, Documents
from lua_ls_persist.server.live.inference import STEPS_MAX, Inference
from lua_ls_persist.server.live.reading import reading_of
from lua_ls_persist.server.live.shapes import FILES_MAX, Members, Shape
from lua_ls_persist.server.navigation import Navigator
from lua_ls_persist.server.positions import Position
from lua_ls_persist.server.workspace_files import WorkspaceFiles
from lua_ls_persist.session.sights import ANY, Way
from tests.server.marks import unmarked

USER = """\
--- Somebody.
---@class User
---@field name string the full name
---@field friends User[] whom it knows
---@field boss? User
---@field pay fun(sum: integer): boolean
local User = {}
function User:greet(whom) end
---@return User
function User:twin() end
function User.new() return setmetatable({}, User) end
"""
ALL = "name friends boss pay greet twin new"


def opened(marked: str, **others: str) -> tuple[Inference, Document, Position]:
    document, _, (cursor,) = unmarked(marked)
    documents = Documents()
    uri = "file:///project/main.lua"
    documents.open(uri, document.content)
    for name, text in others.items():
        documents.open(f"file:///project/{name}.lua", text)
    found = documents.get(uri)
    assert found is not None
    return Inference(Navigator(WorkspaceFiles(documents))), found, cursor


def asked(marked: str, **others: str) -> tuple[Shape | None, Members | None]:
    inference, document, cursor = opened(marked, **others)
    path = scopes_of(document).path_at(cursor)
    assert path is not None
    shape = inference.of_path(document, path, len(path.steps) - 1)
    return shape, inference.members(shape)


@pytest.mark.parametrize(
    ("marked", "names"),
    [
        # Annotations.
        ("---@param u User\nlocal function f(u) u.‸ end", ALL),
        ("--- Says it.\n---@param n integer\n---@param u? User who\nfunction f(n, u) u.‸ end", ALL),
        ("---@param u User\nlocal f = function(u) return function() u.‸ end end", ALL),
        ("---@param u User\nfunction f(u) u.boss.boss.‸ end", ALL),
        ("---@param u User\nfunction f(u) u.friends[1].‸ end", ALL),
        ("---@param u User\nfunction f(u) for _, x in ipairs(u.friends) do x.‸ end end", ALL),
        ("---@param u User\nfunction f(u) local b = u.boss b.‸ end", ALL),
        ("---@type User\nlocal y = g()\ny.‸", ALL),
        ("---@type table<string, User>\nlocal y = g()\ny.ann.‸", ALL),
        ("---@type table<string, User>\nlocal y = g()\nfor _, u in pairs(y) do u.‸ end", ALL),
        ("---@type User\nsomebody = g()\nfunction f() somebody.‸ end", ALL),
        ("---@type User\n--- Who it is.\nsomebody = g()\nsomebody.‸", None),
        ("---@return User\nlocal function f() end\nlocal y = f()\ny.‸", ALL),
        ("---@return User\nlocal function f() end\nf().‸", ALL),
        ("---@return integer n, User? who\nfunction f() end\nlocal n, y = f()\ny.‸", ALL),
        ("---@return integer\n---@return User\nfunction f() end\nlocal a, b, y = 1, f()\ny.‸", ALL),
        ("---@alias People User[]\n---@param p People\nfunction f(p) p[1].‸ end", ALL),
        ("---@param u User\nfunction f(u) u:twin():twin().‸ end", ALL),
        # The class itself, and what is made of it.
        (
            "---@class G: User\n---@field one integer\nG = {}\nfunction G.two() end\nG.‸",
            f"one two {ALL}",
        ),
        ("User.‸", ALL),
        ("function User:other() self.‸ end", f"{ALL} other"),
        ("local u = setmetatable({}, User)\nu.‸", ALL),
        ("local u = User.new()\nu.‸", ALL),
        ("local function make() local self = User.new() return self end\nmake().‸", ALL),
        # Not certain, or nothing.
        ("---@param u User|Other\nfunction f(u) u.‸ end", None),
        ("---@type User\nx = g()\n---@type Other\nx = g()\nx.‸", None),
        ("---@param u Unknown\nfunction f(u) u.‸ end", None),
        ("---@param u integer\nfunction f(u) u.‸ end", None),
        ("---@param v User\nfunction f(u) u.‸ end", None),
        ("---@param u User\n\nfunction f(u) u.‸ end", None),
        ("---@param u User\nfunction f(u) u.unknown.‸ end", None),
        ("---@param u User[]\nfunction f(u) u.name.‸ end", None),
        ("function f(u) u.‸ end", None),
        ("local u = User.new()\nu = other\nu.‸", None),
        ("---@return User\nlocal function f() end\nf = other\nf().‸", None),
        ("---@return User\nfunction f() end\nfunction f() end\nf().‸", None),
        ("---@param u ][\nfunction f(u) u.‸ end", None),
    ],
)
def test_classes(marked: str, names: str | None) -> None:
    _, members = asked(USER + marked)
    found = None if members is None else " ".join(one.name for one in members.members)
    assert found == names


@pytest.mark.parametrize(
    ("marked", "names"),
    [
        ("local t = { a = 1, ['b c'] = 2, [3] = 4, 5 }\nt.‸", "a b c"),
        ("local t = { inner = { deep = 1 } }\nlocal i = t.inner\ni.‸", "deep"),
        ("local function make() return { a = 1, b = 2 } end\nlocal m = make()\nm.‸", "a b"),
        ("local function make(x) if x then return nil end return { b = 2 } end\nmake().‸", "b"),
        ("local function make(x) if x then return end return { b = 2 } end\nmake().‸", "b"),
        ("local make = function() local t = { b = 2 } return t end\nmake().‸", "b"),
        ("local function make() return setmetatable({ b = 2 }, meta) end\nmake().‸", "b"),
        # A function inside returns something else, and that is no matter.
        ("local function m() local f = function() return 1 end return { b = 2 } end\nm().‸", "b"),
        # Not certain.
        (
            "local function make(x) if x then return { a = 1 } end return { b = 2 } end\nmake().‸",
            None,
        ),
        ("local function make(x) return x or { b = 2 } end\nmake().‸", None),
        ("local function make(...) return ... end\nmake().‸", None),
        ("local function a() return b() end\nfunction b() return a() end\na().‸", None),
        ("local t = { inner = { deep = 1 } }\nt.inner = other\nt.inner.‸", None),
        ("local t = { a = 1 }\nt = other\nt.‸", None),
        ("local t <const> = f() or { a = 1 }\nt.‸", None),
    ],
)
def test_constructed_tables(marked: str, names: str | None) -> None:
    _, members = asked(marked)
    found = None if members is None else " ".join(one.name for one in members.members)
    assert found == names


USERS = "local users = ext.table('users')\n"


@pytest.mark.parametrize(
    "marked",
    [
        "local function get(id) return users[id] end\nlocal u = get(1)\nu.‸",
        "local function get(id) if id then return users[id] end return nil end\nget(1).‸",
        "local function all() return users end\nfor _, u in pairs(all()) do u.‸ end",
        "local function get(id) return ext.table('users')[id] end\nget(1).‸",
    ],
)
def test_rows_of_stored_tables(marked: str) -> None:
    shape, _ = asked(USERS + marked)
    assert shape == Way((ANY,), "users")


def test_a_function_that_may_be_in_very_many_files_is_not_looked_for() -> None:
    text = "function make() return { zip = 1 } end\nmake().‸"
    inference, document, cursor = opened(text)
    path = scopes_of(document).path_at(cursor)
    assert path is not None
    files = inference.navigator.files
    for count, known in ((FILES_MAX, True), (FILES_MAX + 1, False)):
        files.count_mentioning = lambda _, count=count: count  # type: ignore[method-assign, misc]
        assert (inference.of_path(document, path, 1) is not None) == known


def test_other_files() -> None:
    module = "local M = {}\nfunction M.make() return { zip = 1 } end\nreturn M"
    _, members = asked("local lib = require('lib')\nlocal u = lib.make()\nu.‸", lib=module)
    assert members is not None
    assert [one.name for one in members.members] == ["zip"]
    declared = "---@class Foo: Bar\n---@field one integer\n---@class Bar\n---@field two integer"
    _, members = asked("---@param f Foo\nfunction g(f) f.‸ end", lib=declared)
    assert members is not None
    assert [one.name for one in members.members] == ["one", "two"]
    assert members.complete


@pytest.mark.parametrize(
    ("classes", "complete"),
    [
        ("---@class A\n---@field x integer", True),
        ("---@class A: B\n---@field x integer", False),
        ("---@class A\n---@field x integer\n---@field [string] any", False),
        ("---@class A: A\n---@field x integer", True),
        ("---@class A: B\n---@field x integer\n---@class B: A", True),
    ],
)
def test_whether_these_are_all(classes: str, complete: bool) -> None:
    _, members = asked(f"{classes}\n\n---@param a A\nfunction f(a) a.‸ end")
    assert members is not None
    assert members.complete == complete


def test_a_member() -> None:
    _, members = asked(USER + "User.‸")
    assert members is not None
    name, greet = members.named("name"), members.named("greet")
    assert name is not None
    assert greet is not None
    assert (name.type, name.text, name.is_function) == ("string", "the full name", False)
    assert (name.spot.range.start.row, name.spot.range.start.column) == (2, len("---@field "))
    assert (greet.owner, greet.is_function, greet.spot.range.start.row) == ("User", True, 7)
    boss = members.named("boss")
    assert boss is not None
    assert boss.type == "User|nil"
    assert members.named("nothing") is None


def test_what_was_found_out_is_kept_for_many_questions() -> None:
    """A thousand uses of a class, whose own file is long."""
    methods = "\n".join(f"function User:method_{n}() return self end" for n in range(300))
    uses = "\n".join("print(u.name, u.boss.nmae)" for _ in range(300))
    text = f"{USER}{methods}\n---@param u User\nfunction f(u)\n{uses}\nu.‸x()\nend"
    inference, document, _ = opened(text)
    looked_at = 0
    files = inference.navigator.files
    classes = files.classes

    def counted(name: str) -> Iterator[ClassNote]:
        nonlocal looked_at
        looked_at += 1
        return classes(name)

    files.classes = counted  # type: ignore[method-assign]
    once = Inference(inference.navigator, remembers=True)
    reading = reading_of(scopes_of(document), None, lambda: True, (once, document))
    assert reading is not None
    assert [(one.name, one.meant) for one in reading.declared] == [("nmae", "name")] * 300
    assert looked_at < 10


def test_what_would_take_too_long_is_not_known() -> None:
    """Each function returns what two others return: so many ways that nobody goes them all."""
    count = STEPS_MAX
    lines = [
        f"local function f{n}() if x then return f{n - 1}() end return f{n - 1}() end"
        for n in range(1, count)
    ]
    text = "\n".join(["local function f0() return { a = 1 } end", *lines, f"f{count - 1}().‸"])
    assert asked(text) == (None, None)
    near = "\n".join(["local function f0() return { a = 1 } end", *lines[:5], "f5().‸"])
    assert asked(near)[1] is not None
