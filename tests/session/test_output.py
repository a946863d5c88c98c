"""Output: which line printed what, live and in the result, bounded, in any bytes."""

from __future__ import annotations

import threading

import pytest

from lua_ls_persist.errors import SessionError
from lua_ls_persist.model import OutputPiece
from lua_ls_persist.session import OUTPUT_LIMIT_BYTES_DEFAULT, Session
from tests.session.helpers import problem, timed_out, value


def lines(pieces: tuple[OutputPiece, ...]) -> list[tuple[str, int | None, str]]:
    return [(piece.stream, piece.line, piece.text) for piece in pieces]


def test_every_way_to_print(session: Session) -> None:
    source = """print("print", 1, nil, true, 2.0)
io.write("write", 1, 2.5, "\\n")
io.stdout:write("stdout"):write("!\\n")
io.stderr:write("stderr\\n")
warn("warn", "ing")
print()
print(setmetatable({}, { __tostring = function() return "object" end }))
io.stdout:setvbuf("no") io.stdout:flush()"""
    result = session.evaluate(source, name="demo.lua")
    assert lines(result.output) == [
        ("stdout", 1, "print\t1\tnil\ttrue\t2.0\n"),
        ("stdout", 2, "write12.5\n"),
        ("stdout", 3, "stdout!\n"),
        ("stderr", 4, "stderr\n"),
        ("warning", 5, "warning\n"),
        ("stdout", 6, "\n"),
        ("stdout", 7, "object\n"),
    ]
    assert {piece.chunk for piece in result.output} == {"demo.lua"}
    assert result.output_text == "".join(piece.text for piece in result.output)


def test_one_piece_for_one_line(session: Session) -> None:
    """However often it prints; another line or stream in between parts it."""
    result = session.evaluate("for i = 1, 5 do\n  io.write(i)\nend\nio.write('x') io.write('y')")
    assert lines(result.output) == [("stdout", 2, "12345"), ("stdout", 4, "xy")]
    result = session.evaluate("for i = 1, 2 do io.write(i) io.stderr:write('!') end")
    assert lines(result.output) == [
        ("stdout", 1, "1"), ("stderr", 1, "!"), ("stdout", 1, "2"), ("stderr", 1, "!"),
    ]  # fmt: skip


def test_the_line_is_that_of_lua_code(session: Session) -> None:
    session.evaluate("function log(text)\n  print(text)\nend", name="library.lua")
    source = """
log("from a function")
table.sort({ 2, 1 }, function(a, b)
  print("compare")
  return a < b
end)
coroutine.wrap(function()
  print("coroutine")
end)()
pcall(print, "called by C")
local t <close> = setmetatable({}, { __close = function()
  print("closed")
end })"""
    result = session.evaluate(source, name="main.lua")
    assert [(piece.chunk, piece.line, piece.text) for piece in result.output] == [
        ("library.lua", 2, "from a function\n"),
        ("main.lua", 4, "compare\n"),
        ("main.lua", 8, "coroutine\n"),
        ("main.lua", 10, "called by C\n"),
        ("main.lua", 12, "closed\n"),
    ]


def test_print_as_an_expression(session: Session) -> None:
    """`return print(1)` is a tail call; the line is known all the same."""
    assert lines(session.evaluate("print(1)", line=6).output) == [("stdout", 7, "1\n")]


def test_output_of_a_failed_evaluation_is_kept(session: Session) -> None:
    endless = "print('before') while true do end"
    for result in (
        session.evaluate("print('before') error('x')"),
        timed_out(session, endless, lambda it: it.output),
    ):
        assert not result.ok
        assert lines(result.output) == [("stdout", 1, "before\n")]


def test_output_of_finalizers(session: Session) -> None:
    session.evaluate("setmetatable({}, { __gc = function()\n  print('gone')\nend })")
    result = session.evaluate("collectgarbage()")
    assert ("stdout", 2, "gone\n") in lines(result.output)


