"""Every command and setting is documented for people who set up an editor."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from lua_ls_persist.server.features.registry import COMMANDS
from lua_ls_persist.server.settings import SECTION, SETTINGS

PAGE = Path(__file__).parents[2] / "docs" / "editors" / "README.md"
TEXT = PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("command", [command.id for command in COMMANDS])
def test_every_command(command: str) -> None:
    assert f"| `{command}` |" in TEXT


def test_no_command_that_there_is_not() -> None:
    named = set(re.findall(r"`(lua-persist\.\w+)`", TEXT))
    assert named == {command.id for command in COMMANDS}


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
