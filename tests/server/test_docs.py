"""Every command and setting is documented for people who set up an editor."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lua_ls_persist.server.features.registry import COMMANDS
from lua_ls_persist.server.settings import SECTION, Settings

PAGE = Path(__file__).parents[2] / "docs" / "editors" / "README.md"
TEXT = PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("command", [command.id for command in COMMANDS])
def test_every_command(command: str) -> None:
    assert f"| `{command}` |" in TEXT


def test_no_command_that_there_is_not() -> None:
    named = set(re.findall(r"`(lua-persist\.\w+)`", TEXT))
    assert named == {command.id for command in COMMANDS}


def test_the_settings_and_their_defaults() -> None:
    rows = dict(re.findall(rf"\| `{SECTION}\.(\w+)` \| ([^|]+) \|", TEXT))
    defaults = Settings()
    limit_s = defaults.time_limit_s
    assert rows == {
        "timeLimitSeconds": f"{limit_s:g}" if limit_s is not None else "null",
        "memoryLimitBytes": str(defaults.memory_limit_bytes),
        "keepErrorEffects": str(defaults.keep_error_effects).lower(),
        "databasePath": f'`"{defaults.database_path}"`',
    }
    settings, wrong = Settings().updated(dict.fromkeys(rows, ()))
    assert settings == Settings()
    assert len(wrong) == len(rows), "each documented setting is one that is checked"
