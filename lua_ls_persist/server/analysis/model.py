"""What the analysis answers with, in positions of the document."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal as OneOf

from lua_ls_persist.server.analysis import nodes
from lua_ls_persist.server.positions import Range

Kind = OneOf["local", "parameter", "loop", "global", "field", "method", "label"]


@dataclass(frozen=True, slots=True)
class Name:
    """An occurrence of a name in a document."""

    text: str
    range: Range
    kind: Kind
    declaration: Range | None
    """Of a local, a parameter, a loop variable or a label that is declared in the document. For the
    implicit `self`: the object before the colon."""
    is_write: bool = False
    """Whether it is assigned or declared here."""
    is_upvalue: bool = False
    """Whether it is a local of a function around."""
    attribute: str | None = None
    """`const` or `close`, from its declaration."""

    @property
    def is_declaration(self) -> bool:
        """Whether it is declared here."""
        return self.declaration == self.range


@dataclass(frozen=True, slots=True)
class PathStep:
    """A part of an expression behind its base."""

    kind: OneOf[".", ":", "[", "("]
    key: nodes.CONSTANT_KEY | None
    """None where it is computed, and for a call; empty where it is not typed yet."""
    range: Range
    """Of the key, or of the whole call with its brackets."""
    arguments: tuple[nodes.CONSTANT_KEY | None, ...] = ()
    """Of a call; None for each that is no constant."""


@dataclass(frozen=True, slots=True)
class ExpressionPath:
    """An expression such as `a.b["c"]:d`, or `ext.table("users")[1].name`."""

    base: Name | None
    """None where it begins with brackets around something."""
    steps: tuple[PathStep, ...]
    range: Range

    @property
    def keys(self) -> tuple[nodes.CONSTANT_KEY | None, ...]:
        """The key of each step."""
        return tuple(step.key for step in self.steps)

    @property
    def is_constant(self) -> bool:
        """Whether it is a name with constant keys: no calls, nothing computed."""
        return self.base is not None and all(
            step.kind != "(" and step.key is not None for step in self.steps
        )

    @property
    def text(self) -> str:
        """How a person would write it; what is computed as `?`."""
        text = "(...)" if self.base is None else self.base.text
        for step in self.steps:
            if step.kind in (".", ":"):
                text += f"{step.kind}{step.key}"
            elif step.kind == "(":
                text += "(...)"
            else:
                key = f'"{step.key}"' if isinstance(step.key, str) else step.key
                text += f"[{'?' if key is None else key}]"
        return text


@dataclass(frozen=True, slots=True)
class CallSite:
    """A call around a position."""

    function: ExpressionPath
    argument: int
    """Which argument the position is in, from 0."""
    range: Range
    """What lies between the brackets."""
    arguments: tuple[Range, ...]
    constants: tuple[nodes.CONSTANT_KEY | None, ...]
    """The arguments that are constants; None for each other."""

    @property
    def is_method(self) -> bool:
        """Whether the function gets what stands before the colon as a first argument."""
        return bool(self.function.steps) and self.function.steps[-1].kind == ":"


@dataclass(frozen=True, slots=True)
class FunctionInfo:
    """A function as it is written."""

    parameters: tuple[str, ...]
    """Without the implicit `self`."""
    variadic: bool
    is_method: bool
    """Whether it is written with a colon."""
    range: Range


@dataclass(frozen=True, slots=True)
class GlobalUse:
    """Where a global is read or written."""

    text: str
    range: Range
    is_write: bool


@dataclass(frozen=True, slots=True)
class Value:
    """What a name or a field is set to."""

    range: Range
    path: ExpressionPath | None = None
    function: FunctionInfo | None = None
    constant: nodes.CONSTANT_KEY | None = None
    is_table: bool = False
