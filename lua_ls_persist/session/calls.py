"""Calling a stored function from outside: what the prelude is given, and what is shown of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from lua_ls_persist.model import Evaluation, Problem
from lua_ls_persist.paths import Key
from lua_ls_persist.pretty import scalar_text
from lua_ls_persist.wire import Encodable, text_to_bytes

CHUNK: Final = "(call)"
"""How the history calls it."""

FUNCTION: Final = "python_call"
"""The function of the prelude that does it."""


def arguments_of(
    keys: Sequence[Key], text: str, arguments: Sequence[Encodable]
) -> Sequence[Encodable]:
    """What it is given."""
    return [list(keys), text, *arguments]


def told(text: str, arguments: Sequence[Encodable]) -> bytes:
    """What the history says of a call: `Memory.calculate(3, "four", {...})`."""
    shown = ", ".join(map(told_value, arguments))
    return text_to_bytes(f"{text}({shown})")


def told_value(value: Encodable) -> str:
    """What the history says of a value."""
    if value is None or isinstance(value, (bool, int, float, str, bytes)):
        return scalar_text(value)
    return "{...}"


def without_call(evaluation: Evaluation, text: str) -> Evaluation:
    """The evaluation as if the function had been called by nobody."""
    if not evaluation.problems:
        return evaluation
    problems = tuple(_cleaned(problem, text) for problem in evaluation.problems)
    return replace(evaluation, problems=problems)


def _cleaned(problem: Problem, text: str) -> Problem:
    frames = list(problem.traceback)
    # What the prelude calls has no name there.
    if frames and frames[-1].function.startswith("function <"):
        frames[-1] = replace(frames[-1], function=f"function '{text}'")
    return replace(problem, traceback=tuple(frames))
