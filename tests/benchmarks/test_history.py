"""The part about the history: every subject runs, and the bars are judged."""

from __future__ import annotations

import pytest

from benchmarks import bars, history


def test_every_subject_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "RECORDS", 50)
    samples = history.measure_history(rounds=1)
    assert len(samples) == 9
    text = history.format_history(samples)
    assert "insert 50 records of 3 fields, committed, with a history" in text
    insert, one = history.judge(samples)
    assert (insert.bar, one.bar) == (bars.HISTORY_INSERT, bars.HISTORY_ONE)
    assert insert.value == history.ratio(samples, history.INSERT.format(50))
