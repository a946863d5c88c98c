"""Which bytecode a session runs: what its store has signed, and the verifier lets pass."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lua_ls_persist.session import Session
from lua_ls_persist.store import Store
from tests.core.assembler import Function, abc, asbx
from tests.session.helpers import problem
from tests.session.persistent import Restarted

UNSIGNED = "it was not made by a session of yours with this store"
REFUSAL = (
    "cannot load the binary chunk 'x': this session loads Lua source only, and what its own store "
    "has signed: "
)


@pytest.fixture
def stored(tmp_path: Path) -> Iterator[Restarted]:
    restarted = Restarted(tmp_path / "session.db")
    yield restarted
    restarted.close()


def refused(stored: Restarted, chunk: str) -> str:
    """Why a chunk is not loaded."""
    nothing, message = stored.run(f"return load({chunk}, '=x', 'b')")
    assert nothing is None
    assert isinstance(message, str)
    assert message.startswith(REFUSAL)
    return message.removeprefix(REFUSAL)


def test_stored_functions_can_be_dumped_and_loaded(stored: Restarted) -> None:
    stored.run("function Memory.double(x) return x * 2 end")
    for resume in (True, False, True):
        assert stored.run("return load(string.dump(Memory.double))(21)") == (42,)
        stored.again(resume=resume)


def test_a_function_that_was_just_stored(stored: Restarted) -> None:
    define = "function Memory.double(x) return x * 2 end "
    assert stored.run(define + "return load(string.dump(Memory.double))(21)") == (42,)


def test_a_dump_that_is_kept(stored: Restarted) -> None:
    stored.run(
        "function Memory.double(x) return x * 2 end Memory.dump = string.dump(Memory.double)"
    )
    stored.again(resume=False)
    assert stored.run("return load(Memory.dump, '=x', 'b', {})(4)") == (8,)
    assert stored.run("return (load(Memory.dump, '=x', 't'))") == (None,)


def test_what_was_not_stored_is_refused(stored: Restarted) -> None:
    stored.run("function Memory.f() return function() return 1 end end")
    for chunk in (
        "string.dump(function() return 1 end)",
        "string.dump(load('return 1'))",
        "string.dump(Memory.f, true)",
        "string.dump(Memory.f())",
    ):
        assert refused(stored, chunk) == UNSIGNED
    stored.run("Memory.g = Memory.f()")
    assert stored.run("return load(string.dump(Memory.g), '=x', 'b')()") == (1,)


def test_what_was_undone_is_refused(stored: Restarted) -> None:
    assert not stored.evaluate("function Memory.f() return 1 end error('no')").ok
    assert refused(stored, "string.dump(function() return 1 end)") == UNSIGNED
    stored.run("kept = function() return 2 end")
    assert not stored.evaluate("Memory.f = kept error('no')").ok
    assert refused(stored, "string.dump(kept)") == UNSIGNED


def test_altered_dumps_are_refused(stored: Restarted) -> None:
    stored.run("function Memory.f(x) local t = { x } return t[1] end")
    assert refused(stored, "string.dump(Memory.f) .. 'x'") == "it is followed by something else"
    assert refused(stored, "string.dump(Memory.f):sub(1, -2)").endswith(" is truncated")
    accepted = stored.run(
        """
        local dumped, accepted = string.dump(Memory.f), 0
        for position = 1, #dumped do
          local byte = string.char(dumped:byte(position) ~ 1)
          local mutant = dumped:sub(1, position - 1) .. byte .. dumped:sub(position + 1)
          if load(mutant, "=x", "b") then accepted = accepted + 1 end
        end
        return accepted
        """
    )
    assert accepted == (0,)


def test_another_store_signs_for_itself(stored: Restarted, tmp_path: Path) -> None:
    """With the same key; but what one store never had, it does not vouch for."""
    stored.run("function Memory.f() return 1 end")
    with Session.open(tmp_path / "other.db") as other:
        other.evaluate("function Memory.f() return 2 end")
        (dumped,) = other.evaluate("string.dump(Memory.f)").values
    assert isinstance(dumped, bytes)
    literal = "".join(f"\\{byte:03d}" for byte in dumped)
    assert refused(stored, f'"{literal}"') == UNSIGNED


def test_a_dump_in_pieces(stored: Restarted) -> None:
    stored.run("function Memory.f(x) return x + 1 end")
    assert stored.run(
        """
        local dumped, position = string.dump(Memory.f), 0
        local function more() position = position + 1 return dumped:sub(position, position) end
        return load(more, "=pieces", "b")(1)
        """
    ) == (2,)


def test_signed_code_that_the_verifier_refuses(stored: Restarted) -> None:
    """Who signs has the key, but may have been given something bad to sign."""
    stored.run("function Memory.f() return 1 end")
    stored.session.close()
    wrong = Function([asbx("LOADI", 200, 1), abc("RETURN0", 0, 1)])
    with Store.open(stored.path) as store:
        (function,) = store.functions()
        row = store.function(function.id)
        assert row is not None
        store.begin()
        store.replace_code(row.code_id, wrong.chunk)
        store.commit()
    stored.session = Session.open(stored.path, resume=False)
    found = problem(stored.evaluate("return Memory.f()"))
    assert found.message.endswith(
        "stored code is damaged: in the function defined at line 1, instruction 0 uses a register "
        "that the function does not have"
    )
    assert stored.run("Memory.f = 1 return Memory.f") == (1,)


def test_functions_that_restored_ones_make_have_their_source(stored: Restarted) -> None:
    stored.evaluate(
        "local n = 1\nfunction Memory.make(k)\n  return function() return n + k end\nend",
        name="make.lua",
    )
    stored.again(resume=False)
    stored.run("Memory.made = Memory.make(5)")
    (made,) = (f for f in stored.session.functions() if f.path == "Memory.made")
    assert (made.location, made.text) == ("make.lua:3", "  return function() return n + k end")
    stored.session.recompile("Memory.made")
    stored.again(resume=False)
    assert stored.run("return Memory.made()") == (6,)


def test_a_module_of_bytecode(tmp_path: Path) -> None:
    """A workspace may have binary modules, if its own session has made them."""
    with Session.open(tmp_path / "session.db", folders=[tmp_path]) as session:
        session.evaluate("function Memory.f() return { 42 } end")
        (dumped,) = session.evaluate("string.dump(Memory.f)").values
        assert isinstance(dumped, bytes)
        tmp_path.joinpath("m.lua").write_bytes(dumped)
        assert session.evaluate("return require('m')[1]").values == (42,)
        tmp_path.joinpath("n.lua").write_bytes(dumped[:-1] + b"\x00")
        assert "cannot load the binary chunk" in problem(session.evaluate("require 'n'")).message
