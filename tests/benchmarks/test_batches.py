"""The part about batches: every subject runs, and the same is done from Lua and from Python."""

from __future__ import annotations

import pytest

from benchmarks import bars, batches
from lua_ls_persist.session import Session

OPERATIONS, ROWS = 12, 20


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "OPERATIONS", OPERATIONS)
    monkeypatch.setattr(batches, "ROWS", ROWS)


def test_every_subject_runs() -> None:
    messages: list[str] = []
    samples = batches.measure_batches(rounds=1, report=messages.append)
    assert (batches.TARANTOOL in samples) == (messages == [])
    assert all(sample.best_s > 0 for sample in samples.values())
    text = batches.format_batches(samples)
    assert all(name in text for name in samples)
    (judgement,) = batches.judge(samples)
    assert judgement.bar is bars.BATCH
    assert judgement.value == samples[batches.MIXED].best_s * 1e3


@pytest.mark.parametrize("kinds", [("set",), ("set", "update", "get", "delete")])
def test_the_operations_are_the_same_from_lua_and_from_python(kinds: tuple[str, ...]) -> None:
    make = batches._MAKE.replace("COUNT", str(OPERATIONS))
    contents = []
    for from_python in (True, False):
        with Session.open() as session:
            session.batch(batches.operations_of(("set",)))
            if from_python:
                assert session.batch(batches.operations_of(kinds)).ok
            else:
                assert session.evaluate(make, arguments=[list(kinds)]).ok
                assert session.evaluate("local results = ext.batch(operations)").ok
            contents.append(session.evaluate("return ext.table('users')").text)
    assert contents[0] == contents[1]
