"""Whatever a client gives to a command: it is done, or refused with a reason; nothing breaks."""

from __future__ import annotations

import random
from typing import Any

import pytest
from pygls.exceptions import JsonRpcException, JsonRpcInternalError

from tests.server.editor import Editor

SLOW_OR_OTHERS = frozenset(
    {"doctor", "interrupt", "restart", "reset", "restore", "importAll", "forgetHistory"}
)
PATHS = [
    "users", "users.ann", "users.ann.tags[1]", "Memory", "Memory.hit", "_G", "_G.word", "nobody",
    "a b", "", ".", "users[", "users[0/0]", "ext.table('x')", 'users["\\u00e9\\n"]', "x" * 3000,
    "Memory.hit (upvalue n)", "lua-persist:/table/users.lua", "\xe9",
]  # fmt: skip
TEXTS = [
    "", "1", "nil", "{}", "{1, {2}}", '"', "[[", "function() end", "age > 1", "where",
    "users where", "row.x = 1", "error({})", "\x00", "\ud800", "\U0001f600", "a" * 5000, "0x",
    "-", "--", "[=[", "'\\u{110000}'", "age", "@key", "@x", "csv", "json", "btree", "table",
    "function",
]  # fmt: skip
NUMBERS = [
    0,
    1,
    -1,
    2,
    5,
    1000,
    1001,
    2147483648,
    9007199254740992,
    9223372036854775808,
    1.0,
    0.5,
    -0.0,
    1e308,
]
OTHERS: list[Any] = [
    None, True, False, [], {}, [[]], [{}], {"any": []}, [["age", ">", 1]], ["age", ">"], [1, 2],
    {"fields": {"age": "integer"}}, {"fields": 3}, {"op": "set"}, {"line": 0, "character": 0},
    {"line": -1}, [{"op": "fly"}], ["a", "a"],
]  # fmt: skip


def value(chance: random.Random, parameter: dict[str, Any], uri: str) -> Any:
    """Something for a parameter: mostly what fits its type, sometimes anything."""
    kind = parameter["type"] if chance.random() < 0.8 else "any"
    if parameter["name"] == "uri":
        return chance.choice([None, uri, uri, "file:///nowhere/x.lua", "", "x"])
    if parameter.get("choices") and kind != "any":
        return chance.choice(parameter["choices"])
    if parameter["name"] in ("path", "table") and kind != "any":
        return chance.choice(PATHS)
    if kind.startswith("integer"):
        return chance.choice(NUMBERS)
    if kind.startswith("boolean"):
        return chance.choice([True, False])
    if kind.startswith("string[]") or (kind.endswith("string[]") and chance.random() < 0.5):
        return [chance.choice(TEXTS) for _ in range(chance.randint(0, 3))]
    if kind.startswith("string"):
        return chance.choice(TEXTS)
    return chance.choice([*OTHERS, *TEXTS, *NUMBERS])


async def refusal(editor: Editor, command: str, params: dict[str, Any]) -> Exception | None:
    """The error with which a command is refused; None: it was done."""
    try:
        await editor.run(command, params)
    except JsonRpcException as error:
        return error
    return None


@pytest.mark.parametrize("seed", range(4))
async def test_nothing_breaks(stored: Editor, seed: int) -> None:
    chance = random.Random(seed)
    uri = stored.uri("main.lua")
    commands = [
        command
        for command in (await stored.run("commands"))["commands"]
        if command["name"] not in SLOW_OR_OTHERS
    ]
    done = refused = 0
    for _ in range(150):
        command = chance.choice(commands)
        params = {
            parameter["name"]: value(chance, parameter, uri)
            for parameter in command["parameters"]
            if parameter["required"] or chance.random() < 0.5
        }
        if command["name"] in ("backup", "exportAll", "fork", "export"):
            params["path"] = f"out-{chance.randint(1, 3)}"
        error = await refusal(stored, command["name"], params)
        if error is None:
            done += 1
            continue
        refused += 1
        message = str(error)
        assert not isinstance(error, JsonRpcInternalError), (command["name"], params, message)
        assert message.startswith("lua-persist."), (command["name"], params, message)
        assert len(message) < 20_000
    assert min(done, refused) > 20
    assert (await stored.run("status"))["state"] == "idle"
