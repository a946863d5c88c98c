"""The part about compression: every subject runs, and the bar is judged."""

from __future__ import annotations

import pytest

from benchmarks import bars, compression


def test_every_subject_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compression, "RECORDS", 500)
    monkeypatch.setattr(compression, "LONG", 5)
    measured = compression.measure_compression(rounds=1)
    assert len(measured.samples) == 8
    assert measured.strings_ratio > 2
    assert "500 records: a file of " in compression.format_compression(measured)
    (judgement,) = compression.judge(measured)
    assert judgement.bar == bars.COMPRESSION
    assert judgement.value == 1 / measured.file_ratio
