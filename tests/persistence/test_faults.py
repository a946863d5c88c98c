"""The Nth SQL statement fails, the Nth question to the store fails, for each N: the session goes
on, VM and store are as they were before the evaluation, and agree.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import apsw
import pytest

from lua_ls_persist.errors import StoreError
from lua_ls_persist.protocol import StoreOperation
from lua_ls_persist.session import Session
from lua_ls_persist.session.runner import Runner
from tests.persistence.scenarios import SCENARIOS, Prepared, attempt, prepare, run
from tests.persistence.states import damage, seen, seen_afresh, stored

FAULTS_MAX = 2_000

# An error of SQLite; what happens with it: SQLite rolls back by itself, or all that follows fails,
# too; and what people read.
ROLLED_BACK, KEPT, LASTING = "rolled back", "kept", "lasting"
STATEMENT_FAULTS: dict[str, tuple[type[apsw.Error], str, str]] = {
    "full": (apsw.FullError, ROLLED_BACK, "the disk is full"),
    "full, transaction kept": (apsw.FullError, KEPT, "the disk is full"),
    "i/o": (apsw.IOError, ROLLED_BACK, "cannot be read or written"),
    "i/o from then on": (apsw.IOError, LASTING, "cannot be read or written"),
    "corrupt": (apsw.CorruptError, KEPT, "is damaged"),
    "busy": (apsw.BusyError, KEPT, "is locked by another program"),
    "no memory": (apsw.NoMemError, ROLLED_BACK, "cannot be used"),
}


@pytest.fixture(scope="module", params=SCENARIOS)
def prepared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return prepare(tmp_path_factory.mktemp("prepared"), request.param)


def on_its_thread(session: Session, function: Callable[[Runner], None]) -> None:
    session._life.call(function)


@contextmanager
def failing_statement(session: Session, number: int, kind: str) -> Iterator[Callable[[], bool]]:
    """In this block the statement of this number fails; the value tells whether it came to that."""
    error, how, _ = STATEMENT_FAULTS[kind]
    seen_statements = 0
    inside = False

    def trace(cursor: apsw.Cursor, statement: str, _: object) -> bool:
        nonlocal seen_statements, inside
        if inside:
            return True
        seen_statements += 1
        if seen_statements == number or (how == LASTING and seen_statements > number):
            connection = cursor.connection
            if how == ROLLED_BACK and connection.in_transaction:
                inside = True
                connection.execute("ROLLBACK")
                inside = False
            raise error(f"{kind} at {statement}")
        return True

    def set_trace(tracer: Any) -> Callable[[Runner], None]:
        def set_it(runner: Runner) -> None:
            runner.store._connection.exec_trace = tracer

        return set_it

    on_its_thread(session, set_trace(trace))
    try:
        yield lambda: seen_statements >= number
    finally:
        on_its_thread(session, set_trace(None))


def unchanged(session: Session, path: Path, prepared: Prepared) -> None:
    """Nothing has happened, and VM and store agree about it."""
    assert stored(path) == prepared.before
    assert seen(session) == prepared.seen_before


def finished(session: Session, path: Path, prepared: Prepared) -> None:
    """It has happened, whole, and VM and store agree about it."""
    assert stored(path) == prepared.after
    assert seen(session) == prepared.seen_after
    assert damage(path) == []
    assert seen_afresh(path) == prepared.seen_after


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "cold"),
    [
        *((kind, False) for kind in STATEMENT_FAULTS),
        ("i/o", True),
        *(
            pytest.param(kind, True, marks=pytest.mark.soak)
            for kind in STATEMENT_FAULTS
            if kind != "i/o"
        ),
    ],
)
def test_each_statement_fails(prepared: Prepared, tmp_path: Path, kind: str, cold: bool) -> None:
    path = prepared.copy(tmp_path)
    with Session.open(path) as session:
        for number in itertools.count(1):
            assert number < FAULTS_MAX
            if cold:
                session.restart()
            assert session.evaluate("global = (global or 0) + 1").ok
            with failing_statement(session, number, kind) as failed:
                evaluation = attempt(session, "global = 0 " + prepared.source)
                if evaluation.ok:
                    # A lock that is in the way may be gone when the evaluation runs again.
                    # What seems damaged may be the history, which stops no evaluation.
                    assert kind in ("busy", "corrupt") or not failed()
                    break
            (problem,) = evaluation.problems
            assert problem.kind == "persistence"
            assert STATEMENT_FAULTS[kind][2] in problem.message
            assert session.evaluate("return global > 0").values == (True,)
            unchanged(session, path, prepared)
        finished(session, path, prepared)


@contextmanager
def failing_question(
    session: Session, number: int, fail: Callable[[Callable[[], bytes]], bytes]
) -> Iterator[Callable[[], bool]]:
    """In this block `fail` answers the VM's question of this number; whether it came to that."""
    persistence = session._life.runner.persistence
    serve = persistence.serve
    asked = 0

    def answer(operation: int, request: bytes) -> bytes:
        nonlocal asked
        asked += 1
        if asked == number:
            return fail(lambda: serve(operation, request))
        return serve(operation, request)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(persistence, "serve", answer)
        yield lambda: asked >= number


