"""What the program cannot do, and how it is told; what of os and io there is."""

from __future__ import annotations

import datetime as dt
import re
import time

import pytest

from lua_ls_persist.session import Session
from tests.session.helpers import problem, value

REFUSED = [
    "os.execute('ls')",
    "os.exit()",
    "os.exit(true, true)",
    "os.remove('x')",
    "os.rename('x', 'y')",
    "os.tmpname()",
    "io.open('x')",
    "io.open('/etc/passwd', 'r')",
    "io.close()",
    "io.input('file.txt')",
    "io.lines('x')",
    "io.popen('ls')",
    "io.read()",
    "io.read('a')",
    "io.tmpfile()",
    "io.stdout:close()",
    "io.stdout:read()",
    "io.stdout:seek()",
    "io.stderr:lines()",
]


@pytest.mark.parametrize("call", REFUSED)
def test_refused_functions(session: Session, call: str) -> None:
    found = problem(session.evaluate(f"\nlocal r = {call}", name="main.lua"))
    name = re.sub(r"\(.*", "", call).replace("io.stdout:", "file:").replace("io.stderr:", "file:")
    assert found.message == (
        f"{name} is not available: the program runs in a sandbox without files and processes"
    )
    assert (found.kind, found.chunk, found.line) == ("runtime", "main.lua", 2)


def test_refusals_can_be_caught(session: Session) -> None:
    ok, message = session.evaluate("pcall(os.execute)").values
    assert ok is False
    assert isinstance(message, str)
    assert "os.execute is not available" in message


def test_output_cannot_be_redirected(session: Session) -> None:
    found = problem(session.evaluate("io.output('file.txt')"))
    assert found.message == "io.output cannot be changed: output always goes to the workbench"
    assert value(session, "io.output() == io.stdout") is True


def test_there_is_nothing_else_in_the_libraries(session: Session) -> None:
    """A function that would reach out must not come back unnoticed with an update of Lua."""
    names = {
        library: {field.name for field in session.fields([library])}
        for library in ("os", "io", "package", "debug", "coroutine")
    }
    assert names["os"] == {
        "clock", "date", "difftime", "execute", "exit", "getenv", "remove", "rename", "setlocale",
        "time", "tmpname",
    }  # fmt: skip
    assert names["io"] == {
        "close", "flush", "input", "lines", "open", "output", "popen", "read", "stderr", "stdin",
        "stdout", "tmpfile", "type", "write",
    }  # fmt: skip
    assert names["package"] == {
        "config", "cpath", "loaded", "loadlib", "path", "preload", "searchers", "searchpath",
    }  # fmt: skip
    assert "debug" in names["debug"]
    assert {field.name for field in session.fields() if field.type == "table"} == {
        "_G", "Memory", "coroutine", "debug", "ext", "io", "math", "os", "package", "string",
        "table", "utf8",
    }  # fmt: skip


def test_debug_debug_finds_no_input(session: Session) -> None:
    result = session.evaluate("debug.debug() return 'went on'")
    assert result.values == ("went on",)


def test_environment_variables(session: Session) -> None:
    assert session.evaluate("os.getenv('HOME'), os.getenv('PATH')").values == (None, None)


def test_locales(session: Session) -> None:
    assert session.evaluate("os.setlocale(), os.setlocale('C'), os.setlocale('')").values == (
        "C", "C", "C",
    )  # fmt: skip
    assert value(session, "os.setlocale('de_DE')") is None


def test_times(session: Session) -> None:
    now = value(session, "os.time()")
    assert isinstance(now, int)
    assert abs(now - time.time()) < 5
    assert value(session, "os.time({ year = 2024, month = 2, day = 29, hour = 12 })") == int(
        dt.datetime(2024, 2, 29, 12).timestamp()  # noqa: DTZ001  (local, as in Lua)
    )
    assert value(session, "os.date('!%Y-%m-%d %H:%M:%S', 86400)") == "1970-01-02 00:00:00"
    assert value(session, "os.difftime(10, 3)") == 7.0
    assert value(session, "os.date('!*t', 0).year") == 1970
    first, second = session.evaluate(
        "local a = os.clock() local n = 0 for i = 1, 100000 do n = n + i end return a, os.clock()"
    ).values
    assert isinstance(first, float)
    assert isinstance(second, float)
    assert 0 <= first < second < 60


def test_wrong_dates_are_errors(session: Session) -> None:
    for call in ("os.date('%Ez')", "os.date('%Q')", "os.time({ year = 2024 })", "os.time({})"):
        assert problem(session.evaluate(call)).kind == "runtime"


def test_handles(session: Session) -> None:
    assert session.evaluate("io.type(io.stdout), io.type(io.stderr), io.type(1)").values == (
        "file", "file", None,
    )  # fmt: skip
    assert session.evaluate("tostring(io.stdout), tostring(io.stderr)").values == (
        "file (stdout)", "file (stderr)",
    )  # fmt: skip
    assert value(session, "io.write() == io.stdout") is True
    assert value(session, "io.stderr:write('') == io.stderr") is True
    assert value(session, "io.stdout:setvbuf('full')") is True
    assert value(session, "io.stdout:flush() == io.stdout") is True
    assert value(session, "io.flush() == io.stdout") is True
    found = problem(session.evaluate("io.write({})"))
    assert found.message == "bad argument #1 to 'write' (string expected, got table)"
    assert "FILE*" in problem(session.evaluate("io.stdout.write({}, 'x')")).message


def test_a_handle_is_not_a_way_out(session: Session) -> None:
    """Its metatable can be reached, as in any Lua; its functions write to the workbench only."""
    assert value(session, "getmetatable(io.stdout).__index.write ~= nil") is True
    assert value(session, "getmetatable(io.stdout).__name") == "FILE*"
    assert value(session, "select('#', getmetatable(io.stdout).__gc(io.stdout))") == 0
    assert value(session, "io.write('') == io.stdout and io.input() == io.stdin") is True
    found = problem(session.evaluate("io.stdin:write('x')"))
    assert found.message == "standard input cannot be written to"


def test_what_is_left_of_the_registry_does_no_harm(session: Session) -> None:
    """A program may break its own VM through the debug library; the session goes on."""
    source = """
        local registry = debug.getregistry()
        for key in pairs(registry) do registry[key] = nil end
        collectgarbage()
        return 'done'
    """
    result = session.evaluate(source)
    assert result.ok or problem(result).kind in ("runtime", "internal")
    session.restart()
    assert value(session, "6 * 7") == 42


def test_random_numbers_are_the_program_s_own(session: Session) -> None:
    """Two fresh VMs may begin alike: nothing of the machine goes into them unasked."""
    assert value(session, "math.type(math.random(1000))") == "integer"
    session.evaluate("math.randomseed(7)")
    first = value(session, "math.random(1 << 30)")
    session.evaluate("math.randomseed(7)")
    assert value(session, "math.random(1 << 30)") == first
