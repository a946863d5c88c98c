"""Arrows between layers point down only; each outside library is known in one layer."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.project.files import PACKAGE

# A layer may import what stands on its right, besides itself and the standard library.
PLAIN = {
    "errors",
    "literals",
    "model",
    "paths",
    "pretty",
    "jsonable",
    "protocol",
    "wire",
    "_version",
    "_loading",
}
LAYERS: dict[str, set[str]] = {
    "_version": set(),
    "_loading": set(),
    "errors": {"model"},
    "model": {"_loading"},
    "pretty": {"model"},
    "jsonable": {"model", "pretty"},
    "protocol": set(),
    "wire": {"errors", "model", "pretty", "protocol"},
    "schema": {"_loading", "errors", "model", "pretty"},
    "paths": {"errors", "model", "pretty"},
    "literals": {"errors", "wire"},
    "query": PLAIN,
    # Columns of CSV are named as fields are in queries.
    "interchange": {"query", *PLAIN},
    "vm": PLAIN,
    "store": {"query", "schema", *PLAIN},
    "session": {"interchange", "query", "schema", "store", "vm", *PLAIN},
    # What an installation is, from its parts.
    "examination": {"session", "store", "vm", *PLAIN},
    # The editor reads annotations as schemas do.
    "server": {"examination", "query", "schema", "session", *PLAIN},
    # The terminal starts the server and, for `doctor`, looks into the core.
    "cli": {"examination", "session", "server", "vm", "store", "query", *PLAIN},
    "__init__": {"session", *PLAIN},
    "__main__": {"cli"},
}

OWNERS = {
    "pygls": {"server"},
    "lsprotocol": {"server"},
    "wasmtime": {"vm"},
    "apsw": {"store"},
    "sqlite3": {"store"},
    "click": {"cli"},
    "prompt_toolkit": {"cli"},
    "pygments": {"cli"},
}


def layer_of(path: Path) -> str:
    """`server` for a file of the folder `server`, `cli` for `cli.py` and for a folder `cli`."""
    first = path.relative_to(PACKAGE).parts[0]
    return first.removesuffix(".py")


def imports_of(source: str, package: str) -> Iterator[str]:
    """Absolute names of all that is imported anywhere in a file, type-checking blocks included."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parents = package.split(".")
            base = ".".join(parents[: len(parents) - node.level + 1]) if node.level else ""
            module = ".".join(part for part in (base, node.module) if part)
            if module == "lua_ls_persist":
                yield from (f"{module}.{alias.name}" for alias in node.names)
            else:
                yield module


def violations(path: Path, source: str) -> list[str]:
    layer = layer_of(path)
    package = ".".join(path.relative_to(PACKAGE.parent).parent.parts)
    found = []
    for name in imports_of(source, package):
        top, _, rest = name.partition(".")
        if top == "lua_ls_persist":
            target = rest.partition(".")[0] or "__init__"
            is_layer = target in LAYERS
            # A name that is no layer, such as `__version__`, comes from the package's face.
            if not is_layer:
                target = "__init__"
            if target not in {layer, *LAYERS[layer]}:
                found.append(f"{path.name}: {layer} must not import {name}")
        elif top in OWNERS and layer not in OWNERS[top]:
            found.append(f"{path.name}: {top} is known in {OWNERS[top]} only")
    return found


MODULES = sorted(PACKAGE.rglob("*.py"))


def test_every_module_belongs_to_a_layer() -> None:
    assert {layer_of(path) for path in MODULES} <= LAYERS.keys()


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_point_down(path: Path) -> None:
    assert violations(path, path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("vm/instance.py", "from lua_ls_persist.store import Store"),
        ("vm/instance.py", "from ..store import Store"),
        ("vm/instance.py", "from lua_ls_persist import store"),
        ("vm/instance.py", "from lua_ls_persist import Session"),
        ("session/facade.py", "def f():\n    import wasmtime"),
        ("session/facade.py", "import lua_ls_persist.server.features"),
        ("store/database.py", "from lsprotocol import types"),
        ("model/rows.py", "from lua_ls_persist.pretty import pretty"),
        ("cli.py", "import apsw"),
    ],
)
def test_the_check_sees_an_import_that_points_up(path: str, source: str) -> None:
    assert len(violations(PACKAGE / path, source)) == 1


@pytest.mark.parametrize(
    ("path", "source"),
    [
        ("vm/instance.py", "import wasmtime\nfrom lua_ls_persist.errors import CoreError"),
        ("session/facade.py", "from lua_ls_persist.vm import instance\nfrom .worker import Worker"),
        ("server/features/hover.py", "from pygls import uris\nfrom ..state import State"),
        ("cli.py", "from lua_ls_persist.server.app import start"),
    ],
)
def test_the_check_allows_what_points_down(path: str, source: str) -> None:
    assert violations(PACKAGE / path, source) == []
