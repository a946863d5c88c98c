"""Evaluations that must succeed, and those that fail because of the store."""

from __future__ import annotations

from lua_ls_persist.model import Evaluation
from lua_ls_persist.session import Session


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
