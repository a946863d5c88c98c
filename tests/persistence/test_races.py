"""Races of sessions on one file, in threads and in processes: every evaluation counts once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from lua_ls_persist.session import Session, idle
from tests.persistence.evaluating import (
    PATIENT,
    STORE_DEFAULTS,
    evaluated,
    persistence_problem,
    value,
)
from tests.persistence.states import damage, seen, seen_afresh
from tests.persistence.zygote import Child, Zygote

EVALUATIONS = 40

SETUP = """
Memory.shared, Memory.own, Memory.list, Memory.names = 0, {}, {}, {}
local count = 0
function Memory.up() count = count + 1 return count end
function Memory.count() return count end
"""

RACES = {
    "one counter": "Memory.shared = Memory.shared + 1",
    "keys of their own": "Memory.own[who] = (Memory.own[who] or 0) + 1",
    "the same keys": "for key = 1, 5 do Memory.own[key] = (Memory.own[key] or 0) + 1 end",
    "functions that share a cell": "up = up or Memory.up return up()",
    "the end of a list": (
        "local list = Memory.list list[#list + 1] = { who = who, number = number }"
    ),
    "new functions on a shared cell": (
        "up = up or Memory.up local f = up Memory.up = function() return f() end "
        "if number % 5 == 0 then Memory.up = f end return f()"
    ),
    "named tables": (
        "local name = 'named' .. number % 3 if number % 7 == 0 then ext.drop(name) end "
        "local t = ext.table(name) t[who] = number t.names = (t.names or 0) + 1"
    ),
    "transactions": (
        "ext.transaction(function() Memory.shared = Memory.shared + 1 "
        "pcall(ext.transaction, function() Memory.shared = 0 Memory.up() error('undone') end) end)"
    ),
    "tables that come and go": (
        "local names = Memory.names names[number % 4] = { who, { number }, self = names } "
        "held = held or {} held[#held % 3 + 1] = names[number % 4] "
        "names[number % 4 + 10] = setmetatable({}, { __index = names[number % 4] }) "
        "if number % 10 == 0 then names[number % 3] = nil ext.collect() end"
    ),
}

ALL = "all of it"

IDLE_CONSTANTS = ("IMAGE_AFTER_S", "IMAGE_TIMES_COST", "COLLECT_AFTER_S", "COLLECT_TIMES_COST")
"""When these are 0, a session does in the shortest pause what it does in idle time."""


def race(path: Path, kind: str, who: str, evaluations: int = EVALUATIONS) -> None:
    """Take part in a race. What is in the VM is counted as well as what is stored."""
    with Session.open(path, resume=False) as session:
        counted = 0
        for number in range(1, evaluations + 1):
            source = [*RACES.values()][number % len(RACES)] if kind == ALL else RACES[kind]
            evaluation = session.evaluate(
                f"local who, number = ... mine = (mine or 0) + 1 print(number) {source}",
                arguments=[who, number],
            )
            assert evaluation.output_text == f"{number}\n"
            if kind == ALL and not evaluation.ok:
                # It held what the other has replaced and collected.
                assert "is no longer in" in persistence_problem(evaluation)
                evaluated(session, "up, held = nil")
                continue
            assert evaluation.ok, evaluation.problems
            counted += 1
        assert value(session, "mine") == counted


def finished(path: Path, kind: str, racers: list[str]) -> None:
    """Check what a race has left."""
    total = EVALUATIONS * len(racers)
    with Session.open(path) as session:
        if kind in ("one counter", "transactions"):
            assert value(session, "Memory.shared") == total
        if kind == "keys of their own":
            for who in racers:
                assert value(session, f"Memory.own.{who}") == EVALUATIONS
        if kind == "the same keys":
            assert evaluated(session, "return table.unpack(Memory.own)") == (total,) * 5
        if "cell" in kind:
            assert value(session, "Memory.count()") == total
        if kind == "the end of a list":
            assert value(session, "#Memory.list") == total
            listed = value(
                session,
                "local all = {} for _, entry in ipairs(Memory.list) do "
                "all[#all + 1] = entry.who .. entry.number end return table.concat(all, ' ')",
            )
            expected = [f"{who}{number}" for who in racers for number in range(1, EVALUATIONS + 1)]
            assert sorted(str(listed).split()) == sorted(expected)
            last: dict[str, int] = {}
            for word in str(listed).split():  # each racer's in the order of its evaluations
                assert int(word[2:]) == last.get(word[:2], 0) + 1
                last[word[:2]] = int(word[2:])
        there = seen(session)
    assert damage(path) == []
    assert seen_afresh(path) == there


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    with Zygote() as zygote:
        yield zygote


def race_in_child(child: Child) -> None:
    task = child.task
    STORE_DEFAULTS.update([PATIENT])
    if task["idle"]:
        for name in IDLE_CONSTANTS:
            setattr(idle, name, 0.0)
    race(Path(str(task["path"])), str(task["kind"]), str(task["who"]), int(str(task["count"])))
    child.say("finished")


@pytest.mark.parametrize("kind", [*RACES, ALL])
@pytest.mark.parametrize("racers", [2, 3])
def test_threads(path: Path, kind: str, racers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(STORE_DEFAULTS, *PATIENT)
    with Session.open(path) as session:
        evaluated(session, SETUP)
    names = [f"r{number}" for number in range(racers)]
    with ThreadPoolExecutor(racers) as pool:
        for ended in [pool.submit(race, path, kind, name) for name in names]:
            ended.result()
    finished(path, kind, names)


@pytest.mark.parametrize("kind", [*RACES, ALL])
def test_with_idle_work_in_every_pause(
    path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(STORE_DEFAULTS, *PATIENT)
    for name in IDLE_CONSTANTS:
        monkeypatch.setattr(idle, name, 0.0)
    with Session.open(path) as session:
        evaluated(session, SETUP)
    with ThreadPoolExecutor(2) as pool:
        for ended in [pool.submit(race, path, kind, name) for name in ("r0", "r1")]:
            ended.result()
    finished(path, kind, ["r0", "r1"])


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("kind", [*RACES, ALL])
@pytest.mark.parametrize("racers", [2, 3])
def test_processes(zygote: Zygote, path: Path, kind: str, racers: int) -> None:
    with Session.open(path) as session:
        evaluated(session, SETUP)
    race_in_processes(zygote, path, kind, racers, EVALUATIONS, idle_work=False)


@pytest.mark.soak
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("racers", [2, 3, 5])
def test_many_processes(zygote: Zygote, path: Path, racers: int) -> None:
    with Session.open(path) as session:
        evaluated(session, SETUP)
    race_in_processes(zygote, path, ALL, racers, 3_000, idle_work=True)


def race_in_processes(
    zygote: Zygote, path: Path, kind: str, racers: int, count: int, *, idle_work: bool
) -> None:
    names = [f"r{number}" for number in range(racers)]
    task = {"path": str(path), "kind": kind, "count": count, "idle": idle_work}
    children = [zygote.start(f"{__name__}:race_in_child", who=name, **task) for name in names]
    for child in children:
        (message,) = child.hear_all()
        assert message == "finished", str(message)
    finished(path, kind, names)
