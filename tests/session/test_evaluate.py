"""Evaluating: values, text, modes, names and lines, arguments, sources of all kinds."""

from __future__ import annotations

import math
import random
import re

import pytest

from lua_ls_persist.errors import SessionError, WireError
from lua_ls_persist.model import Evaluation, Preview
from lua_ls_persist.session import Session
from tests.session.helpers import problem, value

SEED = 20_240_801

# Values.


@pytest.mark.parametrize(
    ("source", "values", "text"),
    [
        ("nil", (None,), "nil"),
        ("true, false", (True, False), "true, false"),
        ("1, -1, math.maxinteger", (1, -1, 2**63 - 1), "1, -1, 9223372036854775807"),
        ("math.mininteger", (-(2**63),), "math.mininteger"),
        ("1.0, 0.1, 1e100", (1.0, 0.1, 1e100), "1.0, 0.1, 1e+100"),
        ("1/0, -1/0", (math.inf, -math.inf), "math.huge, -math.huge"),
        ("'text', ''", ("text", ""), '"text", ""'),
        ("'\\xff\\0'", (b"\xff\x00",), '"\\xFF\\x00"'),
        ("'Käse 🧀'", ("Käse 🧀",), '"Käse 🧀"'),
        ("", (), ""),
        ("return", (), ""),
        ("-- nothing", (), ""),
        ("nil, nil", (None, None), "nil, nil"),
        ("select('#')", (0,), "0"),
        ("table.unpack({}, 1, 3)", (None, None, None), "nil, nil, nil"),
    ],
)
def test_values(session: Session, source: str, values: tuple[object, ...], text: str) -> None:
    result = session.evaluate(source)
    assert result == Evaluation(True, values, text, duration_s=result.duration_s)  # type: ignore[arg-type]
    assert [type(item) for item in result.values] == [type(item) for item in values]


def test_not_a_number_and_negative_zero(session: Session) -> None:
    nan, zero = session.evaluate("0/0, -0.0").values
    assert isinstance(nan, float)
    assert math.isnan(nan)
    assert isinstance(zero, float)
    assert math.copysign(1, zero) == -1


def test_tables_and_functions_are_previews(session: Session) -> None:
    result = session.evaluate("{1, x = 2}, print, function() end, io.stdout", name="demo.lua")
    table, built_in, function, handle = result.values
    assert isinstance(table, Preview)
    assert table.entries == ((1, 1), ("x", 2))
    assert result.text == (
        "{1, x = 2}, <built-in function>, <function demo.lua:1>, <userdata FILE*>"
    )
    assert isinstance(built_in, Preview)
    assert isinstance(function, Preview)
    assert isinstance(handle, Preview)
    assert (function.kind, function.detail) == ("function", "demo.lua:1")
    assert (handle.kind, handle.detail) == ("userdata", "FILE*")


def test_a_long_result(session: Session) -> None:
    """More than the core's buffers hold, in one string and in many values."""
    assert value(session, "('0123456789'):rep(100000)") == "0123456789" * 100_000
    result = session.evaluate("table.unpack((function() local t = {} for i = 1, 9000 do "
                              "t[i] = 'number ' .. i end return t end)())")  # fmt: skip
    assert result.values == tuple(f"number {number}" for number in range(1, 9001))


def test_how_long_it_took(session: Session) -> None:
    result = session.evaluate("local t = os.clock() while os.clock() - t < 0.05 do end")
    assert 0.05 <= result.duration_s < 5


# Modes.


@pytest.mark.parametrize(
    ("source", "values"),
    [
        ("1 + 1", (2,)),
        ("x = 5", ()),
        ("return 7", (7,)),
        ("f = function() return 1, 2 end", ()),
        ("(function() return 1, 2 end)()", (1, 2)),
        ("math.max(1, 2)", (2,)),
        ("1, 2, 3", (1, 2, 3)),
        ("-- a comment\n40 + 2 -- another", (42,)),
        ("local x = 1; return x", (1,)),
        ("print and 1", (1,)),
        ("#'abc'", (3,)),
        ("::label::", ()),
        (";", ()),
        ("1;", (1,)),
    ],
)
def test_an_expression_or_statements(
    session: Session, source: str, values: tuple[object, ...]
) -> None:
    assert session.evaluate(source).values == values


