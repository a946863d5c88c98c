"""Calling a stored function from outside: the program that does it, and what is shown of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from lua_ls_persist.model import Evaluation, Problem
from lua_ls_persist.paths import Key
from lua_ls_persist.pretty import scalar_text
from lua_ls_persist.wire import Encodable

CHUNK: Final = "(call)"
"""How the program below is called; nobody gets to see it."""

SOURCE: Final = b"""
local path, text = ...
local value = path[1] == "Memory" and Memory or ext.info(path[1]) and ext.table(path[1]) or nil
for i = 2, #path do
  if type(value) ~= "table" then value = nil break end
  value = value[path[i]]
end
local meta = getmetatable(value)
if type(value) ~= "function" and not (type(meta) == "table" and meta.__call) then
  local what = value == nil and "nil" or "a " .. type(value)
  error(text .. " is " .. what .. ", not a function", 0)
end
-- Not a tail call, which would leave a mark in tracebacks.
return (function(...) return ... end)(value(select(3, ...)))
"""


def arguments_of(
    keys: Sequence[Key], text: str, arguments: Sequence[Encodable]
) -> Sequence[Encodable]:
    """What the program is given."""
    return [list(keys), text, *arguments]


def told(text: str, arguments: Sequence[Encodable]) -> bytes:
    """What the history says of a call: `Memory.calculate(3, "four", {...})`."""
    shown = ", ".join(map(told_value, arguments))
    return f"{text}({shown})".encode("utf-8", "surrogateescape")


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
    if problem.chunk == CHUNK:
        return replace(problem, chunk="", line=None, traceback=())
    frames = [frame for frame in problem.traceback if frame.chunk != CHUNK]
    if frames and frames[-1].function == "local 'value'":
        frames[-1] = replace(frames[-1], function=f"function '{text}'")
    return replace(problem, traceback=tuple(frames))
