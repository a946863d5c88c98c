"""Every command and setting is documented for people who set up an editor."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from lua_ls_persist.server.commands import Command
from lua_ls_persist.server.settings import SECTION, SETTINGS
from lua_ls_persist.server.starting import COMMANDS

DOCS = Path(__file__).parents[2] / "docs"
TEXT = (DOCS / "editors" / "README.md").read_text(encoding="utf-8")
REFERENCE = (DOCS / "commands.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("command", list(COMMANDS), ids=lambda command: command.id)
def test_every_command(command: Command[Any, Any]) -> None:
    """And all of its parameters; tests/project looks whether the page is fresh."""
    parts = REFERENCE.split(f"### `{command.id}`\n")
    assert len(parts) == 2
    section = parts[1].split("\n#")[0]
    facts: Any = command.described()
    assert facts["doc"] in section
    for parameter in facts["parameters"]:
        assert parameter["doc"], f"{command.id} says nothing of {parameter['name']}"
        assert f"| `{parameter['name']}` |" in section
    assert facts["result"] in section


def test_no_command_that_there_is_not() -> None:
    for text in (TEXT, REFERENCE):
        named = set(re.findall(r"`(lua-persist\.\w+)`", text))
        assert named <= {command.id for command in COMMANDS}


def test_the_settings_and_their_defaults() -> None:
    rows = re.findall(rf"\| `{SECTION}\.([\w.]+)` \| ([^|]+) \| ([^|]+) \|", TEXT)
    assert [(key, default, text) for key, default, text in rows] == [
        (setting.key, shown(setting.default), setting.text) for setting in SETTINGS
    ]


def shown(default: object) -> str:
    """A default value as the table has it."""
    if isinstance(default, str):
        return f'`"{default}"`'
    return f"{default:g}" if isinstance(default, float) else json.dumps(default)