def test_chunk_mode_takes_statements_only(session: Session) -> None:
    assert session.evaluate("return 1 + 1", mode="chunk").values == (2,)
    assert problem(session.evaluate("1 + 1", mode="chunk")).kind == "syntax"


def test_another_mode_is_refused(session: Session) -> None:
    with pytest.raises(SessionError, match="mode is 'expression'; it can be 'auto' or 'chunk'"):
        session.evaluate("1", mode="expression")  # type: ignore[arg-type]


def test_state_lasts(session: Session) -> None:
    session.evaluate("local hidden = 0 function count() hidden = hidden + 1 return hidden end")
    assert [value(session, "count()") for _ in range(3)] == [1, 2, 3]
    session.evaluate("t = setmetatable({}, { __index = function(_, k) return k .. '!' end })")
    assert value(session, "t.x") == "x!"


# Sources.


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (b"return 1", 1),
        ("\ufeffreturn 2", 2),
        (b"\xef\xbb\xbfreturn 3", 3),
        ("#!/usr/bin/lua\nreturn debug.getinfo(1, 'l').currentline", 2),
        ("#!/usr/bin/lua", None),
        (b"\xef\xbb\xbf#!/usr/bin/lua\nreturn 5", 5),
        ("return 'a\\0b', 1", "a\0b"),
        ("return 'a\0b'", "a\0b"),
        (b"return '\xff\xfe'", b"\xff\xfe"),
        ("return '\udcff'", b"\xff"),
        ("return '\ud83d'", b"\xed\xa0\xbd"),
        ("return 'one'\r\n", "one"),
        ("\r\nreturn debug.getinfo(1, 'l').currentline", 2),
        ("return [[\r\n]]", ""),
    ],
)
def test_sources(session: Session, source: str | bytes, expected: object) -> None:
    result = session.evaluate(source)
    assert result.ok, result.problems
    assert (result.values[0] if result.values else None) == expected


@pytest.mark.parametrize("size", [65_000, 65_536, 70_000, 1_000_000, 5_000_000])
def test_long_sources(session: Session, size: int) -> None:
    """Longer than what the core takes at once: expression and chunk alike."""
    text = "x" * size
    assert session.evaluate(f"#'{text}'").values == (size,)
    assert session.evaluate(f"local s = '{text}' return #s").values == (size,)
    lines = "\n" * size + "error('here')"
    assert problem(session.evaluate(lines)).line == size + 1


def test_a_source_longer_than_the_memory() -> None:
    with Session.open(memory_limit_bytes=2 * 1024 * 1024) as session:
        found = problem(session.evaluate(f"return #'{'x' * 3_000_000}'"))
        assert found.kind == "memory"
        assert session.evaluate("1 + 1").values == (2,)


# Names and lines.


def test_the_line_of_the_document(session: Session) -> None:
    source = "print('a')\nlocal x = nil\nprint(x.y)"
    for line in (0, 1, 41, 100_000):
        result = session.evaluate(source, name="doc.lua", line=line)
        assert problem(result).line == line + 3
        assert problem(result).chunk == "doc.lua"
        assert problem(result).traceback[0].line == line + 3
        assert result.output[0].line == line + 1
        assert result.output[0].chunk == "doc.lua"


@pytest.mark.parametrize("line", [-1, 2**30 + 1])
def test_lines_that_make_no_sense(session: Session, line: int) -> None:
    with pytest.raises(SessionError, match=f"line {line} is not between 0 and"):
        session.evaluate("1", line=line)


