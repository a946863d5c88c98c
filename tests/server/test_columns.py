"""Which part of the row a message is about: the marked range."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from lua_ls_persist.server.columns import PARSED_ROWS_MAX, non_blank, runtime_range, syntax_place
from lua_ls_persist.server.positions import Position, Range
from lua_ls_persist.session import SyntaxChecker
from tests.server.marks import document, marked, unmarked


def check_runtime(text: str, message: str, called: str | None = None) -> None:
    """The message, reported for the row of the mark, is shown at the mark."""
    unit, (expected,), _ = unmarked(text)
    found = runtime_range(unit, message, expected.start.row, called=called)
    assert marked(unit, [found]) == text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        # index
        ("local y = ⟦x⟧.y", "attempt to index a nil value (global 'x')"),
        ("local y = ⟦t.x⟧.y.z", "attempt to index a nil value (field 'x')"),
        ("local y = a.b + ⟦t['x']⟧.y", "attempt to index a nil value (field 'x')"),
        ("y = ⟦x⟧[1], z[1]", "attempt to index a number value (local 'x')"),
        ("⟦x⟧:run()", "attempt to index a nil value (upvalue 'x')"),
        ("⟦x⟧.y = 1", "attempt to index a nil value (global 'x')"),
        ("y = '😀', ⟦x⟧.y, z.x", "attempt to index a nil value (global 'x')"),
        ("y = ⟦f()⟧.y", "attempt to index a nil value"),
        ("⟦y = f().y .. g().y⟧ -- both fit".replace(" -- both fit", ""), "attempt to index a nil"),
        ("y = ⟦x.a + x⟧.b", "attempt to index a nil value (global 'x')"),
        # call
        ("⟦foo⟧()", "attempt to call a nil value (global 'foo')"),
        ("print(⟦foo⟧(bar()))", "attempt to call a nil value (global 'foo')"),
        ("⟦t.foo⟧(foo)", "attempt to call a nil value (field 'foo')"),
        ("⟦t:foo⟧ { 1 }", "attempt to call a nil value (method 'foo')"),
        ("y = ⟦(nil)⟧()", "attempt to call a nil value"),
        # operators
        ("y = 1 + ⟦x⟧", "attempt to perform arithmetic on a nil value (global 'x')"),
        ("y = -⟦t.x⟧ + 1", "attempt to perform arithmetic on a nil value (field 'x')"),
        ("y = ⟦1 + nil⟧", "attempt to perform arithmetic on a nil value"),
        ("y = 'a' .. ⟦x⟧ .. 'b'", "attempt to concatenate a nil value (local 'x')"),
        ("if a and ⟦x < 1⟧ then end", "attempt to compare nil with number"),
        ("y = #⟦x⟧", "attempt to get length of a nil value (global 'x')"),
        ("y = ⟦1.5 | 2⟧", "number has no integer representation"),
        ("y = ⟦n // 0⟧ + 1", "attempt to perform 'n//0'"),
        ("y = ⟦n % 0⟧ + 1", "attempt to perform 'n%%0'"),
        ("y = ⟦x⟧ << 1", "attempt to perform bitwise operation on a nil value (global 'x')"),
        # arguments
        ("y = string.rep(⟦nil⟧, 2)", "bad argument #1 to 'rep' (string expected, got nil)"),
        ("y = ('x'):rep(⟦{}⟧)", "bad argument #1 to 'rep' (number expected, got table)"),
        ("y = ⟦tonumber()⟧", "bad argument #1 to 'tonumber' (value expected)"),
        # raised
        ("if x then ⟦error('no')⟧ end", "no"),
        ("local x = ⟦assert(f())⟧ -- why", "assertion failed!"),
        # several rows
        ("f(1,\n  ⟦x⟧.y,\n  x.z)", "attempt to index a nil value (global 'x')"),
        ("⟦error(⟧\n'no')", "no"),
        # nothing fits
        ("  ⟦y = z⟧  ", "something else"),
        ("⟦a = 1⟧\n", "interrupted"),
        ("x = 1 +\n⟦y z (⟧", "attempt to call a nil value"),
    ],
)
def test_runtime(text: str, message: str) -> None:
    check_runtime(text, message)


@pytest.mark.parametrize(
    ("text", "called"),
    [
        ("x = ⟦t.run(1)⟧ + f(2)", "run"),
        ("x = f(1) + ⟦t:run { f }⟧", "run"),
        ("⟦run()⟧ error('x')", "run"),
        ("⟦x = other()⟧", "run"),
    ],
)
def test_the_call_that_led_to_it(text: str, called: str) -> None:
    check_runtime(text, "resulting string too large", called)
    check_runtime(text, "", called)


def test_an_empty_row_and_a_row_that_is_not_there() -> None:
    unit = document("x = 1\n\n  \n")
    assert runtime_range(unit, "no", 1) == Range.of(1, 0, 1, 0)
    assert non_blank(unit, 2) == Range.of(2, 0, 2, 0)
    assert runtime_range(unit, "no", 99) == Range.of(99, 0, 99, 0)


def test_a_long_document_is_not_parsed() -> None:
    unit = document("f()\n" * PARSED_ROWS_MAX + "\nlocal é = t.x.y\n")
    row = PARSED_ROWS_MAX + 1
    found = runtime_range(unit, "attempt to index a nil value (field 'x')", row)
    assert found == Range.of(row, 10, row, 13)


@pytest.fixture(scope="module")
def checker() -> Iterator[SyntaxChecker]:
    checker = SyntaxChecker()
    yield checker
    checker.close()


def check_syntax(checker: SyntaxChecker, text: str, message: str) -> None:
    """The compiler's message about the text is `message`, and is shown at the first mark.

    A second mark is the opening that the message speaks of.
    """

    def fails_at(source: str) -> str | None:
        problems = checker.check(source, name="")
        return problems[0].message if problems else None

    unit, ranges, cursors = unmarked(text)
    start = cursors[0] if cursors else Position(0, 0)
    source = unit.text(Range(start, unit.end))
    (problem,) = checker.check(source, name="", line=start.row)
    assert problem.kind == "syntax"
    assert problem.message == message
    assert problem.line is not None
    place = syntax_place(unit, message, problem.line - 1, fails_at, start=start)
    found = [place.range] if place.opening is None else [place.range, place.opening]
    assert marked(unit, found) == marked(unit, ranges)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x ⟦y⟧ = 1", "syntax error near 'y'"),
        ("x = ⟦=⟧ 5", "unexpected symbol near '='"),
        ("x = '=' .. a ⟦=⟧ 5 -- =", "unexpected symbol near '='"),
        ("x = 1 ⟦end⟧", "<eof> expected near 'end'"),
        ("endless = 1 ⟦end⟧ -- end", "<eof> expected near 'end'"),
        ("x = '😀' y, x ⟦y⟧", "'=' expected near 'y'"),
        ("return 1 + ⟦+⟧ 2\nx", "unexpected symbol near '+'"),
        ("x = ⟦3x⟧", "malformed number near '3x'"),
        ("x = a⟦.1⟧", "unexpected symbol near '.1'"),
        ("x = 'a' ⟦'b'⟧\n'c' = 1", "unexpected symbol near ''b''"),
        ("x = 'a' ⟦'\\65\\'b'⟧ y", "unexpected symbol near ''A'b''"),
        ("x = 'é' ⟦😀⟧", "unexpected symbol near '<\\240>'"),
        ("x = '\x01' .. ⟦\x01⟧", "unexpected symbol near '<\\1>'"),
        ("x = ⟦'\\q⟧'", "invalid escape sequence near ''\\q'"),
        ("x = ⟦'a⟧\nb'", "unfinished string near ''a'"),
        ("x=[[a\nb]] [[c\n⟦d]]⟧ e", "unexpected symbol near '[[c\nd]]'"),
        # at the end of the file
        ("⟦if⟧ x then\n  y = ⟦1⟧\n", "'end' expected (to close 'if' at line 1) near <eof>"),
        ("f⟦(⟧\n⟦1⟧\n\n", "')' expected (to close '(' at line 1) near <eof>"),
        ("⟦f((⟧\n⟦1⟧", "')' expected (to close '(' at line 1) near <eof>"),
        ("⟦x = [[abc⟧\n⟦d⟧\n", "unfinished long string (starting at line 1) near <eof>"),
        ("x ⟦=⟧", "unexpected symbol near <eof>"),
        ("t = ⟦{⟧1, 2\n⟦3⟧}", "'}' expected (to close '{' at line 1) near '3'"),
        # about something else than the token
        ("local x <const> = 1; ⟦x⟧ = 2", "attempt to assign to const variable 'x'"),
        ("local x <⟦foo⟧> = 1", "unknown attribute 'foo'"),
        ("⟦goto⟧ l\nx = 1", "no visible label 'l' for <goto> at line 1"),
        ("x = 1\n⟦break⟧\nx = 1", "break outside loop at line 2"),
        ("⟦::a:: x = 1⟧\n::⟦a⟧::", "label 'a' already defined on line 1"),
        ("⟦local a <close>, b <close> = 1, 2⟧", "multiple to-be-closed variables in local list"),
        # a part of a document
        ("x = = 1\n  ‸y = ⟦=⟧ 1", "unexpected symbol near '='"),
    ],
)
def test_syntax(checker: SyntaxChecker, text: str, message: str) -> None:
    check_syntax(checker, text, message)


def test_without_a_compiler_the_last_of_several_is_shown() -> None:
    place = syntax_place(document("x = = 5"), "unexpected symbol near '='", 0, lambda _: None)
    assert place.range == Range.of(0, 4, 0, 5)


def test_an_empty_document_has_a_place_as_well() -> None:
    place = syntax_place(document(""), "unexpected symbol near <eof>", 5, lambda _: None)
    assert place.range == Range.of(0, 0, 0, 0)
