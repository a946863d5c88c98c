"""Problems: what went wrong, on which line, and by which way it was reached."""

from __future__ import annotations

import pytest

from lua_ls_persist.model import Frame, Preview
from lua_ls_persist.session import Session
from tests.session.helpers import LONG_IN_C, line_of, problem, timed_out

MIB = 1024 * 1024

# The line of the error is marked; the message is what follows `chunk:line: `.
RUNTIME = {
    "a field of nil": (
        "local t = {}\nlocal x = t.a.b -- !",
        "attempt to index a nil value (field 'a')",
    ),
    "a global": ("\nundefined() -- !", "attempt to call a nil value (global 'undefined')"),
    "a method": (
        "local s = 'x'\n\ns:nothing() -- !",
        "attempt to call a nil value (method 'nothing')",
    ),
    "arithmetic": (
        "local a = {}\nreturn 1 + -- !\n  a",
        "attempt to perform arithmetic on a table value (local 'a')",
    ),
    "concatenation": ("return 'a' .. {} -- !", "attempt to concatenate a table value"),
    "comparison": ("return 1 < 'x' -- !", "attempt to compare number with string"),
    "length": ("return #5 -- !", "attempt to get length of a number value"),
    "for": ("for i = 1, 'x' do end -- !", "bad 'for' limit (number expected, got string)"),
    "bits": ("return 1.5 | 1 -- !", "number has no integer representation"),
    "upvalue": (
        "local u\nlocal function f()\n  return u.x -- !\nend\nreturn f() + 1",
        "attempt to index a nil value (upvalue 'u')",
    ),
    "error with a string": ("error('my message') -- !", "my message"),
    "error, level 2": ("local function f() error('blame', 2) end\n\nf() -- !", "blame"),
    "error with a line break": ("error('one\\ntwo') -- !", "one\ntwo"),
    "an argument": (
        "string.rep() -- !",
        "bad argument #1 to 'rep' (string expected, got no value)",
    ),
    "a method's argument": (
        "('x'):rep({}) -- !",
        "bad argument #1 to 'rep' (number expected, got table)",
    ),
    "assert": ("assert(false, 'so not') -- !", "so not"),
    "assert without a message": ("\nassert(nil) -- !", "assertion failed!"),
    "in a coroutine": (
        "local co = coroutine.wrap(function()\n  error('inside') -- !\nend)\nco()",
        "inside",
    ),
    "in a metamethod": (
        (
            "local t = setmetatable({}, { __index = function(_, k)\n"
            "  error('no ' .. k) -- !\nend })\nreturn t.x .. ''"
        ),
        "no x",
    ),
    "in a sort": (
        "table.sort({ 1, 2, 3 }, function(a, b)\n  return a.x < b -- !\nend)",
        "attempt to index a number value (local 'a')",
    ),
    "in gsub": ("('abc'):gsub('b', function()\n  error('found') -- !\nend)", "found"),
    "in a close": (
        (
            "do\n  local c <close> = setmetatable({}, { __close = function()\n"
            "    error('closing') -- !\n  end })\nend"
        ),
        "closing",
    ),
    "in a for iterator": ("for x in function() error('iterating') -- !\nend do end", "iterating"),
    "in loaded code": (
        "local f = load('return nil + 1', '=loaded')\nreturn f() + 1",
        "attempt to perform arithmetic on a nil value",
    ),
    "not enough stack": ("local function f()\n  return f() + 1 -- !\nend\nf()", "stack overflow"),
    "division": ("return 1 // 0 -- !", "attempt to divide by zero"),
    "modulo": ("return 1 % 0 -- !", "attempt to perform 'n%0'"),
    "a goto loop": (
        "local n = 0\n::again::\nn = n + 1\nif n < 5 then goto again end\nerror('n is ' .. n) -- !",
        "n is 5",
    ),
    "very far down": ("\n" * 50_000 + "error('deep') -- !", "deep"),
}


