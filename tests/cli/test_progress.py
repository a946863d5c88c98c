"""What is shown while a command works, to people who wait for it."""

from __future__ import annotations

import io
import threading

import pytest

from lua_ls_persist.cli import progress as progress_code
from lua_ls_persist.cli.progress import shown, waited


class Screen:
    """Standard error of somebody who looks."""

    def __init__(self) -> None:
        self.text = ""

    def write(self, text: str) -> None:
        self.text += text

    def flush(self) -> None:
        pass

    def isatty(self) -> bool:
        return True


def test_progress_shows_nothing_at_first(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen()
    monkeypatch.setattr("sys.stderr", screen)
    with shown("Doing") as progress:
        progress.count(1)
        progress.part(1, 2)
    assert screen.text == ""


class _Watched(io.StringIO):
    """A terminal that tells when something has appeared."""

    def __init__(self) -> None:
        super().__init__()
        self.appeared = threading.Event()

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.appeared.set()
        return super().write(text)


def test_what_cannot_tell_how_far_it_is_tells_how_long_it_takes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    terminal = _Watched()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setattr(progress_code, "SHOWN_AFTER_S", 0.001)
    with waited("Searching"):
        assert terminal.appeared.wait(10)
    assert terminal.getvalue().startswith("\rSearching: 0 s \x1b[K")
    assert terminal.getvalue().endswith("\r\x1b[K")


def test_what_is_quick_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = _Watched()
    monkeypatch.setattr("sys.stderr", terminal)
    monkeypatch.setattr(progress_code, "SHOWN_AFTER_S", 60.0)
    with waited("Searching"):
        pass
    assert terminal.getvalue() == ""


def test_progress_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setattr(progress_code, "SHOWN_AFTER_S", -1.0)
    with shown("Doing") as progress:
        progress.count(1000, "this")
    assert "Doing, this: 1000" in screen.text
    assert screen.text.endswith("\r\x1b[K")


def test_progress_is_a_bar_where_the_whole_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen()
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setattr(progress_code, "SHOWN_AFTER_S", -1.0)
    with shown("Doing") as progress:
        progress.part(1, 4)
        progress.part(4, 4)
    assert "Doing" in screen.text
    assert "100%" in screen.text


def test_progress_is_for_people(monkeypatch: pytest.MonkeyPatch) -> None:
    screen = Screen()
    monkeypatch.setattr(screen, "isatty", lambda: False)
    monkeypatch.setattr("sys.stderr", screen)
    monkeypatch.setattr(progress_code, "SHOWN_AFTER_S", -1.0)
    with shown("Doing") as progress:
        progress.count(1)
        progress.part(1, 2)
    assert screen.text == ""
