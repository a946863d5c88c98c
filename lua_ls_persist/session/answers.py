"""What the VM asks the store, operation by operation: bytes to rows and rows to bytes.

docs/wire-format.md tells requests and replies. Transactions around them are `persistence`'s.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import final

from lua_ls_persist.errors import StoreError, WireError
from lua_ls_persist.protocol import StoreOperation
from lua_ls_persist.session import prelude
from lua_ls_persist.session.data import answer_data
from lua_ls_persist.session.data_schemas import node_marks
from lua_ls_persist.session.records import (
    Metatables,
    ids_bytes,
    nested_bytes,
    read_batch,
    read_ids,
    read_text,
    read_value,
    rows_bytes,
    tables_as_keys,
    tables_in,
    text_bytes,
    value_bytes,
)
from lua_ls_persist.session.services import DataServices
from lua_ls_persist.session.sources import UNKNOWN, SourceTexts
from lua_ls_persist.session.trees import tables_of, tree_bytes
from lua_ls_persist.store import Store
from lua_ls_persist.store.rows import INTEGER, TABLE, NewCode, Pair, Text, as_native
from lua_ls_persist.vm import GivenUp
from lua_ls_persist.wire import Decoder

PAGE_BYTES_MAX = 32 * 1024
"""A page is cut when its strings have reached this; one long string still passes."""
NESTED_BYTES_MAX = 64 * 1024
NESTED_ENTRIES_EACH_MAX = 8
"""So many entries of nested tables come along for each entry of a page, on average."""

NESTED_TABLES_MAX = 512
"""So many tables that an operation's result refers to bring their entries along, on average."""

_EMPTY_SECTION = bytes(4)
_FIRST = value_bytes(INTEGER, 1, {})
_U8_U32 = struct.Struct("<BI")
_PLACE = struct.Struct("<II")
_DEPTH = struct.Struct("<I")


