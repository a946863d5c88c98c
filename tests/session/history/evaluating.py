"""Evaluations that have a place in the history."""

from __future__ import annotations

from lua_ls_persist.model import HistoryEntry
from lua_ls_persist.session import Session


def run(session: Session, source: str) -> str:
    result = session.evaluate(source, name="test.lua")
    assert result.ok, result.problems
    return result.text


def newest(session: Session) -> HistoryEntry:
    return session.history(1)[0]