NAMES = {
    "a path": ("src/game/main.lua", "src/game/main.lua"),
    "absolute": ("/home/ann/main.lua", "/home/ann/main.lua"),
    "of Windows": ("C:\\games\\main.lua", "C:\\games\\main.lua"),
    "a URI": ("file:///home/ann/a%20b.lua", "file:///home/ann/a%20b.lua"),
    "with a colon and digits": ("a:12: b.lua", "a:12: b.lua"),
    "spaces": ("my file.lua", "my file.lua"),
    "umlauts": ("Größe.lua", "Größe.lua"),
    "a file name's odd byte": ("caf\udce9.lua", "caf\udce9.lua"),
    "half a character": ("\ud83d.lua", "\ud83d.lua"),
    "a line break": ("one\ntwo.lua", "one\ntwo.lua"),
    "a NUL": ("one\0two.lua", "one\0two.lua"),
    "a quote": ('a "b".lua', 'a "b".lua'),
    "brackets": ('[string "x"]', '[string "x"]'),
    "percent": ("%s%d.lua", "%s%d.lua"),
    "marked as a file": ("@main.lua", "main.lua"),
    "marked as it is": ("=stdin", "stdin"),
    "the mark alone": ("=", ""),
    "the default": ("(eval)", "(eval)"),
    "59 bytes": ("x" * 59, "x" * 59),
    "60 bytes": ("x" * 60, "x" * 60),
    "179 bytes": ("y" * 175 + ".lua", "y" * 175 + ".lua"),
    "180 bytes": ("y" * 176 + ".lua", "y" * 176 + ".lua"),
    "1000 bytes": ("d/" * 500 + ".lua", "d/" * 500 + ".lua"),
    "1000 umlauts": ("ü" * 1000, "ü" * 1000),
    "1000 bytes as it is": ("=" + "d" * 1000, "d" * 1000),
}


@pytest.mark.parametrize("case", NAMES)
def test_names(session: Session, case: str) -> None:
    """Whatever a chunk is called, problems and output say it, and messages do not repeat it."""
    name, shown = NAMES[case]
    source = "\nlocal function f()\n  print('x')\n  error('bad')\nend\nf()"
    result = session.evaluate(source, name=name)
    found = problem(result)
    assert (found.chunk, found.line, found.message) == (shown, 4, "bad")
    assert [(frame.chunk, frame.line) for frame in found.traceback] == [
        ("[C]", None), (shown, 4), (shown, 6),
    ]  # fmt: skip
    assert (result.output[0].chunk, result.output[0].line) == (shown, 3)
    syntax = problem(session.evaluate("\n\nx = = 1", name=name))
    assert (syntax.chunk, syntax.line) == (shown, 3)
    assert syntax.message == "unexpected symbol near '='"


@pytest.mark.parametrize(
    ("code", "shown"),
    [
        ("error('bad')", "[string \"error('bad')\"]"),
        ("error('bad')\n-- more", "[string \"error('bad')...\"]"),
        ("error('bad') --" + "-" * 100, "[string \"error('bad') --" + "-" * 45 + '..."]'),
        ("error('bad') -- \xff", "[string \"error('bad') -- \ufffd\"]"),
    ],
)
def test_code_without_a_name(session: Session, code: str, shown: str) -> None:
    """A program may load code of its own; it is called by its first line."""
    source = "local run = load(...)\nlocal r = run()"
    encoded = code.encode("latin-1")
    found = problem(session.evaluate(source, name="main.lua", arguments=[encoded]))
    assert (found.chunk, found.line, found.message) == (shown, 1, "bad")
    assert [(frame.chunk, frame.line) for frame in found.traceback] == [
        ("[C]", None), (shown, 1), ("main.lua", 2),
    ]  # fmt: skip


def test_no_name_at_all(session: Session) -> None:
    found = problem(session.evaluate("\nerror('bad')", name=""))
    assert (found.chunk, found.line, found.message) == ("", 2, "bad")


def test_two_long_names_that_end_alike(session: Session) -> None:
    one, other = "one/" + "d/" * 200 + "x.lua", "other/" + "d/" * 200 + "x.lua"
    session.evaluate("function f() error('in one') end", name=one)
    found = problem(session.evaluate("f()", name=other, mode="chunk"))
    assert found.chunk == one
    assert [frame.chunk for frame in found.traceback] == ["[C]", one, other]


def test_many_names(session: Session) -> None:
    """Names given long ago are still known when a function of theirs fails."""
    long_name = "n" * 300
    session.evaluate("function f() error('x') end", name=long_name)
    session.evaluate("function g() error('x') end", name="caf\udce9")
    for number in range(5000):
        session.evaluate("return", name=f"chunk {number}")
    assert problem(session.evaluate("f()")).chunk == long_name
    assert problem(session.evaluate("g()")).chunk == "caf\udce9"


# Arguments.