def refuse(_: Callable[[], bytes]) -> bytes:
    raise StoreError("there is no answer")


def answer_and_refuse(serve: Callable[[], bytes]) -> bytes:
    serve()
    raise StoreError("there is no answer")


@pytest.mark.parametrize("cold", [False, True], ids=["cached", "cold"])
@pytest.mark.parametrize("fail", [refuse, answer_and_refuse])
def test_each_question_fails(
    prepared: Prepared, tmp_path: Path, fail: Callable[[Callable[[], bytes]], bytes], cold: bool
) -> None:
    path = prepared.copy(tmp_path)
    with Session.open(path) as session:
        for number in itertools.count(1):
            assert number < FAULTS_MAX
            if cold:
                session.restart()
            with failing_question(session, number, fail) as failed:
                evaluation = attempt(session, prepared.source)
                if not failed():
                    break
            (problem,) = evaluation.problems
            assert problem.kind == "persistence"
            assert problem.message == "there is no answer"
            unchanged(session, path, prepared)
        assert evaluation.ok, evaluation.problems
        finished(session, path, prepared)


@pytest.mark.parametrize("cold", [False, True], ids=["cached", "cold"])
def test_each_question_is_interrupted(prepared: Prepared, tmp_path: Path, cold: bool) -> None:
    path = prepared.copy(tmp_path)
    with Session.open(path) as session:
        for number in itertools.count(1):
            assert number < FAULTS_MAX
            if cold:
                session.restart()

            def interrupt(serve: Callable[[], bytes]) -> bytes:
                assert session.interrupt()
                return serve()

            with failing_question(session, number, interrupt) as failed:
                evaluation = attempt(session, prepared.source)
                if not failed():
                    break
            (problem,) = evaluation.problems
            assert problem.kind == "interrupt"
            unchanged(session, path, prepared)
        assert evaluation.ok, evaluation.problems
        finished(session, path, prepared)


def test_the_scenarios_ask_every_kind_of_question(tmp_path: Path) -> None:
    asked: set[int] = set()
    for name in SCENARIOS:
        folder = tmp_path / name
        folder.mkdir()
        prepared = prepare(folder, name)
        with Session.open(prepared.copy(folder), resume=False) as session:
            persistence = session._life.runner.persistence
            serve = persistence.serve

            def answer(
                operation: int, request: bytes, serve: Callable[[int, bytes], bytes] = serve
            ) -> bytes:
                asked.add(operation)
                return serve(operation, request)

            with pytest.MonkeyPatch.context() as patch:
                patch.setattr(persistence, "serve", answer)
                run(session, prepared.source)
    # The rest is asked by `load`, and where somebody else has written.
    assert set(StoreOperation) - asked == {StoreOperation.VERIFY_CODE, StoreOperation.CELLS}
