"""What Tab offers, with the cursor at the bar."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document

from lua_ls_persist.cli.completion import LuaCompleter
from lua_ls_persist.model import Field

GLOBALS = {
    (): {
        "print": "function",
        "printer": "table",
        "string": "table",
        "name": "string",
        "count": "number",
        "_G": "table",
        "two words": "number",
        "end": "number",
    },
    ("string",): {"format": "function", "find": "function", "upper": "function"},
    ("printer",): {"queue": "table", "run": "function", "_state": "table", "paper": "number"},
    ("printer", "queue"): {"first": "function", "last": "function", "length": "number"},
}


def fields(path: Sequence[str]) -> list[Field]:
    return [Field(name, kind) for name, kind in GLOBALS.get(tuple(path), {}).items()]


def offered(text: str) -> list[str]:
    """What the text before the bar would become."""
    before, _, after = text.partition("|")
    document = Document(before + after, len(before))
    completer = LuaCompleter(fields, [":gc", ":help", ":quit"])
    return [
        before[: len(before) + completion.start_position] + completion.text
        for completion in completer.get_completions(document, CompleteEvent())
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("pr|", ["print", "printer"]),
        ("x = pri|", ["x = print", "x = printer"]),
        ("f(pri|)", ["f(print", "f(printer"]),
        ("-pri|", ["-print", "-printer"]),
        ("1 ..pri|", ["1 ..print", "1 ..printer"]),
        ("re|", ["repeat", "return"]),
        ("en|", ["end"]),
        ("Pr|", []),
        ("string.f|", ["string.find", "string.format"]),
        ("string . f|", ["string . find", "string . format"]),
        ("string.|x", ["string.find", "string.format", "string.upper"]),
        ("printer.|", ["printer.paper", "printer.queue", "printer.run"]),
        ("printer._|", ["printer._state"]),
        ("printer:|", ["printer:run"]),
        ("printer.queue:|", ["printer.queue:first", "printer.queue:last"]),
        ("printer.queue.le|", ["printer.queue.length"]),
        ("name:u|", ["name:upper"]),
        ("count:|", []),
        ("count.|", []),
        ("missing.|", []),
        ("printer:run.|", []),
        ("f().pr|", []),
        ("t[1].pr|", []),
        ("('x'):up|", []),
        ("1.pr|", []),
        ("string.end|", []),
        ("'pr|", []),
        ('"a\\"pr|', []),
        ("'a' .. pr|", ["'a' .. print", "'a' .. printer"]),
        ("'it\\'s' .. printer.r|", ["'it\\'s' .. printer.run"]),
        ("[[ pr|", []),
        ("[[ a ]] .. printer.r|", ["[[ a ]] .. printer.run"]),
        ("[==[ ]] pr|", []),
        ("-- pr|", []),
        ("--[[ pr|", []),
        ("--[[ a ]] printer.r|", ["--[[ a ]] printer.run"]),
        ("-- a\nprinter.r|", ["-- a\nprinter.run"]),
        ("'a\nprinter.r|", ["'a\nprinter.run"]),
        (":|", [":gc", ":help", ":quit"]),
        (":h|", [":help"]),
        ("::h|", []),
    ],
)
def test_completions(text: str, expected: list[str]) -> None:
    assert offered(text) == expected


def test_an_empty_input_offers_the_globals_but_no_keywords_and_nothing_hidden() -> None:
    assert offered("|") == ["count", "name", "print", "printer", "string"]
    assert offered("_|") == ["_G"]
