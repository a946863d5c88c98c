"""What could stand at the cursor: Lua keywords, globals, fields along a path, and commands."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from lua_ls_persist.model import Field
from lua_ls_persist.pretty import LUA_KEYWORDS, is_name

Fields = Callable[[Sequence[str]], Iterable[Field]]
"""The fields of the table at a path from the globals; none if there is no such table."""

# A path of names such as `string.fo`, `users.ann:na` or `pri`, right before the cursor. What stands
# before it must not make it the rest of a number or of a path that cannot be followed: `f().x`.
_PATH = re.compile(
    r"(?:(?<=\.\.)|(?<![\w.:)\]\"'}]))((?:[A-Za-z_]\w*\s*[.:]\s*)*)([A-Za-z_]\w*)?\Z", re.ASCII
)
_OPENING = re.compile(r"""(?:--)?\[(=*)\[|--|["']""")
_REST_OF_STRING = {  # up to the closing quote, or the end of the line, where Lua gives up
    quote: re.compile(rf"(?:[^\\\n{quote}]|\\.)*[\n{quote}]", re.DOTALL) for quote in "\"'"
}
_SEPARATED = re.compile(r"([A-Za-z_]\w*)\s*([.:])\s*", re.ASCII)


class LuaCompleter(Completer):
    """Completes Lua by what the session holds at this moment, without running any of it."""

    def __init__(self, fields: Fields, commands: Sequence[str]) -> None:
        """Takes the session's `fields`, and the names of commands, colon included."""
        self._fields = fields
        self._commands = commands

    def get_completions(
        self,
        document: Document,
        complete_event: CompleteEvent,  # noqa: ARG002
    ) -> Iterator[Completion]:
        """The completions for the text before the cursor, in alphabetical order."""
        before = document.text_before_cursor
        if before.startswith(":") and not before.startswith("::"):
            for command in self._commands:
                if command.startswith(before):
                    yield Completion(command, start_position=-len(before))
            return
        match = _PATH.search(before)
        if match is None or in_string_or_comment(before):
            return
        start = match[2] or ""
        for name, kind in sorted(set(self._candidates(match[1], start))):
            yield Completion(name, start_position=-len(start), display_meta=kind)

    def _candidates(self, path: str, start: str) -> Iterator[tuple[str, str]]:
        steps = _SEPARATED.findall(path)
        names = [name for name, _ in steps]
        method = bool(steps) and steps[-1][1] == ":"
        if any(separator == ":" for _, separator in steps[:-1]):
            return  # `a:b.c` is not Lua
        if not names:
            for keyword in LUA_KEYWORDS:
                if start and keyword.startswith(start):
                    yield keyword, "keyword"
        for field in self._members(names, method=method):
            hidden = field.name.startswith("_") and not start
            if field.name.startswith(start) and is_name(field.name) and not hidden:
                yield field.name, field.type

    def _members(self, names: list[str], *, method: bool) -> Iterable[Field]:
        members = self._fields(names)
        if method:
            if not members and self._type_of(names) == "string":
                members = self._fields(["string"])  # ("x"):upper() finds string.upper
            members = [field for field in members if field.type == "function"]
        return members

    def _type_of(self, names: list[str]) -> str | None:
        around = self._fields(names[:-1])
        return next((field.type for field in around if field.name == names[-1]), None)


def in_string_or_comment(text: str) -> bool:
    """Whether the end of the text lies inside of a string or a comment."""
    at = 0
    while opening := _OPENING.search(text, at):
        mark, level = opening[0], opening[1]
        if level is not None:
            closing = text.find(f"]{level}]", opening.end())
            at = closing + len(level) + 2
        elif mark == "--":
            closing = text.find("\n", opening.end())
            at = closing + 1
        else:
            rest = _REST_OF_STRING[mark].match(text, opening.end())
            closing = -1 if rest is None else rest.end()
            at = closing
        if closing < 0:
            return True
    return False
