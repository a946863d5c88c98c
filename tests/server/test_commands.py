"""Arguments of commands: what is wrong with them is named."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from lua_ls_persist.server import create_server
from lua_ls_persist.server.commands import (
    ClientPosition,
    CommandError,
    DocumentParams,
    NoParams,
    OptionalDocumentParams,
    PositionParams,
    RangeParams,
    Registry,
    param,
    parse_params,
)
from lua_ls_persist.server.documents import ClientRange
from lua_ls_persist.server.starting import COMMANDS

URI = "file:///a.lua"


def nested(depth: int) -> Any:
    return [nested(depth - 1)] if depth else 1


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Many:
    """A parameter of each sort."""

    on: bool = param("a switch", default=False)
    count: int = param("a number", 5, at_least=1, at_most=10)
    names: list[str] | None = param("texts", None)
    fields: str | list[str] | None = param("one or several", None)
    items: list[Any] | None = param("anything", None)
    where: Any = param("JSON", None)
    kind: str = param("one of these", "btree", choices=("btree", "hash"))
    text: str = param("perhaps empty", "x", may_be_empty=True)
    definition: Any = param("null means something", "none", takes_null=True)


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        ({}, Many()),
        ({"on": True, "count": 10.0}, Many(on=True, count=10)),
        ({"names": ["a", "b"], "fields": "a"}, Many(names=["a", "b"], fields="a")),
        ({"fields": ["a", "b"], "items": [1.0, {}]}, Many(fields=["a", "b"], items=[1, {}])),
        ({"where": ["age", ">", 2.0]}, Many(where=["age", ">", 2])),
        ({"where": {"any": [["a", "=", 0.5]]}}, Many(where={"any": [["a", "=", 0.5]]})),
        ({"kind": "hash", "text": ""}, Many(kind="hash", text="")),
        ({"definition": None}, Many(definition=None)),
        ({"kind": None, "on": None}, Many()),
    ],
)
def test_every_sort_of_parameter(data: Any, expected: Many) -> None:
    assert parse_params(Many, [data]) == expected


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"on": 1}, "`on` must be true or false, not 1"),
        ({"count": 0}, "`count` must be a whole number from 1 to 10, not 0"),
        ({"count": "5"}, "`count` must be a whole number from 1 to 10, not '5'"),
        ({"names": "a"}, "`names` must be a list of strings, not 'a'"),
        ({"names": [1]}, "`names` must be a list of strings, not [1]"),
        ({"fields": 3}, "`fields` must be a string or a list of strings, not 3"),
        ({"fields": [3]}, "`fields` must be a list of strings, not [3]"),
        ({"items": {}}, "`items` must be a list, not {}"),
        ({"kind": "tree"}, "`kind` must be btree or hash, not 'tree'"),
        ({"where": nested(70)}, "`where` is nested deeper than 64 levels"),
        ({"text": "a\ud800"}, "`text` has half of a character: 'a\\ud800'"),
        ({"where": {"any": ["\udc00"]}}, "`where` has half of a character: '\\udc00'"),
    ],
)
def test_every_sort_of_parameter_is_checked(data: Any, message: str) -> None:
    with pytest.raises(CommandError) as caught:
        parse_params(Many, [data])
    assert str(caught.value) == message


def test_a_command_describes_itself() -> None:
    async def handler(server: None, params: Many) -> None:
        """Does much."""

    described: Any = Registry[None]().add("many", "Many", Many, handler, "{done}").described()
    assert (described["name"], described["doc"], described["result"]) == (
        "many",
        "Does much.",
        "{done}",
    )
    assert [(one["name"], one["type"]) for one in described["parameters"]] == [
        ("on", "boolean"),
        ("count", "integer"),
        ("names", "string[]"),
        ("fields", "string | string[]"),
        ("items", "any[]"),
        ("where", "any"),
        ("kind", "string"),
        ("text", "string"),
        ("definition", "any"),
    ]
    assert described["parameters"][6]["choices"] == ["btree", "hash"]


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


LATE_COMMANDS = """
from lua_ls_persist.server.commands import NoParams
from registry_of_late import registry

async def run(server, params):
    "Runs."

registry.add("one", "One", NoParams, run)
registry.add("two", "Two", NoParams, run)
"""


def test_a_module_of_commands_is_loaded_when_one_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry: Registry[None] = Registry()
    holder: Any = ModuleType("registry_of_late")
    holder.registry = registry
    monkeypatch.setitem(sys.modules, "registry_of_late", holder)
    (tmp_path / "late_commands.py").write_text(LATE_COMMANDS)
    monkeypatch.syspath_prepend(tmp_path)
    registry.expect("late_commands", ["two", "one"])
    assert registry.ids == ("lua-persist.two", "lua-persist.one")
    assert "lua-persist.one" in registry
    assert "late_commands" not in sys.modules
    assert registry.get("lua-persist.one").title == "One"
    late: Any = sys.modules.pop("late_commands")
    assert [command.title for command in registry] == ["Two", "One"], "as they were expected"
    with pytest.raises(AssertionError):
        registry.add("three", "Three", NoParams, late.run)


def test_the_commands_of_the_server() -> None:
    create_server()
    titles = [command.title for command in COMMANDS]
    assert {"Evaluate File", "Interrupt Evaluation", "Show Rows", "Undo Last Evaluation"} <= set(
        titles
    )
    assert len(titles) == len(set(titles)), "a menu with the same title twice"
    assert all(command.handler.__doc__ for command in COMMANDS)