@pytest.mark.parametrize("case", RUNTIME)
@pytest.mark.parametrize("line", [0, 100])
def test_runtime_errors(session: Session, case: str, line: int) -> None:
    source, message = RUNTIME[case]
    found = problem(session.evaluate(source, name="case.lua", line=line))
    assert (found.kind, found.severity) == ("runtime", "error")
    assert found.message.removesuffix(" (message handler)") == message
    marked = [number for number, text in enumerate(source.split("\n"), 1) if text.endswith("-- !")]
    if marked:
        assert (found.chunk, found.line) == ("case.lua", line + marked[0])
        assert found.location == f"case.lua:{line + marked[0]}"
    else:
        assert (found.chunk, found.line) == ("loaded", 1)
    if case != "in a coroutine":  # whose own frames are gone when `wrap` raises its error again
        assert (found.chunk, found.line) in [(frame.chunk, frame.line) for frame in found.traceback]


SYNTAX: dict[str, tuple[str | bytes, str]] = {
    "": ("x = = 1 -- !", "unexpected symbol near '='"),
    "the end": (
        "local function f()\n  return 1",
        "'end' expected (to close 'function' at line 1) near <eof>",
    ),
    "a string": ("local s = 'abc -- !\nprint(s)", "unfinished string near ''abc -- !'"),
    "a long string": ("local s = [[abc", "unfinished long string (starting at line 1) near <eof>"),
    "goto": ("goto nowhere", "no visible label 'nowhere' for <goto> at line 1"),
    "break": ("break -- !", "break outside loop at line 1"),
    "a constant": ("local x <const> = 1\nx = 2 -- !", "attempt to assign to const variable 'x'"),
    "an attribute": ("local x <mine> = 1 -- !", "unknown attribute 'mine'"),
    "a number": ("return 0x -- !", "malformed number near '0x'"),
    "an escape": ("return '\\q' -- !", "invalid escape sequence near ''\\q'"),
    "a character": ("x = 1\ny = @ -- !", "unexpected symbol near '@'"),
    "odd bytes": (b"x = \xff -- !", "unexpected symbol near '<\\255>'"),
    "varargs": (
        "function f() return ... end -- !",
        "cannot use '...' outside a vararg function near '...'",
    ),
}


@pytest.mark.parametrize("case", SYNTAX)
def test_syntax_errors(session: Session, case: str) -> None:
    source, message = SYNTAX[case]
    found = problem(session.evaluate(source, name="case.lua", line=7))
    assert (found.kind, found.chunk, found.traceback) == ("syntax", "case.lua", ())
    # Lines in Lua's own words are those of the document as well.
    assert found.message.replace("line 8", "line 1") == message
    text = source.decode("latin-1") if isinstance(source, bytes) else source
    marked = [number for number, part in enumerate(text.split("\n"), 1) if part.endswith("-- !")]
    assert found.line == 7 + (marked[0] if marked else text.count("\n") + 1)


def test_a_traceback(session: Session) -> None:
    session.evaluate("function outer(f)\n  f()\n  return 1\nend", name="library.lua")
    source = "local function inner()\n  error('x')\nend\nlocal r = outer(inner)\nreturn r"
    found = problem(session.evaluate(source, name="main.lua"))
    assert found.traceback == (
        Frame("[C]", None, "function 'error'"),
        Frame("main.lua", 2, "local 'f'"),
        Frame("library.lua", 2, "function 'outer'"),
        Frame("main.lua", 4, "main chunk"),
    )


def test_how_functions_are_called_in_a_traceback(session: Session) -> None:
    source = """
        local object = {}
        function object:method() self.field() return 1 end
        function object.field()
          local t = setmetatable({}, { __add = function() error('x') end })
          local sum = t + 1
          return sum
        end
        local result = object:method()
    """
    frames = problem(session.evaluate(source)).traceback
    assert [frame.function for frame in frames] == [
        "function 'error'",
        "metamethod 'add'",
        "field 'field'",
        "method 'method'",
        "main chunk",
    ]


def test_tail_calls_are_named(session: Session) -> None:
    source = "local function f() error('x') end\nlocal function g() return f() end\ng()"
    functions = [frame.function for frame in problem(session.evaluate(source)).traceback]
    assert functions[1:3] == ["function <(eval):1>", "(...tail calls...)"]


