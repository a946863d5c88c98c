"""The public face of the package: flat, and loaded when it is used."""

from __future__ import annotations

import subprocess
import sys

import pytest

import lua_ls_persist
from lua_ls_persist import errors, model


@pytest.mark.parametrize("name", lua_ls_persist.__all__)
def test_every_name_is_there(name: str) -> None:
    assert getattr(lua_ls_persist, name) is not None
    assert name in dir(lua_ls_persist)


def test_the_names_are_those_of_the_modules() -> None:
    assert lua_ls_persist.Evaluation is model.Evaluation
    assert lua_ls_persist.SessionError is errors.SessionError
    from lua_ls_persist.session import Session

    assert lua_ls_persist.Session is Session


def test_another_name_is_none() -> None:
    with pytest.raises(AttributeError, match="module 'lua_ls_persist' has no attribute 'nothing'"):
        lua_ls_persist.nothing  # type: ignore[attr-defined]  # noqa: B018


def run(script: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", script], check=True, capture_output=True, text=True
    ).stdout


def test_the_import_alone_loads_nothing() -> None:
    script = """
import sys
before = set(sys.modules)
import lua_ls_persist
print(lua_ls_persist.__version__)
print(sorted(name for name in set(sys.modules) - before if name.startswith("lua_ls_persist")))
lua_ls_persist.Preview
print("wasmtime" in sys.modules, "apsw" in sys.modules)
lua_ls_persist.Session
print("wasmtime" in sys.modules, "apsw" in sys.modules)
print("pygls" in sys.modules, "click" in sys.modules)
"""
    assert run(script).splitlines() == [
        lua_ls_persist.__version__,
        "['lua_ls_persist', 'lua_ls_persist._loading', 'lua_ls_persist._version']",
        "False False",
        "True True",
        "False False",
    ]


def test_a_star_import() -> None:
    script = "from lua_ls_persist import *; print(Session.__name__, Problem.__name__)"
    assert run(script) == "Session Problem\n"


def test_every_exception_has_one_root() -> None:
    exceptions = [item for item in vars(errors).values() if isinstance(item, type)]
    assert all(issubclass(item, errors.LuaPersistError) for item in exceptions)
    assert {item.__name__ for item in exceptions} <= set(lua_ls_persist.__all__)
    # The tree in the module's description is the real one.
    for item in exceptions:
        assert item.__name__ in (errors.__doc__ or "")
