"""Standard streams that are full, or were never open."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from lua_ls_persist.cli.terminal import coloured
from tests.cli.conftest import TIMEOUT_S, environment

SHELL = shutil.which("sh")
FULL = Path("/dev/full")

pytestmark = pytest.mark.skipif(SHELL is None, reason="redirections are written for a POSIX shell")


def run(folder: Path, command: str) -> tuple[int, bytes, bytes]:
    """Runs `command`, arguments of the program and redirections; status, output and errors."""
    assert SHELL is not None
    done = subprocess.run(
        [SHELL, "-c", f'exec "{sys.executable}" -m lua_ls_persist {command}'],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        check=False,
        timeout=TIMEOUT_S,
    )
    return done.returncode, done.stdout, done.stderr


@pytest.mark.skipif(not FULL.exists(), reason="there is no disk that is always full")
@pytest.mark.parametrize(
    "arguments",
    [
        "eval -e 1",
        "eval -e 'print(1)'",
        "eval --json -e 1",
        "tables --db session.db",
        "export --db session.db",
        "export --db session.db --table Memory --format json",
        "--help",
    ],
)
def test_output_that_cannot_be_written_is_told(tmp_path: Path, arguments: str) -> None:
    assert run(tmp_path, "eval --db session.db -e 'Memory.x = 1'") == (0, b"", b"")
    status, _, errors = run(tmp_path, f"{arguments} > {FULL}")
    assert status == 2
    assert b"Standard output cannot be written: No space left on device" in errors
    assert b"Traceback" not in errors


@pytest.mark.parametrize(
    ("command", "status"),
    [
        ("eval -e 1 <&-", 0),
        ("eval - <&-", 0),
        ("repl <&-", 0),
        ("eval -e 1 >&-", 0),
        ("eval -e 'error(1)' >&- 2>&-", 1),
        ("tables <&- >&- 2>&-", 2),
    ],
)
def test_streams_may_be_closed(tmp_path: Path, command: str, status: int) -> None:
    # As service managers leave them.
    assert run(tmp_path, command)[::2] == (status, b"")


def test_a_closed_stream_is_not_the_sessions_file(tmp_path: Path) -> None:
    program = "'Memory.x = 1 print(7)'"
    assert run(tmp_path, f"eval --db session.db -e {program} <&- >&- 2>&-") == (0, b"", b"")
    assert run(tmp_path, "tables --db session.db") == (0, b"Memory  1 entry\n", b"")


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"TERM": "xterm"}, True),
        ({"TERM": "xterm", "NO_COLOR": ""}, True),
        ({"TERM": "xterm", "NO_COLOR": "1"}, False),
        ({"TERM": "dumb"}, False),
        ({}, True),
    ],
)
def test_colours(monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], expected: bool) -> None:
    for name in ("TERM", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    assert coloured(_Terminal()) is expected
    assert not coloured(io.StringIO())
