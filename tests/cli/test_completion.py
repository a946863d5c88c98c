"""What Tab offers, with the cursor at the bar: what the language server offers there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from prompt_toolkit.completion import CompleteEvent, Completion
from prompt_toolkit.document import Document

from lua_ls_persist.cli.completion import META_WIDTH_MAX, LuaCompleter, in_string_or_comment
from lua_ls_persist.session import Session

PROGRAM = """
users = ext.table("users")
users.ann = { name = "Ann", age = 41, tags = { "admin" } }
users.bob = { name = "Bob", age = 25 }
users["two words"] = { age = 1 }
ext.table("stock").apples = { count = 3 }

Base = {}
Base.__index = Base
function Base:greet(whom, ...) end
object = setmetatable({ own = 1, _hidden = 2 }, Base)

calls = 0
local function counted() calls = calls + 1 end
trap = setmetatable({}, { __index = counted, __pairs = counted, __len = counted })
name = "some text"
printer = { queue = { first = print, length = 3 } }
"""


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with Session.open() as session:
        assert session.evaluate(PROGRAM).ok
        yield session


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for file in ("shapes.lua", "lib/tools.lua", "lib/init.lua", ".hidden/secret.lua"):
        path = tmp_path / file
        path.parent.mkdir(exist_ok=True)
        path.touch()
    return tmp_path


def completions(session: Session, text: str, folder: Path = Path()) -> list[Completion]:
    before, _, after = text.partition("|")
    completer = LuaCompleter(session, [":gc", ":help", ":quit"], folder)
    found = completer.get_completions(Document(before + after, len(before)), CompleteEvent())
    return list(found)


def offered(session: Session, text: str, folder: Path = Path()) -> list[str]:
    """What the text before the bar would become."""
    before = text.partition("|")[0]
    return [
        before[: len(before) + completion.start_position] + completion.text
        for completion in completions(session, text, folder)
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        # Names, in the order of the language server.
        ("pri|", ["printer", "print"]),
        ("x = pri|", ["x = printer", "x = print"]),
        ("f(pri|)", ["f(printer", "f(print"]),
        ("-pri|", ["-printer", "-print"]),
        ("1 ..pri|", ["1 ..printer", "1 ..print"]),
        ("=obj|", ["=object"]),
        ("repe|", ["repeat"]),
        ("local abc = 1 print(ab|", ["local abc = 1 print(abc"]),
        ("function f(first)\n  return fir|", ["function f(first)\n  return first"]),
        # Fields.
        ("string.f|", ["string.find", "string.format"]),
        ("printer.|", ["printer.queue"]),
        ("printer.queue.le|", ["printer.queue.length"]),
        ("local q = printer.queue q.le|", ["local q = printer.queue q.length"]),
        ("object.|", ["object.own", "object._hidden", "object.greet", "object.__index"]),
        ("object:|", ["object:greet"]),
        ("name:u|", ["name:unpack", "name:upper"]),
        ("('x'):up|", ["('x'):upper"]),
        ("missing.|", []),
        ("f().pr|", []),
        # What is stored.
        ("users.|", ["users.ann", "users.bob"]),
        ("users.ann.|", ["users.ann.age", "users.ann.name", "users.ann.tags"]),
        ('users["t|', ['users["two words']),
        ('ext.table("|', ['ext.table("Memory', 'ext.table("stock', 'ext.table("users']),
        ('ext.table("users").a|', ['ext.table("users").ann']),
        ('ext.query("us|', ['ext.query("users']),
        ('ext.query("users", { whe|', ['ext.query("users", { where = ']),
        ('ext.query("users", { where = { "n|', ['ext.query("users", { where = { "name']),
        ('ext.index("stock", "|', ['ext.index("stock", "count']),
        ("for _, u in pairs(users) do u.na|", ["for _, u in pairs(users) do u.name"]),
        # Modules.
        ('require("|', ['require("lib', 'require("lib.tools', 'require("shapes']),
        # Nothing where nothing belongs.
        ("'pri|", []),
        ('"a\\"pri|', []),
        ("[[ pri|", []),
        ("-- pri|", []),
        ("--[[ pri|", []),
        ("1.pri|", []),
        ("[[ a ]] .. printer.q|", ["[[ a ]] .. printer.queue"]),
        ("-- a\nprinter.q|", ["-- a\nprinter.queue"]),
        # Commands.
        (":|", [":gc", ":help", ":quit"]),
        (":h|", [":help"]),
        ("::h|", []),
    ],
)
def test_completions(session: Session, folder: Path, text: str, expected: list[str]) -> None:
    assert offered(session, text, folder) == expected


def test_what_begins_otherwise_comes_where_nothing_begins_so(session: Session) -> None:
    assert offered(session, "Pri|")[:2] == ["printer", "print"]
    assert offered(session, "users.nn|") == ["users.ann"]


def test_an_empty_input_offers_names_of_the_session_first(session: Session) -> None:
    names = offered(session, "|")
    assert {"users", "object", "print", "while"} <= set(names)
    assert names.index("users") < names.index("while")


@pytest.mark.parametrize(
    ("text", "display", "meta"),
    [
        ("nam|", "name", '"some text"'),
        ("object.ow|", "own", "1"),
        ("object:gr|", "greet(whom, ...)", "function"),
        ("users.ann.ag|", "age", "41"),
        ('ext.table("us|', "users", "3 rows"),
        ('ext.index("users", "ag|', "age", "integer, such as 41"),
        ("repe|", "repeat", "keyword"),
        ("string.uppe|", "upper(s)", "string: The text in capital letters (ASCII)."),
    ],
)
def test_beside_each_stands_what_it_is(
    session: Session, text: str, display: str, meta: str
) -> None:
    (found,) = completions(session, text)
    assert (found.display_text, found.display_meta_text) == (display, meta)


def test_long_descriptions_are_cut(session: Session) -> None:
    widths = [len(one.display_meta_text) for one in completions(session, "string.|")]
    assert max(widths) == META_WIDTH_MAX


def test_nothing_of_the_program_is_run(session: Session) -> None:
    for text in ("trap.|", "trap.x.|", "trap:|", 'trap["|', "for _, t in pairs(trap) do t.|"):
        offered(session, text)
    assert session.evaluate("return calls").values == (0,)


def test_a_session_that_is_closed_offers_nothing() -> None:
    with Session.open() as closed:
        pass
    assert offered(closed, "pri|") == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", False),
        ("x = 'a", True),
        ("x = 'a'", False),
        ("'it\\'s", True),
        ("'a\n", False),
        ("[[ a\n", True),
        ("[==[ ]] ", True),
        ("[[ a ]]", False),
        ("-- a", True),
        ("-- a\n", False),
        ("--[[ a ]] x", False),
    ],
)
def test_in_strings_and_comments(text: str, expected: bool) -> None:
    assert in_string_or_comment(text) == expected
