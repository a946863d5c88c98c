"""Limits approached step by step, and sources and results of every size and shape."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator

import pytest

from lua_ls_persist.model import OutputPiece, Preview, Value
from lua_ls_persist.session import Session, SyntaxChecker

KIB = 1024
MIB = 1024 * KIB

# The memory limit rises until a task succeeds.

TASKS = {
    "a table of integers": ("local t = {} for i = 1, 3e5 do t[i] = i end return #t", (300_000,)),
    "a table of tables": ("local t = {} for i = 1, 4e4 do t[i] = {i} end return #t", (40_000,)),
    "a long string": ("return #('x'):rep(3e6)", (3_000_000,)),
    "concatenation": (
        "local t = {} for i = 1, 2e4 do t[i] = 'line ' .. i end return #table.concat(t, '\\n')",
        (208_893,),
    ),
    "gsub": ("return #(('a'):rep(5e5):gsub('a', 'bc'))", (1_000_000,)),
    "recursion": (
        "local function f(n) if n == 0 then return 0 end return 1 + f(n - 1) end return f(30000)",
        (30_000,),
    ),
    "coroutines": (
        """
        local all = {}
        for i = 1, 1000 do
          all[i] = coroutine.wrap(function(x) while true do x = x + coroutine.yield(x) end end)
          all[i](i)
        end
        local sum = 0
        for i = 1, 1000 do sum = sum + all[i](1) end
        return sum
        """,
        (501_500,),
    ),
    "compiling": (
        """
        local code = 'local t = {} ' .. ('t[#t + 1] = "x" '):rep(20000) .. 'return #t'
        return assert(load(code))()
        """,
        (20_000,),
    ),
    "closures": (
        """
        local first = nil
        for i = 1, 20000 do
          local before = first
          first = function(n) return n == 0 and i or before end
        end
        return first(0)
        """,
        (20_000,),
    ),
    "sorting": (
        """
        local t = {}
        for i = 1, 50000 do t[i] = i * 7919 % 50021 end
        table.sort(t)
        for i = 2, #t do assert(t[i - 1] <= t[i]) end
        return #t
        """,
        (50_000,),
    ),
    "finalizers": (
        """
        local count = 0
        local t = {}
        for i = 1, 20000 do
          t[i] = setmetatable({}, {__gc = function() count = count + 1 end})
        end
        t = nil
        collectgarbage() collectgarbage()
        return count
        """,
        (20_000,),
    ),
    "a large result": ("return ('y'):rep(1500000)", ("y" * 1_500_000,)),
}


@pytest.mark.parametrize("task", TASKS)
def test_memory_limit_rises_until_a_task_succeeds(task: str) -> None:
    """Every failure on the way is a clean Lua error, caught or not, and leaves the VM as it was."""
    source, expected = TASKS[task]
    failures = 0
    for limit in range(1 * MIB, 32 * MIB, 128 * KIB):
        with Session.open(memory_limit_bytes=limit, time_limit_s=60.0) as session:
            before = session.memory()
            evaluation = session.evaluate(source, mode="chunk")
            if evaluation.ok:
                assert evaluation.values == expected
                break
            failures += 1
            (problem,) = evaluation.problems
            assert "not enough memory" in problem.message
            if task != "compiling":  # there the error is a message, which `assert` raises
                assert problem.kind == "memory"
                assert str(limit) in problem.message
            assert session.memory().lua_bytes == before.lua_bytes
            caught = session.evaluate(f"return (pcall(function() {source} end))", mode="chunk")
            assert caught.values == (False,), caught
            assert session.evaluate("6 * 7").values == (42,)
    else:
        pytest.fail("no limit was enough")
    assert failures > 0, "the task fits into the smallest VM: it tests nothing"


def test_memory_is_taken_byte_by_byte() -> None:
    """The same task at every place where memory may end: a filler leaves a little, and more."""
    source = """
        local ok, result = pcall(function()
          local t = {}
          for i = 1, 200 do t[i] = {tostring(i), function() return i end} end
          local co = coroutine.wrap(function(...) coroutine.yield(select("#", ...)) end)
          co(table.unpack(t))
          local s = table.concat({"a", "b", ("c"):rep(1000)}, ",")
          assert(load("return " .. ("1 + "):rep(50) .. "1"))()
          return #t + #s:gsub("c", "dd")
        end)
        return ok, result
    """
    outcomes = set()
    with Session.open(memory_limit_bytes=2 * MIB, time_limit_s=60.0) as session:
        for free in range(0, 120 * KIB, 701):
            setup = f"""
                collectgarbage()
                filler = {{}}
                for i = 1, 2000 do filler[i] = false end
                local reserve = ("x"):rep({free} + 1)
                local size, n = 1 << 20, 0
                while size >= 16 and n < 2000 do
                  local ok, s = pcall(string.rep, "x", size)
                  if ok then n = n + 1; filler[n] = s else size = size // 2 end
                end
                reserve = nil
                collectgarbage()
            """
            assert session.evaluate(setup, mode="chunk").ok
            evaluation = session.evaluate(source, mode="chunk")
            if evaluation.ok:
                outcomes.add(evaluation.values[0])
            else:
                assert evaluation.problems[0].kind == "memory"
                outcomes.add("top")
            cleared = session.evaluate("filler = nil; collectgarbage(); return 1", mode="chunk")
            assert cleared.values == (1,)
    assert {True, False} <= outcomes


# Sources.


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with Session.open(memory_limit_bytes=1024 * MIB, time_limit_s=60.0) as session:
        yield session


@pytest.fixture(scope="module")
def checker() -> Iterator[SyntaxChecker]:
    with SyntaxChecker() as checker:
        yield checker


def statements(size_bytes: int) -> tuple[str, int]:
    """Source of exactly so many bytes, and what it returns: it counts its own lines."""
    line = "n = n + 1\n"
    head, tail = "local n = 0\n", "return n"
    count = (size_bytes - len(head) - len(tail)) // len(line)
    source = head + line * count
    return source + " " * (size_bytes - len(source) - len(tail)) + tail, count


BOM = b"\xef\xbb\xbf"

GOOD_SOURCES: dict[str, tuple[bytes, tuple[Value, ...]]] = {
    "nothing": (b"", ()),
    "a space": (b" ", ()),
    "a newline": (b"\n", ()),
    "a byte order mark": (BOM, ()),
    "a shebang line": (b"#!/usr/bin/lua", ()),
    "a shebang line and more": (b"#!/usr/bin/env lua\nreturn 1", (1,)),
    "a byte order mark and a shebang line": (BOM + b"#!/usr/bin/lua\nreturn 2", (2,)),
    "a byte order mark and code": (BOM + b"return 3", (3,)),
    "a comment": (b"-- nothing else", ()),
    "a comment in brackets": (b"--[[ nothing\nelse ]]", ()),
    "an expression": (b"1 + 1", (2,)),
    "a semicolon": (b";", ()),
    "an empty return": (b"return", ()),
    "carriage returns": (b"local x = 1\r\nlocal y = 2\r\nreturn x + y\r\n", (3,)),
    "carriage returns alone": (b"local x = 1\rreturn x", (1,)),
    "newlines in a string": (b"return [[\r\na\r\nb\n\rc\rd]]", ("a\nb\nc\nd",)),
    "a zero in a string": (b'return "a\x00b", #"\x00\x00"', ("a\0b", 2)),
    "a zero in a long string": (b"return [[\x00]]", ("\0",)),
    "a zero in a comment": (b"-- \x00 \nreturn 1", (1,)),
    "bytes that are not UTF-8 in a string": (b'return "\xff\xfe", "\xc3"', (b"\xff\xfe", b"\xc3")),
    "bytes that are not UTF-8 in a comment": (b"--\xff\xfe\xc3\nreturn 1", (1,)),
    "UTF-8": ("return 'Grüße, 世界 😀'".encode(), ("Grüße, 世界 😀",)),
    "form feeds and vertical tabs": (b"return\x0c1\x0b+\x0c2", (3,)),
    "all bytes in a string": (
        b'return "' + bytes(b for b in range(256) if chr(b) not in '\n\r\\"') + b'"',
        (bytes(b for b in range(256) if chr(b) not in '\n\r\\"'),),
    ),
    "a megabyte": (statements(MIB)[0].encode(), (statements(MIB)[1],)),
    "ten megabytes": (statements(10 * MIB)[0].encode(), (statements(10 * MIB)[1],)),
    "ten megabytes of comment": (b"--" + b"x" * 10 * MIB + b"\nreturn 1", (1,)),
    "ten megabytes of newlines": (b"\n" * 10 * MIB + b"return 1", (1,)),
    "ten megabytes of spaces": (b" " * 10 * MIB + b"return 1", (1,)),
    "ten megabytes of string": (b"return #'" + b"x" * 10 * MIB + b"'", (10 * MIB,)),
    "a long line": (b"return 1" + b" + 1" * 500_000, (500_001,)),
    "a long line of calls": (b"local n = 0 local f = function() n = n + 1 end "
                             + b"f() " * 100_000 + b"return n", (100_000,)),
    "many constants": (
        ("local t = {" + ",".join(f"'k{n}'" for n in range(200_000)) + "} return #t, t[200000]")
        .encode(),
        (200_000, "k199999"),
    ),
    "many numbers": (
        ("local t = {" + ",".join(f"{n}.5" for n in range(200_000)) + "} return #t, t[200000]")
        .encode(),
        (200_000, 199_999.5),
    ),
    "many names": (
        ("".join(f"g{n} = {n}\n" for n in range(50_000)) + "return g49999 + g1").encode(),
        (50_000,),
    ),
    "many functions": (
        ("local f\n" + "f = function() return 1 end\n" * 50_000 + "return f()").encode(),
        (1,),
    ),
    "two hundred locals": (
        ("".join(f"local v{n} = {n}\n" for n in range(200)) + "return v199").encode(),
        (199,),
    ),
}  # fmt: skip

BAD_SOURCES: dict[str, tuple[bytes, str, int]] = {
    "a zero": (b"x = 1\n\x00", "unexpected symbol$", 2),
    "a byte of no character": (b"x = 1\ny = \xff", r"unexpected symbol near '<\\255>'", 2),
    "a name in UTF-8": ("größe = 1".encode(), r"near '<\\195>'", 1),
    "a byte order mark in the middle": (b"x = 1\n" + BOM + b"y = 1", r"near '<\\239>'", 2),
    "a sign of no meaning": (b"\n$ x", r"unexpected symbol near '\$'", 2),
    "an error behind a shebang line": (b"#!/usr/bin/lua\nx =", "near <eof>", 2),
    "an error behind a byte order mark": (BOM + b"\nx = = 1", "near '='", 2),
    "an error behind carriage returns": (b"x = 1\r\ny = 2\r\nz = = 3", "near '='", 3),
    "an open string": (b"x = 'abc\ny = 1", "unfinished string", 1),
    "an open long string": (b"\nx = [[abc\ny = 1", "unfinished long string", 3),
    "an open comment": (b"\n--[[ abc", "unfinished long comment", 2),
    "a bad escape": (b"x = '\\q'", "invalid escape sequence", 1),
    "a bad number": (b"\n\nx = 3..2", "malformed number", 3),
    "too many locals": (
        "".join(f"local v{n}\n" for n in range(201)).encode(), "too many local variables", 202
    ),
    "too many upvalues": (
        ("".join(f"local v{n}\n" for n in range(150)) + "function f()\n"
         + "".join(f"local w{n}\n" for n in range(150)) + "function g()\n"
         + "".join(f"v{n} = w{n}\n" for n in range(150)) + "end end").encode(),
        "too many upvalues", 431,
    ),
    "a goto to nowhere": (b"\ngoto nowhere", "no visible label 'nowhere'", 2),
    "an error behind a megabyte": ((statements(MIB)[0] + "\n)").encode(), "near '\\)'", 104_858),
    "an error behind ten megabytes": (
        (statements(10 * MIB)[0] + "\n)").encode(), "near '\\)'", 1_048_577
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", GOOD_SOURCES)
def test_good_sources(session: Session, checker: SyntaxChecker, kind: str) -> None:
    source, expected = GOOD_SOURCES[kind]
    evaluation = session.evaluate(source)
    assert evaluation.ok, evaluation.problems
    assert evaluation.values == expected
    if kind != "an expression":
        assert checker.check(source) == ()
    if source.isascii():
        assert session.evaluate(source.decode()).values == expected


@pytest.mark.parametrize("kind", BAD_SOURCES)
def test_bad_sources(session: Session, checker: SyntaxChecker, kind: str) -> None:
    source, message, line = BAD_SOURCES[kind]
    for problem in (*session.evaluate(source).problems, *checker.check(source)):
        assert problem.kind == "syntax"
        assert re.search(message, problem.message), problem
        assert problem.line == line
    assert len(checker.check(source)) == 1


def test_lines_before_the_source_count(session: Session) -> None:
    for line in (0, 1, 255, 256, 257, 100_000):
        evaluation = session.evaluate("local x = 1\nerror('here')", line=line)
        assert evaluation.problems[0].line == line + 2
        evaluation = session.evaluate("local x = 1\nx = = 2", line=line)
        assert evaluation.problems[0].line == line + 2
        evaluation = session.evaluate("print('x')", line=line)
        assert evaluation.output[0].line == line + 1


@pytest.mark.parametrize("size", [60 * KIB, 64 * KIB, 80 * KIB, 128 * KIB])
def test_sources_around_the_size_of_a_buffer(session: Session, size: int) -> None:
    """The first piece of a source travels with the request, the rest in pieces of another size."""
    for extra in range(-400, 400, 7):
        source, count = statements(size + extra)
        assert len(source) == size + extra
        assert session.evaluate(source).values == (count,)
        evaluation = session.evaluate(source + "\nerror('end')", mode="chunk")
        assert evaluation.problems[0].kind == "syntax"


def test_random_bytes_are_no_trap(checker: SyntaxChecker) -> None:
    with Session.open() as session:
        check_random_bytes(session, checker)


def check_random_bytes(session: Session, checker: SyntaxChecker) -> None:
    rng = random.Random(7)
    words = [
        b"local", b"x", b"=", b"1", b"(", b")", b"{", b"}", b"function", b"end", b"if", b"then",
        b"return", b"'a'", b"..", b"[[", b"]]", b"--", b"\n", b"\0", b"\xff", b"goto", b"::",
        b"<const>", b"...", b"~", b"\\", b"0x", b"1e", b"for", b"in", b"do", b"repeat", b"until",
    ]  # fmt: skip
    for _ in range(3000):
        if rng.random() < 0.5:
            source = rng.randbytes(rng.randint(1, 200))
        else:
            source = b" ".join(rng.choices(words, k=rng.randint(1, 60)))
        problems = checker.check(source)
        assert {problem.kind for problem in problems} <= {"syntax"}, source
        evaluation = session.evaluate(source, time_limit_s=0.2, mode="chunk")
        kinds = {problem.kind for problem in evaluation.problems}
        assert kinds <= {"syntax", "runtime", "timeout"}, source
        assert ("syntax" in kinds) == bool(problems), source
    assert session.evaluate("6 * 7").values == (42,)


# Results.


@pytest.mark.parametrize("size", [65_520, 131_056, 10 * MIB])
def test_results_around_the_size_of_a_buffer(session: Session, size: int) -> None:
    for extra in range(0, 40, 1 if size < MIB else 20):
        (value,) = session.evaluate(f"return ('x'):rep({size + extra})").values
        assert value == "x" * (size + extra)


def test_large_results(session: Session) -> None:
    (text,) = session.evaluate("return ('aé€😀'):rep(1000000)").values
    assert text == "aé€😀" * 1_000_000
    (content,) = session.evaluate("return ('\\xff\\0'):rep(5000000)").values
    assert content == b"\xff\x00" * 5_000_000
    values = session.evaluate(
        "return " + ", ".join(f"('{n % 10}'):rep({n * 1000})" for n in range(100))
    ).values
    assert values == tuple(str(n % 10) * (n * 1000) for n in range(100))


def test_many_results(session: Session) -> None:
    values = session.evaluate("return table.unpack({...}, 1, 200)", mode="chunk").values
    assert values == (None,) * 200
    source = "local t = {} for i = 1, 100000 do t[i] = i end return table.unpack(t)"
    assert session.evaluate(source).values == tuple(range(1, 100_001))


def test_large_tables_are_shown_in_part(session: Session) -> None:
    source = "local t = {} for i = 1, 1e5 do t[i] = ('x'):rep(1000) .. i end return t, t"
    first, second = session.evaluate(source).values
    assert isinstance(first, Preview)
    assert isinstance(second, Preview)
    assert first.omitted
    assert len(first.entries) <= 1000
    assert first.address == second.address


def test_large_errors(session: Session) -> None:
    (problem,) = session.evaluate("error(('x'):rep(1e7))", name="big").problems
    assert problem.kind == "runtime"
    assert problem.line == 1
    assert problem.message == "x" * 10_000_000
    (problem,) = session.evaluate("error({('y'):rep(1e7)})").problems
    assert isinstance(problem.value, Preview)


# Output.


def test_ten_thousand_pieces(session: Session) -> None:
    """Each line of the program prints; each piece knows its line."""
    heard: list[OutputPiece] = []
    source = "".join(f"print({n})\n" for n in range(1, 10_001))
    evaluation = session.evaluate(source, name="lines", on_output=heard.append)
    assert evaluation.ok
    expected = [(f"{n}\n", n) for n in range(1, 10_001)]
    assert [(piece.text, piece.line) for piece in evaluation.output] == expected
    assert "".join(piece.text for piece in heard) == evaluation.output_text
    assert {piece.chunk for piece in evaluation.output} == {"lines"}


def test_streams_in_turn(session: Session) -> None:
    source = """
        for i = 1, 3000 do
          print(i)
          io.stderr:write(i, "!")
          warn("w", i)
        end
    """
    evaluation = session.evaluate(source)
    expected = []
    for n in range(1, 3001):
        expected += [("stdout", f"{n}\n", 3), ("stderr", f"{n}!", 4), ("warning", f"w{n}\n", 5)]
    got = [(piece.stream, piece.text, piece.line) for piece in evaluation.output]
    assert got == expected


@pytest.mark.parametrize("limit", [0, 1, 10, 4095, 16_383, 16_384, 16_385, 100_000])
def test_output_limit(limit: int) -> None:
    """What is printed beyond the limit is left out, and said to be; the program goes on."""
    heard: list[OutputPiece] = []
    with Session.open(output_limit_bytes=limit) as session:
        for text, times in (("x", 200_000), ("é€", 50_000), ("x" * 200_000, 1)):
            heard.clear()
            evaluation = session.evaluate(
                f"for i = 1, {times} do io.write('{text}') end return 'end'",
                on_output=heard.append,
            )
            assert evaluation.values == ("end",)
            *printed, mark = evaluation.output
            content = "".join(piece.text for piece in printed).encode()
            assert (text * times).encode().startswith(content)
            assert limit - 3 < len(content) <= limit or limit == 0 == len(content)
            assert mark.text == f"\n[output truncated after {limit} bytes]\n"
            assert mark.stream == "warning"
            assert "".join(piece.text for piece in heard) == evaluation.output_text
        assert session.evaluate("return 1").output == ()


def test_output_just_within_the_limit() -> None:
    with Session.open(output_limit_bytes=1000) as session:
        assert session.evaluate("io.write(('x'):rep(1000))").output_text == "x" * 1000
        text = session.evaluate("io.write(('x'):rep(1001))").output_text
        assert text == "x" * 1000 + "\n[output truncated after 1000 bytes]\n"


def test_output_of_any_bytes(session: Session) -> None:
    """Characters that are written in parts are put together; what is none is shown as bytes."""
    evaluation = session.evaluate("for c in ('é€😀'):gmatch('.') do io.write(c) end")
    assert evaluation.output_text == "é€😀"
    evaluation = session.evaluate("io.write('a\\xffb\\0c\\xc3')")
    assert evaluation.output_text == "a\\xffb\0c\\xc3"
    evaluation = session.evaluate(f"io.write(('{'é' * 5}'):rep(20000))")
    assert evaluation.output_text == "é" * 100_000


def test_output_with_long_names(session: Session) -> None:
    name = "folder/" * 60 + "file.lua"
    evaluation = session.evaluate("print(1) error('x')", name=name)
    assert [piece.chunk for piece in evaluation.output] == [name]
    assert evaluation.problems[0].chunk == name
    chunk = "x" * 5000
    evaluation = session.evaluate(f"load('print(2)', '{chunk}')()")
    assert evaluation.output_text == "2\n"
