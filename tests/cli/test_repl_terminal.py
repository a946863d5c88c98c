"""`lua-ls-persist repl` on a real pseudo terminal: prompt, keys, history, completion, Ctrl-C."""

from __future__ import annotations

import os
import re
import select
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import ENDLESS, TIMEOUT_S, environment

termios = pytest.importorskip("termios", reason="pseudo terminals are of POSIX systems")
fcntl = pytest.importorskip("fcntl", reason="so is setting their size")

ENTER, TAB, CTRL_C, CTRL_D, UP, ESCAPE = "\r", "\t", "\x03", "\x04", "\x1b[A", "\x1b"
LEAVE_TRIES = 10
LEAVE_TIMEOUT_S = 0.3
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[()=>][0-9A-B]?|\x1b\][^\x07]*\x07|\r")

# The terminal becomes the program's controlling one, so that Ctrl-C is a signal to it.
LAUNCHER = """
import fcntl, os, sys, termios
os.setsid()
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
os.execv(sys.executable, [sys.executable, "-m", "lua_ls_persist", *sys.argv[1:]])
"""


class Keyboard:
    """A person at a terminal: types, and waits for what the program shows."""

    def __init__(self, home: Path, *arguments: str, **settings: str) -> None:
        self._master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 80, 0, 0))
        self._process = subprocess.Popen(
            [sys.executable, "-c", LAUNCHER, "repl", *arguments],
            cwd=home,
            env=environment(home) | {"TERM": "xterm", "PROMPT_TOOLKIT_NO_CPR": "1"} | settings,
            stdin=slave,
            stdout=slave,
            stderr=slave,
        )
        os.close(slave)
        self.raw = ""
        self._seen = 0

    def type(self, text: str) -> None:
        """Presses keys."""
        os.write(self._master, text.encode())

    def expect(self, text: str) -> str:
        """Waits until the text has appeared since the last call; gives all that came before it."""
        deadline_s = time.monotonic() + TIMEOUT_S
        while (at := self.shown.find(text, self._seen)) < 0:
            if not self._read(deadline_s - time.monotonic()):
                pytest.fail(f"{text!r} did not appear in {self.shown[self._seen :]!r}")
        before = self.shown[self._seen : at]
        self._seen = at + len(text)
        return before

    @property
    def shown(self) -> str:
        """All that appeared, without control sequences."""
        return CONTROL.sub("", self.raw)

    def wait(self) -> int:
        """Waits for the end of the program; gives its exit status."""
        while self._read(TIMEOUT_S):
            pass
        return self._process.wait(TIMEOUT_S)

    def close(self) -> None:
        """Leaves as a person would, and ends what is left after that."""
        for _ in range(LEAVE_TRIES):
            if self._process.poll() is not None:
                break
            self.type(CTRL_C + CTRL_D)  # what was typed during an evaluation may be dropped
            while self._read(LEAVE_TIMEOUT_S):
                pass
        self._process.kill()
        self._process.wait()
        os.close(self._master)

    def _read(self, timeout_s: float) -> bool:
        ready, _, _ = select.select([self._master], [], [], max(timeout_s, 0))
        try:
            data = os.read(self._master, 65536) if ready else b""
        except OSError:  # the other side is closed
            data = b""
        self.raw += data.decode(errors="replace")
        return bool(data)


Sit = Callable[..., Keyboard]


@pytest.fixture
def sit(tmp_path: Path) -> Iterator[Sit]:
    """Sits down at a terminal with the loop running in it, its first prompt there."""
    keyboards: list[Keyboard] = []

    def sit_down(*arguments: str, **settings: str) -> Keyboard:
        keyboard = Keyboard(tmp_path, *arguments, **settings)
        keyboards.append(keyboard)
        keyboard.expect("[1]> ")
        return keyboard

    yield sit_down
    for keyboard in keyboards:
        keyboard.close()


def test_what_is_typed_is_evaluated_and_ctrl_d_ends(sit: Sit) -> None:
    keyboard = sit()
    assert "lua-ls-persist" in keyboard.shown
    keyboard.type("x = 20" + ENTER)
    keyboard.expect("[2]> ")
    keyboard.type("print('out') return x + 1" + ENTER)
    keyboard.expect("out\n")
    keyboard.expect("=> 21")
    keyboard.expect("[3]> ")
    keyboard.type(CTRL_D)
    assert keyboard.wait() == 0


def test_unfinished_input_continues_on_the_next_line(sit: Sit) -> None:
    keyboard = sit()
    keyboard.type("function f(n)" + ENTER)
    keyboard.expect(".. ")
    keyboard.type("return n * 2" + ENTER)
    keyboard.expect(".. ")
    keyboard.type("end" + ENTER)
    keyboard.expect("[2]> ")
    keyboard.type("f(21)" + ENTER)
    keyboard.expect("=> 42")


def test_an_error_is_red_and_names_input_and_line(sit: Sit) -> None:
    keyboard = sit()
    keyboard.type("function f()" + ENTER + "error('boom')" + ENTER + "end" + ENTER)
    keyboard.expect("[2]> ")
    keyboard.type("x = f()" + ENTER)
    keyboard.expect("repl[1]:2: boom")
    keyboard.expect("stack traceback:")
    keyboard.expect("repl[2]:1: in main chunk")
    assert "\x1b[31mrepl[1]:2: boom\x1b[0m" in keyboard.raw
    keyboard.expect("[3]> ")


