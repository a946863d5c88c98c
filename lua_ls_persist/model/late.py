"""Texts that are not made before somebody asks for them: of a thousand values, few are shown."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar


class LateText:
    """What may have a late `text`. Whoever looks at it, compares it or copies it sees the text."""

    __slots__ = ("_make_text",)

    if not TYPE_CHECKING:  # a type checker that saw it would accept any name

        def __getattr__(self, name: str) -> Any:
            # Python comes here for a slot that has no value.
            if name != "text":
                raise AttributeError(f"{type(self).__name__!r} has no attribute {name!r}")
            text = self._make_text(self)
            object.__setattr__(self, "text", text)
            return text


T = TypeVar("T", bound=LateText)


def with_late_text(value: T, make_text: Callable[[T], str]) -> T:
    """The value itself; what `make_text` says of it is its text. It must not have been seen yet."""
    object.__setattr__(value, "_make_text", make_text)
    object.__delattr__(value, "text")
    return value
