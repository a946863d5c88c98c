"""Several sessions on one file, in threads and in processes: every evaluation counts exactly once,
and each session sees what the others have committed.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import apsw
import pytest

from lua_ls_persist.model import Evaluation, OutputPiece
from lua_ls_persist.session import Session, idle
from lua_ls_persist.session.runner import RERUNS_MAX
from lua_ls_persist.store import Store
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


def evaluated(session: Session, source: str, *arguments: str | int) -> tuple[object, ...]:
    """The values of an evaluation that must succeed."""
    evaluation = session.evaluate(source, arguments=arguments, time_limit_s=60)
    assert evaluation.ok, evaluation.problems
    return evaluation.values


def value(session: Session, source: str) -> object:
    (only,) = evaluated(session, source)
    return only


def persistence_problem(evaluation: Evaluation) -> str:
    """The message of the one problem of an evaluation that failed because of the store."""
    assert not evaluation.ok
    (problem,) = evaluation.problems
    assert problem.kind == "persistence"
    return problem.message


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


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "session.db"


@pytest.fixture(scope="module")
def zygote() -> Iterator[Zygote]:
    with Zygote() as zygote:
        yield zygote


def race_in_child(child: Child) -> None:
    task = child.task
    if task["idle"]:
        for name in IDLE_CONSTANTS:
            setattr(idle, name, 0.0)
    race(Path(str(task["path"])), str(task["kind"]), str(task["who"]), int(str(task["count"])))
    child.say("finished")


@pytest.mark.parametrize("kind", [*RACES, ALL])
@pytest.mark.parametrize("racers", [2, 3])
def test_threads(path: Path, kind: str, racers: int) -> None:
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


# -- two sessions, turn by turn


@pytest.fixture
def two(path: Path) -> Iterator[tuple[Session, Session]]:
    with Session.open(path) as first, Session.open(path) as second:
        yield first, second


def test_what_the_other_writes_is_seen(two: tuple[Session, Session]) -> None:
    a, b = two
    evaluated(a, "Memory.n, Memory.t, Memory.list = 1, { x = 1, y = { z = 1 } }, { 1, 2, 3 }")
    evaluated(a, "t, list = Memory.t, Memory.list inner = t.y")
    look = "return Memory.n, t.x, t.y and t.y.z, t.new, #list, list[4], inner.z"
    assert evaluated(a, look) == (1, 1, 1, None, 3, None, 1)
    evaluated(b, "Memory.n = 2 Memory.t.x = nil Memory.t.y.z = 2 Memory.t.new = 'new'")
    assert evaluated(a, look) == (2, None, 2, "new", 3, None, 2)
    evaluated(b, "table.insert(Memory.list, 4)")
    assert evaluated(a, look) == (2, None, 2, "new", 4, 4, 2)
    evaluated(b, "table.remove(Memory.list, 1) Memory.t.y = nil")
    assert evaluated(a, look) == (2, None, None, "new", 3, None, 2)
    evaluated(a, "inner.z = 3 Memory.t.y = inner")
    assert value(b, "Memory.t.y.z") == 3
    counted = "local n = 0 for _ in pairs(Memory.t) do n = n + 1 end return n"
    assert value(a, counted) == value(b, counted) == 2
    evaluated(b, "for key in pairs(Memory.t) do Memory.t[key] = nil end")
    assert value(a, counted) == 0
    assert value(a, "next(t)") is None


def test_identity_survives_what_the_other_writes(two: tuple[Session, Session]) -> None:
    a, b = two
    evaluated(a, "Memory.a = { n = 1 } Memory.b = Memory.a Memory.f = function() return 1 end")
    evaluated(a, "t, f = Memory.a, Memory.f")
    evaluated(
        b, "assert(Memory.a == Memory.b) Memory.a.n = 2 Memory.c = Memory.a Memory.g = Memory.f"
    )
    assert evaluated(a, "return t == Memory.c, Memory.b == t, f == Memory.g, t.n") == (
        True,
        True,
        True,
        2,
    )


def test_live_functions_have_the_cells_that_the_other_wrote(two: tuple[Session, Session]) -> None:
    a, b = two
    evaluated(
        a,
        "local n, t, f = 1, { v = 1 }, function() return 1 end "
        "function Memory.get() return n, t.v, f() end "
        "function Memory.set(a, b, c) n, t, f = a, b, c end",
    )
    evaluated(a, "get, set = Memory.get, Memory.set")
    assert evaluated(a, "return get()") == (1, 1, 1)
    evaluated(b, "Memory.set(2, { v = 2 }, function() return 2 end)")
    assert evaluated(a, "return get()") == (2, 2, 2)
    evaluated(a, "set(3, { v = 3 }, function() return 3 end)")
    assert evaluated(b, "return Memory.get()") == (3, 3, 3)
    evaluated(b, "local n = 4 Memory.set(n, { v = n }, function() n = n + 1 return n end)")
    assert evaluated(a, "return get()") == (4, 4, 5)
    assert evaluated(b, "return Memory.get()") == (4, 4, 6)
    assert evaluated(a, "return Memory.get()") == (4, 4, 7)


def test_metatables_that_the_other_changes(two: tuple[Session, Session]) -> None:
    a, b = two
    evaluated(a, "Memory.t = setmetatable({}, { __index = { kind = 'first' } })")
    evaluated(a, "t = Memory.t")
    assert value(a, "t.kind") == "first"
    evaluated(b, "getmetatable(Memory.t).__index = { kind = 'second' }")
    assert value(a, "t.kind") == "second"
    evaluated(b, "setmetatable(Memory.t, { __call = function() return 'called' end })")
    assert evaluated(a, "return t.kind, t()") == (None, "called")
    evaluated(b, "setmetatable(Memory.t, nil)")
    assert evaluated(a, "return getmetatable(t), pcall(t)")[:2] == (None, False)
    evaluated(b, "setmetatable(Memory, { __index = function(_, key) return key .. '?' end })")
    assert evaluated(a, "return Memory.unknown, t == Memory.t") == ("unknown?", True)


def test_names_that_the_other_makes_and_drops(two: tuple[Session, Session]) -> None:
    a, b = two
    names = "local all = {} for _, t in ipairs(ext.tables()) do all[#all + 1] = t.name end "
    names += "return table.concat(all, ' ')"
    evaluated(a, "users = ext.table('users') users.ann = 1")
    assert value(b, names) == "Memory users"
    evaluated(b, "ext.drop('users') ext.table('jobs').first = 1")
    assert value(a, names) == "Memory jobs"
    # What the program holds of the dropped table is no named table any more.
    assert evaluated(a, "return ext.table('users') == users, ext.table('users').ann") == (
        False,
        None,
    )
    assert value(a, "users.ann") == 1
    evaluated(a, "ext.table('users').ann = 2")
    assert value(b, "ext.table('users').ann") == 2
    evaluated(a, "ext.drop('jobs')")
    evaluated(b, "ext.table('jobs').second = 2")
    assert evaluated(a, "return ext.table('jobs').first, ext.table('jobs').second") == (None, 2)


def test_what_the_other_has_collected_is_refused(path: Path, two: tuple[Session, Session]) -> None:
    a, b = two
    evaluated(
        a,
        "local n = 0 Memory.t = { 1 } Memory.f = function() n = n + 1 return n end "
        "held, f, other = Memory.t, Memory.f, function() return n end",
    )
    evaluated(a, "Memory.t, Memory.f = nil")
    b.forget_history()
    assert value(b, "ext.collect().tables") == 1
    assert value(a, "f()") == 1
    for store in (
        "Memory.t = held",
        "Memory.f = f",
        "Memory.new = { deep = { held } }",
        "Memory.new = { [held] = 1 }",
        "Memory.new = setmetatable({}, held)",
        "Memory.new = function() return held end",
    ):
        message = persistence_problem(a.evaluate(f"local held, f = held, f {store}"))
        assert "is no longer in" in message
    # This function is new, and its upvalue is there with it, as it is now.
    evaluated(a, "Memory.other = other")
    assert value(b, "Memory.other()") == 1
    assert damage(path) == []
    evaluated(a, "Memory.t = { table.unpack(held) }")
    assert seen(a) == seen(b) == seen_afresh(path)


def test_both_go_on_from_one_image_with_ids_of_their_own(path: Path) -> None:
    with Session.open(path) as session:
        evaluated(session, "Memory.list = { {} } global = 7")
    with Session.open(path) as a, Session.open(path) as b:
        assert a.resumed
        assert b.resumed
        evaluated(a, "Memory.a = { name = 'a' } Memory.list[2] = function() return 'a' end")
        evaluated(b, "Memory.b = { name = 'b' } Memory.list[3] = function() return 'b' end")
        assert evaluated(a, "return Memory.a.name, Memory.b.name, global") == ("a", "b", 7)
        assert evaluated(b, "return Memory.list[2](), Memory.list[3]()") == ("a", "b")
        assert value(a, "Memory.a == Memory.b") is False
        assert damage(path) == []
        assert seen(a) == seen(b) == seen_afresh(path)


def test_an_image_is_not_resumed_when_the_other_has_written_since(path: Path) -> None:
    with Session.open(path) as b:
        with Session.open(path) as a:
            evaluated(a, "Memory.n = 1 global = 1")
        evaluated(b, "Memory.n = 2")
        with Session.open(path) as a:
            assert not a.resumed
            assert "the data have changed" in a.started
            assert evaluated(a, "return Memory.n, global") == (2, None)


# -- one in the middle of the other's evaluation


class Hook:
    """Lua's `dofile("hook")` runs a function of the test in the middle of an evaluation."""

    def __init__(self) -> None:
        self.calls = 0
        self.function: Callable[[], object] = lambda: None

    def __call__(self, _: Path) -> str:
        self.calls += 1
        self.function()
        return ""