# Warnings.


def test_warnings(session: Session) -> None:
    assert lines(session.evaluate("warn('on from the start')").output) == [
        ("warning", 1, "on from the start\n")
    ]
    assert session.evaluate("warn('@off') warn('not heard')").output == ()
    assert session.evaluate("warn('still not')").output == ()
    assert lines(session.evaluate("warn('@on') warn('a', 'b', 'c')").output) == [
        ("warning", 1, "abc\n")
    ]
    assert session.evaluate("warn('@nothing')").output == ()
    assert lines(session.evaluate("warn('@', 'not a control')").output) == [
        ("warning", 1, "@not a control\n")
    ]


def test_an_error_in_a_finalizer_is_a_warning(session: Session) -> None:
    source = "setmetatable({}, { __gc = function() error('in gc') end }) collectgarbage()"
    result = session.evaluate(source)
    assert result.ok
    assert "in gc" in result.output_text
    assert {piece.stream for piece in result.output} == {"warning"}


# Bytes.


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("io.write('K\\xc3\\xa4se')", "Käse"),
        ("io.write('\\xff\\xfe')", "\\xff\\xfe"),
        ("io.write('\\xe2\\x82')", "\\xe2\\x82"),
        ("io.write('a\\0b')", "a\0b"),
        ("io.write('\\xe2') io.write('\\x82') io.write('\\xac')", "€"),
        ("for c in ('Größe €🧀'):gmatch('.') do io.write(c) end", "Größe €🧀"),
        ("io.write('\\xef\\xbb\\xbfx')", "\ufeffx"),
        ("io.write('\\r\\n')", "\r\n"),
    ],
)
def test_bytes(session: Session, source: str, text: str) -> None:
    assert session.evaluate(source).output_text == text


@pytest.mark.parametrize("before", range(16_340, 16_390))
def test_a_character_across_two_flushes(session: Session, before: int) -> None:
    """The core hands output over in pieces that end anywhere."""
    result = session.evaluate(f"io.write(('x'):rep({before})) for i = 1, 100 do io.write('🧀') end")
    assert result.output_text == "x" * before + "🧀" * 100
    assert len(result.output) == 1


# Limits.


def test_more_than_the_limit(session: Session) -> None:
    session_limit = 1000
    with Session.open(output_limit_bytes=session_limit) as small:
        result = small.evaluate("for i = 1, 100000 do io.write('12345') end return 'done'")
        assert result.values == ("done",)
        mark = OutputPiece("\n[output truncated after 1000 bytes]\n", "warning", "", None)
        assert result.output[-1] == mark
        assert result.output_text.removesuffix(mark.text) == "12345" * 200
        assert small.evaluate("print('again')").output_text == "again\n"


@pytest.mark.parametrize("count", [999, 1000, 1001])
def test_about_the_limit(count: int) -> None:
    with Session.open(output_limit_bytes=1000) as session:
        result = session.evaluate(f"io.write(('x'):rep({count}))")
        assert ("truncated" in result.output_text) == (count > 1000)
        assert result.output_text.count("x") == min(count, 1000)


def test_no_output_wanted() -> None:
    with Session.open(output_limit_bytes=0) as session:
        assert session.evaluate("return 1").output == ()
        (mark,) = session.evaluate("print('x')").output
        assert mark.text == "\n[output truncated after 0 bytes]\n"


def test_a_limit_in_the_middle_of_a_character() -> None:
    with Session.open(output_limit_bytes=10) as session:
        result = session.evaluate("io.write(('€'):rep(10))")
        assert result.output[0].text == "€€€"


def test_the_default_limit(session: Session) -> None:
    result = session.evaluate("for i = 1, 300000 do print('0123456789') end")
    assert len(result.output_text) < OUTPUT_LIMIT_BYTES_DEFAULT + 100
    assert "[output truncated after 1048576 bytes]" in result.output_text


