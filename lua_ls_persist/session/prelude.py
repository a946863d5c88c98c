"""The Lua sources of the prelude, by the functions that they have.

They stand in lua/prelude/, and in the package when it is installed. wasm_core/src/prelude.zig tells
how the core takes them.
"""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Final

PACKAGED: Final = Path(__file__).resolve().parents[1] / "prelude"
SOURCES: Final = Path(__file__).resolve().parents[2] / "lua" / "prelude"

FUNCTIONS: Final = {
    "aggregate": "query",
    "ask": "tables",
    "bad_argument": "tables",
    "batch": "batch",
    "check_schemas": "schema",
    "check_tree": "checking",
    "compress": "compression",
    "count": "query",
    "count_of": "query",
    "derive_schema": "schema",
    "document_evaluate": "locals",
    "document_forget": "locals",
    "document_names": "locals",
    "document_values": "locals",
    "drop_index": "index",
    "explain": "query",
    "functions": "looking",
    "history": "history",
    "index": "index",
    "indexes": "index",
    "info": "looking",
    "look": "look",
    "memory": "looking",
    "migrate": "migrate",
    "python_add": "python",
    "python_batch": "python",
    "python_call": "python",
    "python_change": "python",
    "python_delete": "python",
    "python_import": "import",
    "python_inspect": "inspect",
    "python_migrate": "python",
    "python_set": "python",
    "query": "query",
    "query_of": "query",
    "rebuild_index": "index",
    "schema": "schema",
    "schema_annotations": "schema",
    "schema_asked": "shapes",
    "schema_check": "checking",
    "schema_child": "shapes",
    "schema_expected": "shapes",
    "schema_has_node": "shapes",
    "schema_key_text": "schema_texts",
    "schema_list": "shapes",
    "schema_mark": "checking",
    "schema_opens": "shapes",
    "schema_value_text": "schema_texts",
    "schemas": "schema",
    "set_schema_annotations": "schema",
    "table_at": "tables",
    "tables": "looking",
    "text_of": "tables",
}
"""Name of a function to the file that has it."""


@cache
def folder() -> Path:
    """Where the files are."""
    return PACKAGED if PACKAGED.is_dir() else SOURCES


@cache
def text_of(function: str) -> bytes:
    """The source that has this function; empty if there is none."""
    name = FUNCTIONS.get(function)
    return b"" if name is None else (folder() / f"{name}.lua").read_bytes()


@cache
def digest() -> str:
    """What tells these sources from those of another version: images have functions of them."""
    together = hashlib.sha256()
    for name in sorted(FUNCTIONS):
        together.update(name.encode() + b"\0" + text_of(name))
    return together.hexdigest()