def test_a_deep_traceback_is_cut_in_the_middle(session: Session) -> None:
    source = (
        "local function f(n)\n  if n == 0 then error('x') end\n  return 1 + f(n - 1)\nend\nf(500)"
    )
    frames = problem(session.evaluate(source)).traceback
    assert len(frames) == 41
    assert [frame for frame in frames if frame.function == "(frames left out)"] == [frames[20]]
    assert (frames[0].function, frames[-1].function) == ("function 'error'", "main chunk")


def test_another_chunk_s_error_leads_back_to_the_evaluated_one(session: Session) -> None:
    session.evaluate("function f(x)\n  return x.a.b\nend", name="library.lua")
    found = problem(session.evaluate("\n\nlocal r = f({})", name="main.lua", line=10))
    assert (found.chunk, found.line) == ("library.lua", 2)
    assert found.traceback[-1] == Frame("main.lua", 13, "main chunk")


def test_an_expression_stays_in_the_traceback(session: Session) -> None:
    """`return f({})` would be a tail call, and nobody could tell which line it was."""
    session.evaluate("function f(x)\n  return x.a.b\nend", name="library.lua")
    found = problem(session.evaluate("\n\nf({})", name="main.lua", line=10))
    assert (found.chunk, found.line) == ("library.lua", 2)
    assert found.traceback[-1] == Frame("main.lua", 13, "main chunk")


# Error values.


def test_error_values(session: Session) -> None:
    assert problem(session.evaluate("error('text')")).value == "(eval):1: text"
    assert problem(session.evaluate("error('text', 0)")).value == "text"
    assert problem(session.evaluate("error()")).value is None
    assert problem(session.evaluate("error(42)")).value == 42
    assert problem(session.evaluate("error(true)")).value is True
    found = problem(session.evaluate("error({ code = 7, { 1 } })"))
    assert isinstance(found.value, Preview)
    assert found.value.text == "{{1}, code = 7}"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("error({})", "(error object is a table value) {}"),
        ("error()", "(error object is a nil value)"),
        ("error(true)", "(error object is a boolean value)"),
        ("error(print)", "(error object is a function value) <built-in function>"),
        ("error(42)", "42"),
        ("error(1.5)", "1.5"),
        (
            "error(setmetatable({}, { __tostring = function() return 'my object' end }))",
            "my object",
        ),
        ("error(setmetatable({}, { __tostring = function() return 5 end }))", None),
        ("error(setmetatable({}, { __tostring = function() error('again') end }))", None),
        ("error(setmetatable({}, { __name = 'My type' }))", "(error object is a table value) {}"),
        ("error('\\xff\\xfe', 0)", "\\xff\\xfe"),
        ("error(('long '):rep(20000), 0)", "long " * 20_000),
    ],
)  # fmt: skip
def test_messages_of_error_values(session: Session, source: str, message: str | None) -> None:
    found = problem(session.evaluate(f"\n{source}"))
    if message is not None:
        assert found.message == message
    assert found.kind == "runtime"
    assert session.evaluate("1 + 1").values == (2,)


def test_the_line_of_an_error_value_that_is_no_string(session: Session) -> None:
    assert problem(session.evaluate("\n\nerror({})")).line == 3


def test_a_message_that_names_another_place(session: Session) -> None:
    """Somebody else's prefix is part of the message, and the line is where it was raised."""
    found = problem(session.evaluate("\nerror('other.lua:99: not here', 0)", name="main.lua"))
    assert (found.chunk, found.line) == ("main.lua", 2)
    assert found.message == "other.lua:99: not here"


def test_an_error_raised_again_keeps_its_place(session: Session) -> None:
    source = "local ok, e = pcall(function()\n  error('first')\nend)\n\nerror(e, 0)"
    found = problem(session.evaluate(source, name="main.lua"))
    assert (found.line, found.message) == (2, "first")


def test_an_error_raised_again_with_another_place_in_front(session: Session) -> None:
    source = "local ok, e = pcall(function()\n  error('first')\nend)\n\nerror(e)"
    found = problem(session.evaluate(source, name="d/" * 100 + "main.lua"))
    assert (found.line, found.message) == (2, "first")
    assert found.traceback[-1].line == 5


