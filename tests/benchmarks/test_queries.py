"""The benchmark of queries, with few records: everybody gives the same answers."""

from __future__ import annotations

import pytest

from benchmarks import bars, queries
from benchmarks.native import PeerUnavailableError


def test_everybody_answers_and_is_judged() -> None:
    messages: list[str] = []
    samples = queries.measure_queries(rounds=1, report=messages.append, sizes=[1200])
    # The one that is no package of Python's may not be installed.
    assert messages in ([], ["Tarantool is left out: it is not installed."])
    assert {(key.contender, key.question) for key in samples} == {
        (contender.name, question.name)
        for contender in queries.CONTENDERS
        if contender is not queries.InTarantool or not messages
        for question in queries.QUESTIONS
    }
    assert all(sample.best_s > 0 for sample in samples.values())
    text = queries.format_queries(samples)
    assert text.startswith("### 1,200 records, the first 10 rows")
    assert "| TinyDB, in memory " in text
    inside, ratio = queries.judge(samples)
    assert (inside.bar, ratio.bar) == (bars.INDEXED_QUERY, bars.INDEXED_TO_SCAN)
    assert ratio.value > 0


def test_a_missing_peer_is_reported_and_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_self: queries.TinyDb) -> None:
        raise PeerUnavailableError("TinyDB is left out: no reason.")

    monkeypatch.setattr(queries.TinyDb, "open", missing)
    messages: list[str] = []
    samples = queries.measure_queries(rounds=1, report=messages.append, sizes=[100, 200])
    assert "TinyDB is left out: no reason." in messages
    assert queries.TinyDb.name not in {key.contender for key in samples}
