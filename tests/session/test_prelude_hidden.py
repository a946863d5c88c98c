"""The functions of the prelude in a VM: no program gets hold of them, images go on with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from lua_ls_persist.session import Session
from tests.session.helpers import value


@pytest.mark.parametrize("hooked", [False, True])
def test_the_prelude_stays_hidden(session: Session, hooked: bool) -> None:
    """From metamethods and hooks, which run inside of it."""
    spy = """
        local seen = {}
        local function look()
          for level = 2, 30 do
            local info = debug.getinfo(level, "fSn")
            if not info then break end
            if info.what ~= "C" and info.source == "=[C]" then
              seen.count = (seen.count or 0) + 1
              seen.found = seen.found or info.func
              for place = -3, 40 do
                seen.found = seen.found or debug.getlocal(level, place)
                seen.found = seen.found or debug.setlocal(level, place, 1)
              end
            end
          end
        end
    """
    run = (
        "debug.sethook(look, '', 1) ext.batch(operations) debug.sethook()"
        if hooked
        else "ext.batch(operations)"
    )
    result = session.evaluate(
        f"""{spy}
        setmetatable(ext.table("t"), {{ __newindex = look }})
        local operations = {{ {{ op = "set", table = "t", key = 1, value = 1 }} }}
        {run}
        return seen.count, seen.found
        """
    )
    assert result.ok, result.problems
    count, found = result.values
    assert isinstance(count, int)
    assert count > 0
    assert found is None


def test_functions_are_permanent_before_the_prelude_is_there(tmp_path: Path) -> None:
    path = tmp_path / "session.db"
    with Session.open(path) as session:
        session.evaluate("Memory.batch, Memory.migrate = ext.batch, ext.migrate")
    with Session.open(path, resume=False) as session:
        assert value(session, "Memory.batch == ext.batch and Memory.migrate == ext.migrate")
        assert value(
            session, "Memory.batch({ { op = 'set', table = 'Memory', key = 'x', value = 1 } })[1]"
        )


def test_the_prelude_goes_on_with_an_image(tmp_path: Path) -> None:
    path = tmp_path / "session.db"
    with Session.open(path) as session:
        session.batch([{"op": "set", "table": "u", "key": 1, "value": 1}])
    with Session.open(path) as session:
        assert session.resumed
        assert session.batch([{"op": "get", "table": "u", "key": 1}]).values == (1,)


def test_an_image_with_another_prelude_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "session.db"
    with Session.open(path) as session:
        session.batch([{"op": "set", "table": "u", "key": 1, "value": 1}])
    monkeypatch.setattr("lua_ls_persist.session.prelude.digest", lambda: "another")
    with Session.open(path) as session:
        assert not session.resumed
        assert session.started == "The session starts anew: its image is of another version."
