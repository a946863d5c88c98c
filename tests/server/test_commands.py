"""Arguments of commands: what is wrong with them is named."""

from __future__ import annotations

from typing import Any

import pytest

from lua_ls_persist.server.commands import (
    ClientPosition,
    CommandError,
    DocumentParams,
    NoParams,
    OptionalDocumentParams,
    PositionParams,
    RangeParams,
    Registry,
    parse_params,
)
from lua_ls_persist.server.documents import ClientRange
from lua_ls_persist.server.features.registry import COMMANDS

URI = "file:///a.lua"
PLACE = {"line": 1, "character": 2}


@pytest.mark.parametrize(
    ("params", "arguments", "expected"),
    [
        (NoParams, None, NoParams()),
        (NoParams, [], NoParams()),
        (NoParams, [{}], NoParams()),
        (NoParams, [None], NoParams()),
        (DocumentParams, [{"uri": URI}], DocumentParams(URI)),
        (OptionalDocumentParams, [{}], OptionalDocumentParams(None)),
        (OptionalDocumentParams, [{"uri": None}], OptionalDocumentParams(None)),
        (OptionalDocumentParams, [{"uri": URI}], OptionalDocumentParams(URI)),
        (
            PositionParams,
            [{"uri": URI, "position": {"line": 1.0, "character": 2}}],
            PositionParams(URI, ClientPosition(1, 2)),
        ),
        (
            RangeParams,
            [{"uri": URI, "range": {"start": PLACE, "end": PLACE}}],
            RangeParams(URI, ClientRange(1, 2, 1, 2)),
        ),
    ],
)
def test_good_arguments(params: type[Any], arguments: Any, expected: object) -> None:
    assert parse_params(params, arguments) == expected


@pytest.mark.parametrize(
    ("params", "arguments", "message"),
    [
        (DocumentParams, None, "`uri` is missing; it takes an object {uri}"),
        (DocumentParams, [URI], f"takes an object {{uri}} as its argument, not '{URI}'"),
        (DocumentParams, [{"uri": 5}], "`uri` must be a string, not 5"),
        (DocumentParams, [{"uri": ""}], "`uri` must be a string, not ''"),
        (DocumentParams, [{}, {}], "takes one argument, an object {uri}, not 2"),
        (DocumentParams, [{"url": URI}], "unknown field `url`; it takes an object {uri}"),
        (NoParams, [{"uri": URI}], "unknown field `uri`; it takes an empty object"),
        (OptionalDocumentParams, [{"x": 1}], "unknown field `x`; it takes an object {uri?}"),
        (
            PositionParams,
            [{"uri": URI}],
            "`position` is missing; it takes an object {uri, position}",
        ),
        (
            PositionParams,
            [{"uri": URI, "position": [1, 2]}],
            "`position` must be {line, character}, not [1, 2]",
        ),
        (
            PositionParams,
            [{"uri": URI, "position": {"line": 1}}],
            "`position.character` must be a whole number from 0, not nothing",
        ),
        (
            PositionParams,
            [{"uri": URI, "position": {"line": -1, "character": 0}}],
            "`position.line` must be a whole number from 0, not -1",
        ),
        (
            PositionParams,
            [{"uri": URI, "position": {"line": True, "character": 0}}],
            "`position.line` must be a whole number from 0, not True",
        ),
        (
            RangeParams,
            [{"uri": URI, "range": {"start": PLACE}}],
            "`range.end` must be {line, character}, not nothing",
        ),
        (
            RangeParams,
            [{"uri": URI, "range": {"start": PLACE, "end": {"line": 1.5, "character": 0}}}],
            "`range.end.line` must be a whole number from 0, not 1.5",
        ),
        (RangeParams, [{"uri": URI, "range": "x" * 99}], "x" * 40),
    ],
)
def test_bad_arguments(params: type[Any], arguments: Any, message: str) -> None:
    with pytest.raises(CommandError) as caught:
        parse_params(params, arguments)
    assert message in str(caught.value)
    assert len(str(caught.value)) < 150


def test_the_registry_names_the_command() -> None:
    async def handler(server: None, params: DocumentParams) -> None: ...

    registry: Registry[None] = Registry()
    command = registry.add("try", "Try", DocumentParams, handler)
    assert list(registry) == [command]
    assert registry.get("lua-persist.try") is command
    with pytest.raises(CommandError, match=r"^lua-persist\.try: `uri` is missing"):
        command.parse([])
    with pytest.raises(CommandError, match=r"unknown command 'lua-persist.tri'.*lua-persist\.try"):
        registry.get("lua-persist.tri")


def test_the_commands_of_the_server() -> None:
    assert {command.id: command.title for command in COMMANDS} == {
        "lua-persist.evaluateFile": "Evaluate File",
        "lua-persist.evaluateSelection": "Evaluate Selection",
        "lua-persist.evaluateForm": "Evaluate Top-Level Form",
        "lua-persist.interrupt": "Interrupt Evaluation",
        "lua-persist.restart": "Restart Session",
        "lua-persist.clearResults": "Clear Inline Results",
    }
    assert all(command.handler.__doc__ for command in COMMANDS)