def test_a_limit_that_makes_no_sense() -> None:
    with pytest.raises(SessionError, match="output_limit_bytes is -1; it cannot be negative"):
        Session.open(output_limit_bytes=-1)


# Live.


def test_on_output_hears_everything(session: Session) -> None:
    heard: list[OutputPiece] = []
    result = session.evaluate(
        "for i = 1, 5000 do print('line', i) end\nio.stderr:write('x')", on_output=heard.append
    )
    assert "".join(piece.text for piece in heard) == result.output_text
    assert {(piece.stream, piece.chunk, piece.line) for piece in heard} == {
        ("stdout", "(eval)", 1), ("stderr", "(eval)", 2),
    }  # fmt: skip


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("print('one')", "one\n"),
        ("io.write('one\\n')", "one\n"),
        ("io.stderr:write('one\\n')", "one\n"),
        ("warn('one')", "one\n"),
        ("io.write('one') io.flush()", "one"),
        ("io.stdout:write('one'):flush()", "one"),
        ("io.write(('one'):rep(10000))", "one"),
    ],
)
def test_on_output_hears_at_once(session: Session, source: str, expected: str) -> None:
    """Before the program goes on: a whole line, what was flushed, or much."""
    heard: list[str] = []
    reached = threading.Event()

    def listen(piece: OutputPiece) -> None:
        heard.append(piece.text)
        reached.set()

    future = session.submit(f"{source} while true do end", on_output=listen, time_limit_s=None)
    assert reached.wait(10)
    assert "".join(heard).startswith(expected)
    assert not future.done()
    session.interrupt()
    assert problem(future.result(10)).kind == "interrupt"


def test_much_output_is_gathered(session: Session) -> None:
    """One call for each line would make the program wait for its listener."""
    heard: list[OutputPiece] = []
    session.evaluate("for i = 1, 100000 do print(i) end", on_output=heard.append)
    assert len(heard) < 4000
    assert "".join(piece.text for piece in heard) == "".join(f"{n}\n" for n in range(1, 100_001))


def test_on_output_is_called_on_the_session_s_thread(session: Session) -> None:
    threads = set()
    session.evaluate("print('x')", on_output=lambda _: threads.add(threading.current_thread().name))
    assert threads == {"lua-session"}


def test_on_output_hears_the_mark_once() -> None:
    heard: list[OutputPiece] = []
    with Session.open(output_limit_bytes=100) as session:
        session.evaluate("for i = 1, 100000 do print(i) end", on_output=heard.append)
    assert sum("truncated" in piece.text for piece in heard) == 1
    assert "truncated" in heard[-1].text


class ListenerError(Exception):
    """What the listeners below raise."""


@pytest.mark.parametrize(
    "source",
    [
        "x = 2 print('at the end')",
        "x = 2 for i = 1, 100000 do print(i) end",
        "x = 2 while true do print(('y'):rep(1000)) end",
        "x = 2 print('before') error('z')",
        "x = 2 io.write('\\xe2')",  # told only when it turns out that no more of it comes
    ],
)
def test_what_on_output_raises_is_raised(session: Session, source: str) -> None:
    """The evaluation then did not happen."""

    def listener(_: OutputPiece) -> None:
        raise ListenerError

    session.evaluate("x = 1")
    with pytest.raises(ListenerError):
        session.evaluate(source, on_output=listener)
    assert value(session, "x") == 1
    future = session.submit(source, on_output=listener)
    with pytest.raises(ListenerError):
        future.result(10)
    assert value(session, "x") == 1
    assert not session.evaluating


def test_on_output_cannot_use_the_session(session: Session) -> None:
    """It would wait for itself."""
    with pytest.raises(SessionError, match="cannot be used from inside its own evaluation"):
        session.evaluate("print('x')", on_output=lambda _: session.memory())
    with pytest.raises(SessionError, match="cannot be used from inside its own evaluation"):
        session.evaluate("print('x')", on_output=lambda _: session.restart())
    assert value(session, "6 * 7") == 42