def test_arguments(session: Session) -> None:
    result = session.evaluate(
        "local a, b, c, d, e = ... return a, b, c, d.x[2], e, select('#', ...)",
        arguments=[None, 2, b"\xff", {"x": [1, "two"]}, 1.5],
    )
    assert result.values == (None, 2, b"\xff", "two", 1.5, 5)
    assert session.evaluate("...", arguments=["as an expression"]).values == ("as an expression",)
    assert session.evaluate("select('#', ...)").values == (0,)
    assert session.evaluate("...", arguments=[None]).values == (None,)


def test_arguments_that_lua_has_no_value_for(session: Session) -> None:
    for wrong in (2**63, {1, 2}, object(), {None: 1}):
        with pytest.raises(WireError):
            session.evaluate("...", arguments=[wrong])  # type: ignore[list-item]
    assert session.evaluate("1").values == (1,)


def test_arguments_too_large_for_a_request(session: Session) -> None:
    assert session.evaluate("#...", arguments=["x" * 60_000]).values == (60_000,)
    with pytest.raises(SessionError, match="more than fit into one request"):
        session.evaluate("#...", arguments=["x" * 70_000])


def test_many_arguments(session: Session) -> None:
    """Also more than fit on Lua's stack at first."""
    numbers = list(range(5000))
    assert session.evaluate("select('#', ...), (select(5000, ...))", arguments=numbers).values == (
        5000, 4999,
    )  # fmt: skip


# Bytecode.


DUMP = "string.dump(function() return 6 * 7 end)"


REFUSED = re.compile(
    "cannot load the binary chunk '.*': this session loads Lua source only, and what its own store "
    "has signed: it was not made by a session of yours with this store",
    re.DOTALL,
)


def test_bytecode_is_refused(session: Session) -> None:
    for how in ("'=part'", "'=part', 'b'", "'@binary.lua'", "nil"):
        nothing, message = session.evaluate(f"load({DUMP}, {how})").values
        assert nothing is None
        assert isinstance(message, str)
        assert REFUSED.fullmatch(message)
    dumped = value(session, DUMP)
    assert isinstance(dumped, bytes)
    found = problem(session.evaluate(dumped, name="binary.lua"))
    assert (found.kind, found.chunk) == ("syntax", "binary.lua")
    assert REFUSED.fullmatch(found.message)
    assert value(session, "(load('return 1', '=text', 'b'))") is None


def test_bytecode_where_it_is_allowed() -> None:
    with Session.open(allow_bytecode=True) as session:
        assert value(session, f"load({DUMP})()") == 42
        dumped = value(session, DUMP)
        assert isinstance(dumped, bytes)
        assert session.evaluate(dumped).values == (42,)
        session.evaluate("error('x')")
        session.restart()
        assert value(session, f"load({DUMP})()") == 42


def test_malicious_bytecode_is_undone() -> None:
    """It may crash the VM, which is then as before; nothing beyond the VM is touched."""
    source = random.Random(SEED)
    kinds = []
    with Session.open(allow_bytecode=True, memory_limit_bytes=4 * 1024 * 1024) as session:
        session.evaluate("kept = { 1, 2, 3 }")
        dumped = value(session, "string.dump(function(a, ...) local b = a .. 'x' return b end)")
        assert isinstance(dumped, bytes)
        for _ in range(400):
            broken = bytearray(dumped)
            for _ in range(3):
                # Instructions are four bytes each; most of what is there are instructions.
                place = source.randrange(40, len(broken) - 4)
                broken[place : place + 4] = source.randbytes(4)
            result = session.evaluate(
                "local f = load(...) return f and f('a')",
                arguments=[bytes(broken)],
                time_limit_s=0.2,
            )
            kinds += [found.kind for found in result.problems]
            if not result.ok:
                assert session.evaluate("#kept, #('x'):rep(9)", time_limit_s=5).values == (3, 9)
            else:
                session.restart()
                session.evaluate("kept = { 1, 2, 3 }")
        assert "internal" in kinds, "some of it did crash the VM"
        session.restart()
        assert value(session, "6 * 7") == 42


@pytest.mark.parametrize("source", [None, 5, ["return 1"]])
def test_a_source_that_is_no_text_is_refused(session: Session, source: object) -> None:
    with pytest.raises(SessionError, match="it can be text or bytes"):
        session.evaluate(source)  # type: ignore[arg-type]