@pytest.fixture
def hook() -> Hook:
    return Hook()


@pytest.fixture
def hooked(path: Path, hook: Hook) -> Iterator[tuple[Session, Session]]:
    """Two sessions; evaluations of the first call the hook."""
    with (
        Session.open(path, folders=[path.parent], open_buffers=hook) as first,
        Session.open(path) as second,
    ):
        evaluated(first, "Memory.x, Memory.y, Memory.n, Memory.t = 50, 50, 0, {}")
        evaluated(second, "return Memory.x, Memory.y")
        yield first, second


def test_an_evaluation_reads_one_state(hooked: tuple[Session, Session], hook: Hook) -> None:
    a, b = hooked
    evaluated(b, "Memory.x, Memory.y = 40, 60")
    hook.function = lambda: evaluated(b, "Memory.x, Memory.y = Memory.x - 1, Memory.y + 1")
    assert evaluated(a, "local x = Memory.x dofile('hook') return x, Memory.y") == (40, 60)
    assert hook.calls == 1, "who only reads need not run again"
    assert evaluated(a, "return Memory.x, Memory.y") == (39, 61)


def test_an_evaluation_that_lost_runs_again(hooked: tuple[Session, Session], hook: Hook) -> None:
    a, b = hooked

    def once() -> None:
        if hook.calls == 1:
            evaluated(b, "Memory.n = Memory.n + 10")

    hook.function = once
    told: list[OutputPiece] = []
    evaluation = a.evaluate(
        "counted = (counted or 0) + 1 print('before') dofile('hook') print('after') "
        "Memory.n = Memory.n + 1 return Memory.n, counted",
        on_output=told.append,
    )
    assert evaluation.values == (11, 1)
    assert hook.calls == 2
    assert evaluation.output_text == "before\nafter\n"
    assert "".join(piece.text for piece in told) == "before\nafter\n"
    assert evaluated(b, "return Memory.n") == (11,)


