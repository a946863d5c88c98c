"""Evaluations that must succeed, and those that fail because of the store."""

from __future__ import annotations

from lua_ls_persist.model import Evaluation
from lua_ls_persist.session import Session
from lua_ls_persist.store import Store

STORE_DEFAULTS: dict[str, object] = Store.open.__func__.__kwdefaults__  # type: ignore[attr-defined]
PATIENT = ("busy_timeout_ms", 60_000)
"""For `STORE_DEFAULTS`, where several write at once and none may give up: on a busy machine who has
the lock may have to wait itself, and somebody else have bad luck again and again."""


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