def test_an_error_in_an_error_handler(session: Session) -> None:
    found = session.evaluate("xpcall(error, function() error('again') end)")
    assert found.ok
    assert found.values[0] is False


# Other kinds.


def test_timeouts(session: Session) -> None:
    source = "local n = 0\n\nwhile true do\n  n = n + 1\nend"
    found = problem(timed_out(session, source, lambda it: line_of(it) != 6, line=5))
    assert found.chunk == "main.lua"
    assert found.line in (8, 9)
    assert found.traceback[-1] == Frame("main.lua", found.line, "main chunk")
    assert found.value is None


def test_timeouts_in_c(session: Session) -> None:
    source = f"local function search()\n  return ({LONG_IN_C})\nend\nlocal r = search()"
    found = problem(timed_out(session, source, lambda it: line_of(it) == 2))
    assert (found.kind, found.chunk, found.line) == ("timeout", "main.lua", 2)
    assert [frame.function for frame in found.traceback] == [
        "method 'find'",
        "local 'search'",
        "main chunk",
    ]


def test_timeouts_in_a_coroutine(session: Session) -> None:
    source = "local co = coroutine.wrap(function()\n  while true do end\nend)\nco()"
    found = problem(timed_out(session, source, lambda it: line_of(it) != 1))
    # What stops it is an error, and `wrap` raises that of a coroutine again.
    assert found.kind == "timeout"
    assert found.line in (2, 4)


def test_a_timeout_in_a_required_function(session: Session) -> None:
    session.evaluate("function forever()\n  while true do end\nend", name="library.lua")
    source = "\nlocal r = forever()"
    found = problem(timed_out(session, source, lambda it: problem(it).chunk == "library.lua"))
    assert (found.chunk, found.line) == ("library.lua", 2)
    assert found.traceback[-1] == Frame("main.lua", 2, "main chunk")


def test_a_timeout_while_compiling(session: Session) -> None:
    source = "return {" + "{}," * 3_000_000 + "}"
    found = problem(session.evaluate(source, name="main.lua", time_limit_s=0.01))
    assert (found.kind, found.chunk) == ("timeout", "main.lua")
    assert session.evaluate("1").values == (1,)


def test_memory_errors() -> None:
    with Session.open(memory_limit_bytes=2 * MIB) as session:
        source = "local t = {}\nfor i = 1, math.huge do\n  t[i] = { i }\nend"
        found = problem(session.evaluate(source, name="main.lua", line=3))
        assert found.kind == "memory"
        assert found.message == "not enough memory: the limit is 2097152 bytes"
        assert (found.chunk, found.line) == ("main.lua", 6)
        assert found.traceback == (Frame("main.lua", 6, "main chunk"),)
        assert found.value is None


def test_memory_errors_in_functions() -> None:
    with Session.open(memory_limit_bytes=2 * MIB) as session:
        source = "local function f()\n  return ('x'):rep(1 << 24)\nend\nlocal r = f()"
        found = problem(session.evaluate(source, name="main.lua"))
        assert (found.kind, found.line) == ("memory", 2)
        assert found.traceback[-1] == Frame("main.lua", 4, "main chunk")


def test_memory_errors_while_compiling() -> None:
    with Session.open(memory_limit_bytes=2 * MIB) as session:
        found = problem(session.evaluate("return {" + "1.5," * 500_000 + "}", name="main.lua"))
        assert found.kind == "memory"
        assert session.evaluate("1").values == (1,)


def test_a_caught_memory_error_is_no_memory_problem() -> None:
    with Session.open(memory_limit_bytes=2 * MIB) as session:
        caught = "local ok, e = pcall(string.rep, 'x', 1 << 24)\n"
        assert session.evaluate(caught + "return e").values == ("not enough memory",)
        found = problem(session.evaluate(caught + "error('something else')"))
        assert (found.kind, found.message, found.line) == ("runtime", "something else", 2)


def test_str_and_location(session: Session) -> None:
    assert str(problem(session.evaluate("error('x')", name="a.lua"))) == "a.lua:1: x"
