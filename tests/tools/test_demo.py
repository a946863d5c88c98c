"""`make demo` shows what it says, and says so when it cannot."""

from __future__ import annotations

import contextlib
import io
import re
import subprocess
import sys

import pytest

from tools import demo


def run() -> str:
    """Everything the demo prints."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        assert demo.main() == 0
    return printed.getvalue()


@pytest.fixture(scope="module")
def shown() -> str:
    return run()


def test_it_shows_results_errors_and_output(shown: str) -> None:
    for path in demo.EXAMPLES.glob("*.lua"):
        assert path.name in shown
    assert "=> {ones = 4, tens = 30}" in shown
    assert "^ attempt to perform arithmetic on a nil value (field 'price')" in shown
    assert "errors.lua:16" in shown
    assert "│ square 9.00" in shown
    assert "-- expect" not in shown


def test_it_shows_what_is_there_after_a_restart(shown: str) -> None:
    before, _, after = shown.partition("a new one started")
    assert "  » visit number 1\n" in before
    for text in (
        "» Memory 18 ⏎ accounts 3 ⏎ event handlers 2 ⏎ events 3 ⏎ guests 2 ⏎ log 5 ⏎ ",
        "» 18 functions, and what they share: 23\n",
        '=> {{done = false, text = "water the plants"}}\n',
        "10 files give the same as before.\n",
    ):
        assert text in after
    changed = [re.split(r"  +", line.strip()) for line in after.splitlines()]
    for row in (
        ['4 print("visit number", Memory.visits)', "» visit number 1", "» visit number 2"],
        ['25 print("computed", calls)', "» computed 100", "» computed 0"],
        ["16 return Memory.thermometer()", "=> 23", "=> 26"],
    ):
        assert row in changed


def test_it_shows_the_data_before_anything_is_evaluated(shown: str) -> None:
    shown = shown.partition("a new one started")[2].partition("look.lua")[0]
    lines = [re.split(r"  +", line.strip()) for line in shown.splitlines()]
    assert ["people", "2000", "3"] in lines
    assert ["1979", "89", '"1979@example.com"', '{"all", "group 79"}'] in lines
    assert ["5 of 2000 rows, index people(age), 6 looked at"] in lines
    assert ["function Memory.thermometer()"] in lines
    assert ["stored, in sync with its source"] in lines
    assert ["Memory.ga‸", "game"] in lines


def test_it_undoes_the_last_evaluation(shown: str) -> None:
    assert re.search(r"\n  Evaluation \d+ was undone; the VM is what it was\.\n", shown)


def test_it_is_the_same_each_time_and_leaves_nothing_behind(shown: str) -> None:
    files = sorted(demo.EXAMPLES.rglob("*"))
    assert without_times(run()) == without_times(shown)
    assert sorted(demo.EXAMPLES.rglob("*")) == files


def without_times(text: str) -> str:
    return re.sub(r"[0-9.]+ ms", "... ms", text)


def test_a_reader_that_goes_away_is_no_error() -> None:
    with subprocess.Popen(
        [sys.executable, "-m", "tools.demo"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=demo.EXAMPLES.parent.parent,
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == b""
        assert process.wait() == demo.READER_GONE


def test_a_server_that_ends_at_once_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    assert demo.main([sys.executable, "-c", "raise SystemExit(3)"]) == 1
    assert "the language server failed: " in capsys.readouterr().err
