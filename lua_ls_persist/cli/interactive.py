"""The loop on a terminal: prompt, history, completion, several lines, colours.

All that needs prompt_toolkit stands here and in `completion`.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import platformdirs
from prompt_toolkit import PromptSession
from prompt_toolkit.document import Document
from prompt_toolkit.filters import Condition
from prompt_toolkit.formatted_text import FormattedText
from prompt_toolkit.history import FileHistory, History, InMemoryHistory
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.lexers import PygmentsLexer
from pygments.lexers.scripting import LuaLexer

from lua_ls_persist.cli import exits
from lua_ls_persist.cli.completion import LuaCompleter, in_string_or_comment
from lua_ls_persist.cli.repl import COMMANDS, Loop, banner

INDENT = "  "


def interact(loop: Loop) -> int:
    """Reads and evaluates until Ctrl-D or :quit."""
    prompt = _prompt_session(loop)
    loop.terminal.write(f"{banner()}\n", style="faint")
    if loop.session.path is not None:
        loop.terminal.write(f"{loop.session.started}\n", style="faint")
    number = 1
    while not loop.terminal.broken:
        try:
            text = prompt.prompt(_prompt_text(number), prompt_continuation=_continuation)
        except KeyboardInterrupt:
            continue  # the line is cleared
        except EOFError:
            break
        if not text.strip():
            continue
        if loop.is_command(text.strip()):
            if not loop.command(text.strip()):
                break
            continue
        width = shutil.get_terminal_size().columns
        loop.evaluate(text, name=f"repl[{number}]", width=width)
        number += 1
    return exits.SUCCESS


def history_path() -> Path:
    """Where the history of the loop is kept from one run to the next."""
    return platformdirs.user_state_path("lua-ls-persist", appauthor=False) / "history"


def _prompt_session(loop: Loop) -> PromptSession[str]:
    return PromptSession(
        history=_history(loop),
        lexer=PygmentsLexer(LuaLexer),
        completer=LuaCompleter(loop.session, list(COMMANDS), Path.cwd()),
        complete_while_typing=False,
        key_bindings=_key_bindings(loop),
        multiline=True,
        include_default_pygments_style=True,
    )


def _history(loop: Loop) -> History:
    path = history_path()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        with path.open("ab"):
            pass
    except OSError as error:
        loop.terminal.write_error(
            f"The history is not kept, {path} cannot be written: {error.strerror or error}.\n"
        )
        return InMemoryHistory()
    return FileHistory(str(path))


def _prompt_text(number: int) -> FormattedText:
    return FormattedText([("ansigreen", f"[{number}]> ")])


def _continuation(width: int, _line: int, _wrapped: int) -> FormattedText:
    return FormattedText([("ansibrightblack", ".. ".rjust(width))])


def _key_bindings(loop: Loop) -> KeyBindings:
    bindings = KeyBindings()

    @bindings.add("enter")
    def _(event: KeyPressEvent) -> None:
        buffer = event.current_buffer
        if _is_finished(loop, buffer.document):
            buffer.validate_and_handle()
        else:
            inside = in_string_or_comment(buffer.document.text_before_cursor)
            buffer.newline(copy_margin=not inside)  # inside of a string, spaces are content

    @bindings.add("escape", "enter")
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.validate_and_handle()

    @Condition
    def at_line_start() -> bool:
        from prompt_toolkit.application import get_app

        return not get_app().current_buffer.document.current_line_before_cursor.strip()

    @bindings.add("tab", filter=at_line_start)
    def _(event: KeyPressEvent) -> None:
        event.current_buffer.insert_text(INDENT)

    return bindings


def _is_finished(loop: Loop, document: Document) -> bool:
    """Whether Enter means evaluating: not in the midst of several lines, and not in an open one."""
    text = document.text
    if document.line_count > 1 and document.text_after_cursor.strip():
        return False
    return loop.is_command(text.strip()) or loop.is_complete(text)