def test_output_that_differs_when_it_runs_again_is_told(
    hooked: tuple[Session, Session], hook: Hook
) -> None:
    a, b = hooked

    def twice() -> None:
        if hook.calls <= 2:
            evaluated(b, "Memory.n = Memory.n + 10")

    hook.function = twice
    told: list[OutputPiece] = []
    evaluation = a.evaluate(
        "print('begin') print('n is ' .. Memory.n) dofile('hook') print('end') Memory.n = 1",
        on_output=told.append,
    )
    assert evaluation.output_text == "begin\nn is 20\nend\n"
    assert "".join(piece.text for piece in told) == (
        "begin\nn is 0\nend\nn is 10\nend\nn is 20\nend\n"
    )


def test_reruns_are_bounded_and_then_one_waits(
    hooked: tuple[Session, Session], hook: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    a, _ = hooked
    failed: list[str] = []
    # Another session that does not wait for long: it runs into the lock that the first one takes.
    monkeypatch.setitem(Store.open.__func__.__kwdefaults__, "busy_timeout_ms", 50)  # type: ignore[attr-defined]
    assert a.path is not None
    with Session.open(a.path) as hasty:

        def always() -> None:
            evaluation = hasty.evaluate("Memory.n = Memory.n + 10")
            if not evaluation.ok:
                failed.append(persistence_problem(evaluation))

        hook.function = always
        source = "dofile('hook') Memory.n = Memory.n + 1 return Memory.n"
        assert evaluated(a, source) == (10 * RERUNS_MAX + 1,)
        assert hook.calls == RERUNS_MAX + 1
        assert len(failed) == 1
        assert "is locked by another program" in failed[0]
        assert value(hasty, "Memory.n") == 10 * RERUNS_MAX + 1


def test_a_failing_evaluation_that_lost_fails_by_what_is_there(
    hooked: tuple[Session, Session], hook: Hook
) -> None:
    a, b = hooked
    hook.function = lambda: hook.calls > 1 or evaluated(b, "Memory.t.done = true")
    # In the state it began with it would have written, and lost; in the one there is, it raises.
    evaluation = a.evaluate(
        "local done = Memory.t.done dofile('hook') if done then error('done') end Memory.n = 5"
    )
    assert [problem.message for problem in evaluation.problems] == ["done"]
    assert hook.calls == 2
    assert value(b, "Memory.n") == 0


def test_a_fork_is_of_the_data_that_it_has_copied(
    hooked: tuple[Session, Session], monkeypatch: pytest.MonkeyPatch
) -> None:
    a, b = hooked
    evaluated(a, "t = Memory.t global = Memory.x")
    backup = Store.backup

    def late(store: Store, path: Path) -> None:
        evaluated(b, "Memory.x = 51 Memory.t.new = true")
        backup(store, path)

    monkeypatch.setattr(Store, "backup", late)
    with a.fork() as fork:
        assert evaluated(fork, "return global, Memory.x, t.new, t == Memory.t") == (
            50,
            51,
            True,
            True,
        )
        assert fork._life.runner.store.integrity() == []


# -- one that is in the way for long


def test_a_long_evaluation_lets_others_read_and_makes_them_wait(
    hooked: tuple[Session, Session], hook: Hook
) -> None:
    a, b = hooked
    inside, go_on = threading.Event(), threading.Event()

    def pause() -> None:
        inside.set()
        assert go_on.wait(60)

    hook.function = pause
    # What looks at the store as a whole sends what was changed: the file is locked from then on.
    running = a.submit("Memory.n = 1 ext.tables() dofile('hook') Memory.n = Memory.n + 1")
    assert inside.wait(60)
    assert evaluated(b, "mine = 1 return Memory.n, Memory.x") == (0, 50)
    message = persistence_problem(b.evaluate("mine = 2 Memory.x = 51"))
    assert "is locked by another program" in message
    assert evaluated(b, "return Memory.x, mine") == (50, 1)
    waiting = b.submit("Memory.n = Memory.n + 100 return Memory.n")
    go_on.set()
    assert running.result().ok
    assert waiting.result().values == (102,)
    assert evaluated(a, "return Memory.n, Memory.x") == (102, 50)


@pytest.mark.parametrize("begin", ["BEGIN IMMEDIATE", "BEGIN EXCLUSIVE"])
def test_a_file_that_another_program_has_locked(
    path: Path, begin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(Store.open.__func__.__kwdefaults__, "busy_timeout_ms", 50)  # type: ignore[attr-defined]
    with ExitStack() as stack:
        session = stack.enter_context(Session.open(path))
        evaluated(
            session,
            "Memory.n, global = 1, 1 local count = 0 "
            "function Memory.f() count = count + 1 return count end",
        )
        foreign = stack.enter_context(closing(apsw.Connection(str(path))))
        foreign.execute(begin)
        before = seen(session)
        for source in (
            "global = 2 Memory.n = 2",
            "global = 2 Memory.f()",
            "global = 2 ext.transaction(function() Memory.n = 2 end)",
            "global = 2 pcall(function() Memory.n = 2 ext.tables() end)",
            "global = 2 ext.table('new').x = 1",
            "global = 2 ext.collect() Memory.n = 2",
        ):
            message = persistence_problem(session.evaluate(source))
            assert message == (
                f"{path} is locked by another program. Close that program, or try again later."
            )
        assert evaluated(session, "return Memory.n, global") == (1, 1)
        assert seen(session) == before
        foreign.execute("ROLLBACK")
        assert evaluated(session, "global = 3 Memory.n = 3 return Memory.f()") == (1,)
        assert evaluated(session, "return Memory.n, global") == (3, 3)
    assert damage(path) == []
