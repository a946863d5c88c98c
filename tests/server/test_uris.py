"""Spellings of one thing have one key."""

from __future__ import annotations

import pytest

from lua_ls_persist.server.uris import key_of


@pytest.mark.parametrize(
    "spelling",
    ["file:///c:/Work/main.lua", "file:///C:/Work/main.lua", "file:///c%3A/Work/main.lua"],
)
def test_a_drive_of_windows_has_one_key(spelling: str) -> None:
    assert key_of(spelling) == "file:///c:/Work/main.lua"


def test_other_names_keep_their_letters() -> None:
    assert key_of("file:///Home/A%20b.lua") == "file:///Home/A b.lua"
    assert key_of("untitled:Untitled-1") == "untitled:Untitled-1"
