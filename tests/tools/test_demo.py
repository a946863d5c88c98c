"""`make demo` shows what it says, and says so when it cannot."""

from __future__ import annotations

import sys

import pytest

from tools import demo


def test_it_shows_results_errors_and_output(capsys: pytest.CaptureFixture[str]) -> None:
    assert demo.main() == 0
    shown = capsys.readouterr().out
    for path in demo.EXAMPLES.glob("*.lua"):
        assert path.name in shown
    assert "=> {ones = 4, tens = 30}" in shown
    assert "^ attempt to perform arithmetic on a nil value (field 'price')" in shown
    assert "errors.lua:16" in shown
    assert "│ square 9.00" in shown


def test_a_server_that_ends_at_once_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    assert demo.main([sys.executable, "-c", "raise SystemExit(3)"]) == 1
    assert "the language server failed: " in capsys.readouterr().err
