"""The names that users of the package may rely on. A change here is a change for them."""

from __future__ import annotations

import importlib
import inspect
import subprocess
import sys

import pytest

import lua_ls_persist
from lua_ls_persist import errors

PUBLIC = [
    "AggregateGroup",
    "Collected",
    "ColumnProfile",
    "CoreError",
    "Difference",
    "Evaluation",
    "Explanation",
    "Exported",
    "Field",
    "Frame",
    "GridColumn",
    "GridPage",
    "GridRow",
    "HistoryEntry",
    "ImageInfo",
    "IndexInfo",
    "Inspected",
    "InspectedEntry",
    "InterchangeError",
    "LuaPersistError",
    "MemoryStats",
    "OutputPiece",
    "Points",
    "Preview",
    "Problem",
    "QueryError",
    "QueryPage",
    "QueryRow",
    "SchemaError",
    "SchemaViolation",
    "SchemaViolationError",
    "Session",
    "SessionClosedError",
    "SessionError",
    "StoreChangedError",
    "StoreError",
    "StoreSizes",
    "StoredFunction",
    "StoredTable",
    "SyntaxChecker",
    "TableCompression",
    "TrapError",
    "UniqueViolationError",
    "Upvalue",
    "Went",
    "WireError",
    "__version__",
]

SESSION = [
    "add_row",
    "aggregate",
    "backup",
    "batch",
    "call",
    "check_schemas",
    "close",
    "collect",
    "collect_garbage",
    "compress",
    "count",
    "create_index",
    "data_state",
    "delete",
    "derive_schema",
    "diff",
    "drop",
    "drop_image",
    "drop_index",
    "evaluate",
    "evaluating",
    "explain",
    "export_data",
    "export_lines",
    "fields",
    "forget_history",
    "fork",
    "fork_to",
    "functions",
    "get",
    "history",
    "images",
    "import_data",
    "import_lines",
    "indexes",
    "info",
    "inspect",
    "integrity",
    "interrupt",
    "locals",
    "look",
    "memory",
    "migrate",
    "open",
    "path",
    "points",
    "profile",
    "query",
    "reached",
    "read_only",
    "rebuild_index",
    "recompile",
    "redo",
    "restart",
    "restore",
    "restore_image",
    "resumed",
    "rows",
    "runs_code",
    "save_image",
    "schema",
    "schema_annotations",
    "schemas",
    "set",
    "set_literal",
    "set_schema",
    "set_schema_annotations",
    "sizes",
    "started",
    "state",
    "submit",
    "submit_batch",
    "submit_call",
    "submit_document",
    "submit_import",
    "submit_migrate",
    "tables",
    "undo",
    "vacuum",
    "whole",
]


def test_the_public_names() -> None:
    assert sorted(lua_ls_persist.__all__) == PUBLIC
    assert set(PUBLIC) <= set(dir(lua_ls_persist))


@pytest.mark.parametrize("name", PUBLIC)
def test_each_name_is_there_and_described(name: str) -> None:
    value = getattr(lua_ls_persist, name)
    if inspect.isclass(value):
        assert value.__doc__
        assert value.__name__ == name


def test_the_public_methods_of_a_session() -> None:
    names = [name for name in dir(lua_ls_persist.Session) if not name.startswith("_")]
    assert names == SESSION
    for name in SESSION:
        assert inspect.getdoc(getattr(lua_ls_persist.Session, name))


def test_all_errors_are_public_and_of_one_family() -> None:
    family = {
        name: value
        for name, value in vars(errors).items()
        if inspect.isclass(value) and issubclass(value, Exception)
    }
    assert family.keys() <= set(PUBLIC)
    assert all(issubclass(error, lua_ls_persist.LuaPersistError) for error in family.values())


def test_importing_the_package_loads_none_of_its_heavy_parts() -> None:
    code = "import lua_ls_persist, sys; print(*sys.modules)"
    loaded = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout.split()
    assert {"wasmtime", "apsw", "pygls", "lsprotocol", "click"}.intersection(loaded) == set()


@pytest.mark.parametrize(
    "name", ["lua_ls_persist", "lua_ls_persist.session", "lua_ls_persist.store"]
)
def test_names_that_are_loaded_late_are_there(name: str) -> None:
    package = importlib.import_module(name)
    assert package.__all__
    missing = [one for one in package.__all__ if not hasattr(package, one)]
    assert missing == []
    with pytest.raises(AttributeError, match="no_such_name"):
        package.no_such_name  # noqa: B018
