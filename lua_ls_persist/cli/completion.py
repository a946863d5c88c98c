"""What could stand at the cursor: what the language server offers for the same text, and commands.

Nothing of the program is run for it: the session looks at its values.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from prompt_toolkit.completion import CompleteEvent, Completer, Completion
from prompt_toolkit.document import Document

from lua_ls_persist.errors import LuaPersistError

if TYPE_CHECKING:
    from lua_ls_persist.server.live.offering import Offer
    from lua_ls_persist.session import Session

META_WIDTH_MAX: Final = 70
FOLDERS_LOOKED_AT_MAX: Final = 1_000
"""Modules are looked for in no more: somebody waits for them."""


class LuaCompleter(Completer):
    """Completes Lua by what the session holds at this moment, without running any of it."""

    def __init__(self, session: Session, commands: Sequence[str], folder: Path) -> None:
        """Takes the names of commands, colon included, and where modules are looked for."""
        self._session = session
        self._commands = commands
        self._folder = folder

    def get_completions(
        self, document: Document, complete_event: CompleteEvent
    ) -> Iterable[Completion]:
        """The completions at the cursor, for whoever has no loop."""
        del complete_event
        return asyncio.run(self._completions(document))

    async def get_completions_async(
        self, document: Document, complete_event: CompleteEvent
    ) -> AsyncGenerator[Completion, None]:
        """The completions at the cursor, best first."""
        del complete_event
        for completion in await self._completions(document):
            yield completion

    async def _completions(self, document: Document) -> list[Completion]:
        before = document.text_before_cursor
        if before.startswith(":") and not before.startswith("::"):
            return [
                Completion(command, start_position=-len(before))
                for command in self._commands
                if command.startswith(before)
            ]
        # Lua's own loop takes `=expression` for an expression.
        text = document.text
        text = " " + text[1:] if text.startswith("=") else text
        try:
            return await self._lua(text, len(before))
        except LuaPersistError:  # The session cannot look now: evaluating will say why.
            return []

    async def _lua(self, text: str, offset: int) -> list[Completion]:
        from lua_ls_persist.server.live.completing import Completer as LiveCompleter
        from lua_ls_persist.server.live.looks import SessionLooks
        from lua_ls_persist.server.live.offering import offered

        found = await offered(
            LiveCompleter(SessionLooks(self._session), self._modules), text, offset
        )
        typed = text[found.start : offset]
        # As in any terminal: what only has the letters in it somewhere comes where nothing fits.
        fitting = [one for one in found.items if one.insert.startswith(typed)]
        return [
            Completion(
                one.insert,
                start_position=found.start - offset,
                display=f"{one.label}{one.parameters}",
                display_meta=_meta(one),
            )
            for one in fitting or found.items
        ]

    async def _modules(self) -> list[str]:
        from lua_ls_persist.server.workspace_files import lua_files, module_names

        def look() -> list[str]:
            folders = [self._folder]
            return module_names(lua_files(folders, folders_max=FOLDERS_LOOKED_AT_MAX), folders)

        return await asyncio.to_thread(look)


def in_string_or_comment(text: str) -> bool:
    """Whether the end of the text lies inside of a string or a comment."""
    from lua_ls_persist.server.analysis import scopes_of
    from lua_ls_persist.server.documents import Document as LuaDocument
    from lua_ls_persist.server.live.cursor import typed_at

    scopes = scopes_of(LuaDocument.of_text("lua-persist:/input.lua", text))
    typed = typed_at(scopes, scopes.position(len(text)))
    return typed.kind in ("string", "long string", "comment")


def _meta(one: Offer) -> str:
    """What is said beside it: its value or type, and of libraries what they do."""
    sentence = " ".join(one.documentation.split()).partition(". ")[0].replace("`", "")
    detail = one.detail or one.kind
    text = f"{detail}: {sentence}" if sentence else detail
    return text if len(text) <= META_WIDTH_MAX else f"{text[: META_WIDTH_MAX - 3]}..."
