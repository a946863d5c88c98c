"""Stored values as Python sees them: scalars as they are, of the rest a bounded look."""

from __future__ import annotations

import struct
from typing import final

from lua_ls_persist.model import Preview, Value
from lua_ls_persist.pretty import CYCLE, long_string_text, sort_entries, table_preview
from lua_ls_persist.session.documents import as_written
from lua_ls_persist.session.names import ChunkNames
from lua_ls_persist.store import CodeRow, Native, Store
from lua_ls_persist.store.rows import (
    BOOLEAN,
    FLOAT,
    FUNCTION,
    INTEGER,
    NIL,
    PERMANENT,
    STRING,
    TABLE,
    Text,
)
from lua_ls_persist.wire import text_or_bytes, text_to_bytes

DEPTH_MAX = 3
ENTRIES_MAX = 50
ENTRIES_ALL_MAX = 500
PAGE_BYTES_MAX = 64 * 1024
SCALARS = frozenset((NIL, BOOLEAN, INTEGER, FLOAT, STRING))
_LIBRARIES = frozenset(
    {"_G", "coroutine", "debug", "io", "math", "os", "package", "string", "table", "utf8"}
)


@final
class Shown:
    """Looks at values of a store, so many entries in all."""

    def __init__(
        self,
        store: Store,
        names: ChunkNames,
        *,
        depth: int = DEPTH_MAX,
        entries: int = ENTRIES_MAX,
        entries_in_all: int = ENTRIES_ALL_MAX,
        page_bytes: int = PAGE_BYTES_MAX,
    ) -> None:
        """`depth` is how deep tables are looked into, `entries` how many of each are shown.

        `page_bytes` is how long the strings of one table may be together.
        """
        self._store = store
        self._names = names
        self._depth = depth
        self._entries = entries
        self._left = entries_in_all
        self._page_bytes = page_bytes

    def value(self, kind: int, native: Native, above: tuple[int, ...] = ()) -> Value:
        """A value; `above` are the tables that it stands in."""
        if kind in SCALARS:
            return scalar(kind, native)
        if kind == TABLE:
            assert isinstance(native, int)
            return self._table(native, above)
        if kind == FUNCTION:
            assert isinstance(native, int)
            return self._function(native)
        assert kind == PERMANENT
        what = "table" if native in _LIBRARIES else "function"
        return Preview(what, f"<{native!s}>")

    def _table(self, table_id: int, above: tuple[int, ...]) -> Preview:
        if table_id in above:
            return Preview("table", CYCLE, address=table_id)
        entries_max = min(self._entries, self._left)
        if len(above) >= self._depth or entries_max == 0:
            return Preview("table", "{...}", omitted=True, address=table_id)
        page = self._store.page(table_id, None, entries_max, self._page_bytes)
        self._left -= len(page.rows)
        inside = (*above, table_id)
        entries = sort_entries(
            (self.value(key_kind, key, inside), self.value(kind, value, inside))
            for key_kind, key, kind, value in page.rows
        )
        return table_preview(entries, omitted=not page.complete, address=table_id)

    def _function(self, function_id: int) -> Preview:
        row = self._store.function(function_id)
        code = None if row is None else self._store.code(row.code_id)
        if code is None:
            return Preview("function", "<function>", address=function_id)
        place = f"{chunk_of(code, self._names)}:{code.line_defined}"
        return Preview("function", f"<function {place}>", address=function_id, detail=place)


def scalar(kind: int, native: Native) -> Value:
    """A value of one of the kinds in `SCALARS`, which need no look into the store."""
    if kind == STRING:
        assert isinstance(native, (str, bytes))
        return native if isinstance(native, str) else text_or_bytes(native)
    if kind == BOOLEAN:
        return native == 1
    if kind == FLOAT and isinstance(native, int):
        number: float = struct.unpack("<d", struct.pack("<q", native))[0]
        return number
    return native


def bounded(value: Value, string_length: int) -> Value:
    """The value; a string that is longer only as its beginning."""
    if not isinstance(value, (str, bytes)) or len(value) <= string_length:
        return value
    content = text_to_bytes(value) if isinstance(value, str) else value
    head = value[:string_length]
    text = long_string_text(head, length_bytes=len(content), width=string_length)
    return Preview("string", text, length_bytes=len(content))


def chunk_of(code: CodeRow, names: ChunkNames) -> str:
    """What people call the chunk that code was compiled from."""
    source = text_to_bytes(code.chunk)
    if not source and code.text is not None:
        source = code.text.encode() if isinstance(code.text, str) else code.text
    return names.name_of(source)


@final
class Definitions:
    """The lines of sources that define functions. Many functions come from the same source."""

    def __init__(self) -> None:
        self._text: Text | None = None
        self._lines: list[str] = []

    def of(self, code: CodeRow) -> str:
        """The lines that define a function; empty where the source is not stored."""
        if code.text is None:
            return ""
        if code.text != self._text:
            content = code.text.encode() if isinstance(code.text, str) else code.text
            self._text = code.text
            self._lines = content.decode("utf-8", "backslashreplace").split("\n")
        if code.line_defined == 0:
            return "\n".join(self._lines)
        return as_written("\n".join(self._lines[code.line_defined - 1 : code.last_line]))
