"""The arithmetic of the benchmarks: samples, means, rounds, tables, bars."""

from __future__ import annotations

import itertools
import math

import pytest

from benchmarks.bars import Bar, Judgement, format_judgements
from benchmarks.compute import NATIVE, OURS, WASMOON, Samples, compare, format_samples
from benchmarks.measure import Sample, Subject, format_table, format_time, geometric_mean, measure


def test_sample() -> None:
    sample = Sample((3.0, 1.0, 2.0, 9.0))
    assert sample.best_s == 1.0
    assert sample.median_s == 2.5


def test_geometric_mean() -> None:
    assert math.isclose(geometric_mean([1.0, 4.0, 16.0]), 4.0)
    assert math.isclose(geometric_mean([2.0, 0.5]), 1.0)
    with pytest.raises(ValueError, match="at least one"):
        geometric_mean([])


def test_rounds_are_interleaved_and_the_first_is_not_counted() -> None:
    calls: list[str] = []
    ticks = itertools.count(step=10)
    samples = measure(
        [
            Subject("a", lambda: calls.append("a"), repeats=2, prepare=lambda: calls.append("p")),
            Subject("b", lambda: calls.append("b")),
        ],
        rounds=2,
        clock=lambda: float(next(ticks)),
    )
    assert calls == ["p", "a", "a", "b"] * 3
    assert samples == {"a": Sample((5.0, 5.0)), "b": Sample((10.0, 10.0))}


def test_python_collector_rests_while_measuring_and_is_back_afterwards() -> None:
    import gc

    seen: list[bool] = []
    measure([Subject("a", lambda: seen.append(gc.isenabled()))], rounds=1)
    assert seen == [False, False]
    assert gc.isenabled()


SAMPLES: Samples = {
    NATIVE: {"fib": Sample((0.010, 0.020)), "coroutines": Sample((0.010, 0.010))},
    OURS: {"fib": Sample((0.030, 0.020)), "coroutines": Sample((0.080, 0.090))},
    WASMOON: {"fib": Sample((0.040, 0.050)), "coroutines": Sample((0.400, 0.400))},
}


def test_comparison_is_of_the_best_rounds() -> None:
    to_native = compare(SAMPLES, OURS, NATIVE)
    assert to_native.ratios == {"fib": 2.0, "coroutines": 8.0}
    assert math.isclose(to_native.mean, 4.0)
    assert math.isclose(to_native.mean_without_coroutines, 2.0)
    assert math.isclose(compare(SAMPLES, OURS, WASMOON).ratios["fib"], 0.5)


def test_table_of_samples() -> None:
    assert format_samples(SAMPLES, unit_s=1e-3).splitlines()[2] == (
        "| fib        |   10.0 |   15.0 | 20.0 |   25.0 |  2.00 |    40.0 |   45.0 |  4.00 |"
    )


def test_table() -> None:
    assert format_table(["name", "n"], [["a", "100"], ["long name", "2"]]) == (
        "| name      |   n |\n| --------- | --: |\n| a         | 100 |\n| long name |   2 |"
    )


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (2.0, "2 s"),
        (0.0123456, "12.3 ms"),
        (0.9996, "1 s"),
        (0.0000456, "45.6 us"),
        (0.00000001, "10 ns"),
    ],
)
def test_times(seconds: float, text: str) -> None:
    assert format_time(seconds) == text


@pytest.mark.parametrize(
    ("value", "verdict"), [(0.5, "met (aim too)"), (1.0, "met"), (2.0, "NOT MET"), (3.0, "NOT MET")]
)
def test_verdicts(value: float, verdict: str) -> None:
    assert Judgement(Bar("b", "ms", limit=2.0, aim=1.0), value).verdict == verdict


def test_a_bar_without_an_aim_is_met_or_not() -> None:
    assert Judgement(Bar("b", "ms", limit=2.0), 0.1).verdict == "met"


def test_table_of_bars() -> None:
    table = format_judgements([Judgement(Bar("open", "ms", 2.0, 1.0), 1.5, note="cached")])
    assert table.splitlines()[2] == "| open (cached) |   1.5 ms |     2 |   1 |     met |"