def test_results_have_colours_unless_they_are_not_wanted(sit: Sit) -> None:
    keyboard = sit()
    keyboard.type("'te' .. 'xt'" + ENTER)
    keyboard.expect('=> "text"')
    assert re.search(r"=> \x1b\[0m\S*\x1b\[\d+m\S*text", keyboard.raw)
    keyboard = sit(NO_COLOR="1")
    keyboard.type("'te' .. 'xt'" + ENTER)
    keyboard.expect('=> "text"')
    assert '=> "text"' in keyboard.raw


def test_ctrl_c_interrupts_an_evaluation_and_the_session_goes_on(sit: Sit) -> None:
    keyboard = sit("--time-limit", "none")
    keyboard.type("x = 7" + ENTER)
    keyboard.expect("[2]> ")
    keyboard.type(ENDLESS + ENTER)
    keyboard.expect("going\n")
    keyboard.type(CTRL_C)
    keyboard.expect("repl[2]:1: ")
    keyboard.expect("interrupt")
    keyboard.expect("[3]> ")
    keyboard.type("x" + ENTER)
    keyboard.expect("=> 7")


def test_ctrl_c_clears_the_input(sit: Sit) -> None:
    keyboard = sit()
    keyboard.type("if true then" + ENTER)
    keyboard.expect(".. ")
    keyboard.type("nonsense" + CTRL_C)
    keyboard.expect("[1]> ")
    keyboard.type("1 + 1" + ENTER)
    keyboard.expect("=> 2")


def test_tab_completes_from_the_session_and_indents_an_empty_line(sit: Sit) -> None:
    keyboard = sit()
    keyboard.type("inventory = {apples = 3}" + ENTER)
    keyboard.expect("[2]> ")
    keyboard.type("inven" + TAB)
    keyboard.expect("inventory")
    keyboard.type(".app" + TAB)
    keyboard.expect("apples")
    keyboard.type(" + 1" + ENTER)
    keyboard.expect("=> 4")
    keyboard.expect("[3]> ")
    keyboard.type(TAB + "[[" + ENTER + TAB + "x]]" + ENTER)
    keyboard.expect('=> "  x"')


def test_tab_completes_what_is_stored(sit: Sit) -> None:
    keyboard = sit()
    keyboard.type("ext.table('users').ann = { age = 41, email = 'a@b' }" + ENTER)
    keyboard.expect("[2]> ")
    keyboard.type("ext.table('us" + TAB)
    keyboard.expect("users")
    keyboard.type("').an" + TAB)
    keyboard.expect("ann")
    keyboard.type("." + TAB)
    keyboard.expect("age")
    keyboard.expect("41")  # What it is stands beside it.
    keyboard.expect("email")
    keyboard.type("em" + TAB)
    keyboard.expect("ail")
    keyboard.type(ENTER)
    keyboard.expect('=> "a@b"')


def test_commands_work_and_quit_ends(sit: Sit) -> None:
    keyboard = sit()
    keyboard.type(":mem" + TAB)
    keyboard.expect(":memory")
    keyboard.type(ENTER)
    keyboard.expect("Lua uses ")
    keyboard.expect("[1]> ")
    keyboard.type(":quit" + ENTER)
    assert keyboard.wait() == 0


def test_history_is_kept_from_one_run_to_the_next(sit: Sit, tmp_path: Path) -> None:
    keyboard = sit()
    keyboard.type("40 + 2" + ENTER)
    keyboard.expect("=> 42")
    keyboard.expect("[2]> ")
    keyboard.type(CTRL_D)
    assert keyboard.wait() == 0
    keyboard = sit()
    keyboard.type(UP + ENTER)
    keyboard.expect("=> 42")
    history = tmp_path / "state" / "lua-ls-persist" / "history"
    if sys.platform == "linux":
        assert "+40 + 2" in history.read_text(encoding="utf-8")
        assert history.stat().st_mode & 0o777 == 0o600


def test_a_history_that_cannot_be_kept_is_no_obstacle(sit: Sit, tmp_path: Path) -> None:
    (tmp_path / "state").touch()
    keyboard = sit(XDG_STATE_HOME=str(tmp_path / "state"))
    if sys.platform == "linux":
        assert "The history is not kept" in keyboard.shown
    keyboard.type("1 + 1" + ENTER)
    keyboard.expect("=> 2")


def test_alt_enter_evaluates_at_once(sit: Sit) -> None:
    keyboard = sit()
    keyboard.type("if true then" + ESCAPE + ENTER)
    keyboard.expect("repl[1]:1: 'end' expected near <eof>")


def test_enter_in_the_midst_of_several_lines_makes_a_line(sit: Sit) -> None:
    keyboard = sit()
    keyboard.type("function f()" + ENTER)
    keyboard.expect(".. ")
    keyboard.type("return 1 end" + UP + ENTER)  # the cursor is in the first line
    keyboard.expect(".. ")
    keyboard.type("\x1b[B" * 3 + "\x05" + ENTER)  # down, to the line's end
    keyboard.expect("[2]> ")
    keyboard.type("f()" + ENTER)
    keyboard.expect("=> 1")


def test_wide_results_are_broken_at_the_terminals_width(sit: Sit) -> None:
    keyboard = sit()
    keyboard.type("{('a'):rep(40), ('b'):rep(40)}" + ENTER)
    keyboard.expect("=> {\n")
    keyboard.expect(f'"{"a" * 40}",\n')
    keyboard.expect("}\n")