@final
class Answers:
    """Answers the questions of a VM from a store that is in a transaction."""

    def __init__(
        self, store: Store, sources: SourceTexts, stopping: Callable[[], bool] = lambda: False
    ) -> None:
        self._store = store
        self._stopping = stopping
        self._sources = sources
        self._depth = 0
        self.services = DataServices(store, stopping)
        self.loads_code = True
        """Whether functions may come into the VM; otherwise they are there, and raise an error."""
        operations = StoreOperation
        self._by_operation: dict[int, Callable[[bytes], bytes]] = {
            operations.RESERVE: self._reserve,
            operations.APPLY: self._apply,
            operations.PAGE: self._page,
            operations.GET: self._get,
            operations.LENGTH: self._length,
            operations.ROOT: self._root,
            operations.TABLE_INFO: self._table_info,
            operations.DROP: self._drop,
            operations.FUNCTION: self._function,
            operations.CODE: self._code,
            operations.DEFINE_CODE: self._define_code,
            operations.DEFINE_FUNCTION: self._define_function,
            operations.CELLS: self._cells,
            operations.VERIFY_CODE: self._verify_code,
            operations.BEGIN: self._begin,
            operations.RELEASE: self._release,
            operations.ROLLBACK: self._rollback,
            operations.COLLECT: self._collect,
            operations.PRELUDE: self._prelude,
            operations.DATA: self._data,
        }

    def reset(self) -> None:
        """A transaction begins."""
        self._depth = 0

    def answer(self, operation: int, request: bytes) -> bytes:
        """The reply to a request.

        Raises:
            WireError: there is no such operation, or its request is malformed.
            StoreError: the store failed.
        """
        answer = self._by_operation.get(operation)
        if answer is None:
            raise WireError("there is no such operation")
        return answer(request)

    # -- entries

    def _reserve(self, request: bytes) -> bytes:
        count = Decoder(request).u32()
        if count == 0:
            raise WireError("no ids are wanted")
        return ids_bytes([self._store.reserve(count)])

    def _apply(self, request: bytes) -> bytes:
        store = self._store
        for changes in read_batch(request):
            for table_id in changes.clears:
                store.clear_table(table_id)
            store.apply(
                changes.sets,
                changes.deletes,
                changes.new_tables,
                changes.metatables,
                changes.cells,
            )
        return b""

    def _page(self, request: bytes) -> bytes:
        decoder = Decoder(request)
        table_id = decoder.i64()
        after = read_value(decoder) if decoder.u8() else None
        entries_max = max(decoder.u32(), 1)
        page = self._store.page(table_id, after, entries_max, PAGE_BYTES_MAX)
        complete = b"\1" if page.complete else b"\0"
        nested, metatables = self._nested(page.rows, entries_max)
        return complete + rows_bytes(page.rows, metatables) + nested

    def _get(self, request: bytes) -> bytes:
        decoder = Decoder(request)
        table_id = decoder.i64()
        key_kind, key = read_value(decoder)
        found = self._store.get(table_id, key_kind, key)
        if found is None:
            return value_bytes(0, None, {}) + _EMPTY_SECTION
        kind, native = found
        if kind != TABLE:
            return value_bytes(kind, native, {}) + _EMPTY_SECTION
        nested, metatables = self._nested([(key_kind, key, kind, native)], 1)
        return value_bytes(kind, native, metatables) + nested

    def _nested(self, rows: list[Pair], entries_max: int) -> tuple[bytes, Metatables]:
        """The nested section for these rows, and the metatables of all tables in both."""
        values = tables_in(rows)
        keys = tables_as_keys(rows)
        if not values and not keys:
            return _EMPTY_SECTION, {}
        nested = self._store.nested(
            values,
            entries_max=entries_max * NESTED_ENTRIES_EACH_MAX,
            bytes_max=NESTED_BYTES_MAX,
        )
        mentioned = {*values, *keys}
        for table in nested.values():
            mentioned.update(tables_in(table.rows))
            mentioned.update(tables_as_keys(table.rows))
        unknown = mentioned.difference(nested)
        metatables = {
            table_id: table.metatable for table_id, table in nested.items() if table.metatable
        }
        if unknown:
            metatables.update(self._store.metatables(unknown))
        for table_id, mark in node_marks(self._store, mentioned).items():
            metatables[table_id] = mark | metatables.get(table_id, 0)
        return nested_bytes(nested, metatables), metatables

    def _metatables(self, table_ids: list[int]) -> dict[int, int]:
        """The metatables of tables, with what schemas expect of those."""
        if not table_ids:
            return {}
        metatables = self._store.metatables(table_ids)
        for table_id, mark in node_marks(self._store, table_ids).items():
            metatables[table_id] = mark | metatables.get(table_id, 0)
        return metatables

    def _length(self, request: bytes) -> bytes:
        return ids_bytes([self._store.length(Decoder(request).i64())])

    # -- tables

    def _root(self, request: bytes) -> bytes:
        decoder = Decoder(request)
        name, create = _read_name(decoder), decoder.u8() == 1
        table_id = self._store.root(name, create=create)
        metatable = self._metatables([table_id]).get(table_id, 0) if table_id else 0
        return ids_bytes([table_id, metatable])

    def _table_info(self, request: bytes) -> bytes:
        info = self._store.table_info(Decoder(request).i64())
        numbers = ids_bytes([info.metatable, info.entries])
        return bytes((info.exists,)) + numbers + text_bytes(info.root)

    def _drop(self, request: bytes) -> bytes:
        return bytes((self._store.drop_root(_read_name(Decoder(request))),))

    # -- functions

    def _function(self, request: bytes) -> bytes:
        function_id = Decoder(request).i64()
        try:
            function = self._store.function(function_id)
        except StoreError as error:
            if error.__cause__ is not None:
                raise  # it could not be read now, which says nothing about the function
            # What refers to it can still be read; calling it says this.
            return _refused(str(error))
        if function is None:
            return _refused(f"the store has no function {function_id}")
        tables = [native for _, kind, native in function.cells if kind == TABLE]
        metatables = self._metatables(tables)  # type: ignore[arg-type]
        parts = [b"\1", ids_bytes([function.code_id]), _DEPTH.pack(len(function.cells))]
        for cell_id, kind, native in function.cells:
            parts += (ids_bytes([cell_id]), value_bytes(kind, native, metatables))
        return b"".join(parts)

    def _code(self, request: bytes) -> bytes:
        code_id = Decoder(request).i64()
        if not self.loads_code:
            return _refused("stored code is not loaded here, for nobody vouches for it")
        code = self._store.code(code_id)
        if code is None:
            return _refused(f"the store has no code {code_id}")
        if not code.signed:
            place = f"{code.chunk.lstrip('@=')}:{code.line_defined}"
            return _refused(
                f"the code of the function defined at {place} was not signed by you, or was "
                "altered; `recompile` makes it again from its source"
            )
        serial = UNKNOWN if code.text is None else self._sources.number_of(_content(code.text))
        return b"".join(
            (
                _U8_U32.pack(1, len(code.bytecode)),
                code.bytecode,
                _PLACE.pack(serial, code.ordinal),
            )
        )

    def _define_code(self, request: bytes) -> bytes:
        decoder = Decoder(request)
        serial, ordinal = decoder.u32(), decoder.u32()
        line_defined, last_line = decoder.i32(), decoder.i32()
        decoder.u8()  # how many parameters there are: their names say it
        is_vararg = decoder.u8() == 1
        chunk = read_text(decoder)
        parameters = tuple(read_text(decoder) for _ in range(decoder.count(4)))
        upvalues = tuple(read_text(decoder) for _ in range(decoder.count(4)))
        own_text = decoder.text()
        text = self._sources.text(serial) if serial != UNKNOWN else as_native(own_text) or None
        code = NewCode(
            bytecode=decoder.text(),
            chunk=chunk,
            text=text,
            ordinal=ordinal,
            line_defined=line_defined,
            last_line=last_line,
            parameters=parameters,
            is_vararg=is_vararg,
            upvalues=upvalues,
        )
        return ids_bytes([self._store.define_code(code)])

    def _define_function(self, request: bytes) -> bytes:
        decoder = Decoder(request)
        function_id, code_id = decoder.i64(), decoder.i64()
        self._store.define_function(function_id, code_id, read_ids(decoder))
        return b""

    def _cells(self, request: bytes) -> bytes:
        ids = read_ids(Decoder(request))
        cells = self._store.cells(ids)
        tables = [native for kind, native in cells.values() if kind == TABLE]
        metatables = self._metatables(tables)  # type: ignore[arg-type]
        parts: list[bytes] = []
        for cell_id in ids:
            known = cells.get(cell_id)
            kind, native = known or (0, None)
            parts += (b"\0" if known is None else b"\1", value_bytes(kind, native, metatables))
        return b"".join(parts)

    def _verify_code(self, request: bytes) -> bytes:
        if self._store.knows_code(Decoder(request).text()):
            return b"\1"
        return _refused("it was not made by a session of yours with this store")

    # -- transactions inside of an evaluation

    def _begin(self, _request: bytes) -> bytes:
        self._store.savepoint()
        self._depth += 1
        return _DEPTH.pack(self._depth)

    def _release(self, _request: bytes) -> bytes:
        self._store.release()
        self._depth -= 1
        return b""

    def _rollback(self, _request: bytes) -> bytes:
        self._store.rollback_to()
        self._depth -= 1
        return b""

    # -- the store as a whole

    def _go_on(self, _phase: str, _count: int) -> None:
        if self._stopping():
            raise GivenUp

    def _collect(self, request: bytes) -> bytes:
        removed = self._store.collect(read_ids(Decoder(request)), on_progress=self._go_on)
        return ids_bytes([removed.tables, removed.functions, removed.cells, removed.codes])

    # -- the prelude

    def _prelude(self, request: bytes) -> bytes:
        return text_bytes(prelude.text_of(read_text(Decoder(request))))

    def _data(self, request: bytes) -> bytes:
        refused, tree = answer_data(self.services, request)
        nested, metatables = self._nested(tables_of(tree), NESTED_TABLES_MAX)
        return bytes((refused,)) + _FIRST + tree_bytes(tree, metatables) + nested


def _content(text: Text) -> bytes:
    return text.encode() if isinstance(text, str) else text


def _refused(message: str) -> bytes:
    return b"\0" + text_bytes(message)


def _read_name(decoder: Decoder) -> str:
    """The name of a table. Any replacement of bytes in it would be the name of another table."""
    content = decoder.text()
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise StoreError(
            f"{bytes(content)!r} cannot name a table: names are UTF-8 text."
        ) from error
