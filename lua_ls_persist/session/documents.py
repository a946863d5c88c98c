"""Evaluating parts of a document so that they see its top-level locals.

Lua forgets the locals of a chunk when it ends. Somebody who evaluates a document, and then a form
of it, expects that the form sees them. lua/prelude/locals.lua keeps them in the VM, by document;
here is which sources the VM is given for that. What is in a document, and where, its editor knows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeAlias

from lua_ls_persist.model import Evaluation, Problem, Value
from lua_ls_persist.pretty import with_values_text

CAPTURE: Final = "__lua_persist_locals"
"""By this name a source hands over its locals, as `CAPTURE(1, function() return a, b end)`."""


NOT_LOCAL: Final = "\f" * len("local")
"""Stands where a declaration that is evaluated again had `local`: blank for Lua."""

FRONT_START: Final = "local __lua_persist_keys = ... "
FRONT_END: Final = "--[[__lua_persist]] "
"""What is put before a definition on its own line, where no line is above it, stands between."""
BACK_START: Final = f"\n{FRONT_END}"
"""With this begins what is put behind a definition."""

_PUT_BEFORE: Final = re.compile(rf"{re.escape(FRONT_START)}[^\n]*?{re.escape(FRONT_END)}")
_FRONT: Final = re.compile(rf"local {CAPTURE} <const>[^\n]*? = \.\.\. return function\(\.\.\.\) ?")
_HANDED: Final = re.compile(rf"{CAPTURE}\(\d+, function\(\) return [^\n]*? end\) ?")


def as_written(text: str) -> str:
    """Lines of a source without what was added to them to evaluate it."""
    if CAPTURE in text:
        text = _HANDED.sub("", _FRONT.sub("", text))
    if FRONT_END in text:
        text = _PUT_BEFORE.sub("", text, count=1)
    return text.replace(NOT_LOCAL, "local")


def as_told(source: bytes) -> bytes | None:
    """The definition in a source that puts its function in the place of a stored one.

    None for all other sources: those are told as they are.
    """
    if not source.startswith(FRONT_START.encode()):
        return None
    front, between, text = source.partition(FRONT_END.encode())
    if b"\n" in front or not between:
        text = source.partition(b"\n")[2]
    return text.partition(BACK_START.encode())[0]


@dataclass(frozen=True, slots=True)
class Way:
    """A source that stands for a part of a document: a function that is to be called.

    It begins with `local __lua_persist_locals, ... = ... return function(...)`, where `...` are the
    locals that it sees, and ends with `end`.
    """

    text: str
    line: int
    """How many lines stand before it in its document."""
    visible: tuple[str, ...] = ()
    """The locals of the document that it sees."""
    captures: tuple[tuple[str, ...], ...] = ()
    """The locals that it hands over, at each place where it does so, in the order of the values."""
    updated: tuple[str, ...] = ()
    """Locals that are assigned what the new ones of the same name have."""
    kept: tuple[str, ...] = ()
    """Of these, the ones that the new ones do not take the place of."""
    is_expression: bool = False
    """It returns one value more, in front."""


Compose: TypeAlias = Callable[[frozenset[str]], Sequence[Way]]
"""The ways to evaluate something, best first, when these locals of its document are known; none:
it is evaluated as it stands."""


@dataclass(frozen=True, slots=True)
class DocumentCode:
    """A document, or a part of it, that is evaluated as one."""

    document: str
    """What tells the document from others."""
    compose: Compose
    whole: bool = False
    """It is all of the document: nothing of what was known of it counts any more."""


def known_names(values: Sequence[Value]) -> frozenset[str]:
    """What the prelude says of the names it knows."""
    text = values[0] if values else ""
    return frozenset(text.split()) if isinstance(text, str) else frozenset()


def has_run(evaluation: Evaluation) -> bool:
    """Whether one of the ways could be compiled."""
    return not evaluation.ok or evaluation.values[:1] != (False,)


def refused(evaluation: Evaluation, name: str) -> Evaluation | None:
    """The syntax error that only the locals around a source make one; None without such."""
    message = evaluation.values[1] if len(evaluation.values) > 1 else ""
    if not isinstance(message, str) or not message:
        return None
    head, _, rest = message.partition(": ")
    line = head.rpartition(":")[2]
    problem = Problem("syntax", rest, name, int(line) if line.isdigit() else None)
    return replace(evaluation, ok=False, values=(), text="", problems=(problem,))


def without_wrapping(evaluation: Evaluation, name: str, line: int) -> Evaluation:
    """The evaluation as if the source had been evaluated as it stands, from the `line`th on."""
    if evaluation.ok:
        return with_values_text(replace(evaluation, values=evaluation.values[1:], text=""))
    return replace(
        evaluation, problems=tuple(_cleaned(problem, name, line) for problem in evaluation.problems)
    )


def _cleaned(problem: Problem, name: str, line: int) -> Problem:
    frames = list(problem.traceback)
    if frames and frames[-1].chunk == name:
        wrapped = (f"function <{name}:{line}>", f"function <{name}:{line + 1}>")
        if frames[-1].function in wrapped or frames[-1].function.endswith(" 'inner'"):
            frames[-1] = replace(frames[-1], function="main chunk")
    return replace(problem, traceback=tuple(frames))
