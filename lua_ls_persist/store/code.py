"""Functions: their code, stored once by content and signed, and the cells that they close over."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import Path
from typing import Final, cast

from lua_ls_persist.errors import StoreError
from lua_ls_persist.store.failures import damaged
from lua_ls_persist.store.indexes import Indexes
from lua_ls_persist.store.keys import is_signed, sign, signing_key
from lua_ls_persist.store.packing import Packer
from lua_ls_persist.store.rows import CodeRow, FunctionRow, Native, NewCode, Text, as_native
from lua_ls_persist.store.watching import Changes

TEXT_PLAIN_BYTES_MAX: Final = 4096
"""Shorter sources stay readable in the file; longer ones are compressed."""

_SQL_SOURCE = "SELECT id FROM sources WHERE hash = ?"
_SQL_NEW_SOURCE = """
    INSERT INTO sources (hash, chunk, text, text_bytes, compressed) VALUES (?, ?, ?, ?, ?)
    RETURNING id
    """
_SQL_KNOWN_CODE = """
    SELECT id, bytecode, bytecode_bytes, compressed, signature FROM code WHERE hash = ?
    """
_SQL_NEW_CODE = """
    INSERT INTO code (
        id, hash, source_id, ordinal, line_defined, last_line, parameters, is_vararg, upvalues,
        bytecode, bytecode_bytes, compressed, bytecode_hash, signature
    ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id
    """
_SQL_REPLACE_CODE = """
    UPDATE OR IGNORE code SET bytecode = ?, bytecode_bytes = ?, compressed = ?, bytecode_hash = ?,
        signature = ?, hash = ? WHERE id = ?
    """
_SQL_CODE = """
    SELECT code.id, bytecode, bytecode_bytes, code.compressed, signature, chunk, text, text_bytes,
        sources.compressed, ordinal, line_defined, last_line, parameters, is_vararg, upvalues
    FROM code LEFT JOIN sources ON sources.id = source_id WHERE code.id = ?
    """
_SQL_FUNCTION = """
    SELECT cell_id, kind, value FROM function_cells LEFT JOIN full_cells ON id = cell_id
    WHERE function_id = ? ORDER BY position
    """
_SQL_SIGNATURES = "SELECT signature FROM code WHERE bytecode_hash = ?"


class Code(Indexes):
    """Defines and finds functions."""

    def __init__(self, path: Path | None, *, busy_timeout_ms: int) -> None:
        super().__init__(path, busy_timeout_ms=busy_timeout_ms)
        self._packer = Packer()
        self._codes_known: set[int] = set()
        """Ids that the VM may have: no collection of ours removes them."""

    @cached_property
    def _key(self) -> bytes:
        """The user's signing key, read when it is first needed."""
        return signing_key()

    def define_code(self, code: NewCode) -> int:
        """Keeps and signs the code of a function. The same content gives the same id."""
        bytecode_hash = sha256(code.bytecode)
        code_hash = content_hash(code, bytecode_hash)
        signature = sign(self._key, code.bytecode)
        with self._change():
            known = self._cursor.execute(_SQL_KNOWN_CODE, (code_hash,)).get
            if known is not None:
                code_id, packed, size, compressed, stored_signature = cast(
                    "tuple[int, bytes, int, int, bytes]", known
                )
                intact = self._packer.unpack(packed, bool(compressed), size) == code.bytecode
                if not intact or stored_signature != signature:
                    self._replace_code(code_id, code.bytecode, code_hash)
            else:
                code_id = self._insert_code(code, code_hash, bytecode_hash, signature)
        self._codes_known.add(code_id)
        return code_id

    def define_function(self, function_id: int, code_id: int, cells: Sequence[int]) -> None:
        """Makes a function of code and cells, in the place of what had this id."""
        with self._change(), self._watching(lambda: Changes(functions=(function_id,))):
            execute = self._cursor.execute
            if execute("SELECT 1 FROM code WHERE id = ?", (code_id,)).get is None:
                raise StoreError(
                    f"The code of a function (number {code_id}) is no longer in {self._name}: "
                    "another session removed it. Evaluate the function's definition again."
                )
            self._note_function(function_id, cells)
            execute("REPLACE INTO functions (id, code_id) VALUES (?, ?)", (function_id, code_id))
            execute("DELETE FROM function_cells WHERE function_id = ?", (function_id,))
            self._cursor.executemany(
                "INSERT INTO function_cells (function_id, position, cell_id) VALUES (?, ?, ?)",
                [(function_id, position, cell) for position, cell in enumerate(cells, 1)],
            )

    def function(self, function_id: int) -> FunctionRow | None:
        """A function's code and cells.

        Raises:
            StoreError: a cell is missing.
        """
        with self._reading:
            code_id = self._cursor.execute(
                "SELECT code_id FROM functions WHERE id = ?", (function_id,)
            ).get
            if code_id is None:
                return None
            rows = self._cursor.execute(_SQL_FUNCTION, (function_id,)).fetchall()
        cells = cast("list[tuple[int, int | None, Native]]", rows)
        for cell_id, kind, _ in cells:
            if kind is None:
                why = f"function {function_id} refers to cell {cell_id}, which is missing"
                raise StoreError(damaged(self._name, why))
        return FunctionRow(
            cast("int", code_id), tuple(cast("list[tuple[int, int, Native]]", cells))
        )

    def code(self, code_id: int) -> CodeRow | None:
        """The code of a function, and whether its signature is right.

        Bytecode that cannot be read any more is empty, and not signed.
        """
        row = self._read_code(code_id)
        if row is not None:
            self._codes_known.add(code_id)
        return row

    def forget_codes(self) -> None:
        """The VM is a new one: it knows no code, so collection may remove what nothing uses."""
        self._codes_known.clear()

    def knows_code(self, bytecode: bytes) -> bool:
        """Whether this file has exactly these bytes, with the right signature."""
        with self._reading:
            rows = self._cursor.execute(_SQL_SIGNATURES, (sha256(bytecode),)).fetchall()
        return any(is_signed(self._key, bytecode, cast("bytes", row[0])) for row in rows)

    def unsigned_codes(self) -> list[int]:
        """The ids of code whose signature is wrong: it is refused until it is replaced."""
        with self._reading:
            ids = [
                cast("int", row[0])
                for row in self._cursor.execute("SELECT id FROM code ORDER BY id").fetchall()
            ]
        return [code_id for code_id in ids if not self._is_signed(code_id)]

    def replace_code(self, code_id: int, bytecode: bytes) -> None:
        """Puts newly compiled bytecode in the place of what is there, and signs it."""
        row = self._read_code(code_id)
        if row is None:
            raise StoreError(f"There is no code number {code_id} in {self._name}.")
        code = NewCode(
            bytecode,
            row.chunk,
            row.text,
            row.ordinal,
            row.line_defined,
            row.last_line,
            row.parameters,
            row.is_vararg,
            row.upvalues,
        )
        with self._change():
            self._replace_code(code_id, bytecode, content_hash(code, sha256(bytecode)))

    # Helpers

    def _is_signed(self, code_id: int) -> bool:
        row = self._read_code(code_id)
        return row is not None and row.signed

    def _read_code(self, code_id: int) -> CodeRow | None:
        """Code that no VM gets to know by this."""
        with self._reading:
            row = self._cursor.execute(_SQL_CODE, (code_id,)).get
        return None if row is None else self._code_row(row)

    def _replace_code(self, code_id: int, bytecode: bytes, code_hash: bytes) -> None:
        packed, compressed = self._pack(bytecode)
        row = (packed, len(bytecode), compressed, sha256(bytecode), sign(self._key, bytecode))
        self._cursor.execute(_SQL_REPLACE_CODE, (*row, code_hash, code_id))
        if not self._connection.changes():
            # There is such code under another id, too: only one can be found by its content.
            self._cursor.execute(_SQL_REPLACE_CODE, (*row, None, code_id))

    def _insert_code(
        self,
        code: NewCode,
        code_hash: bytes | None,
        bytecode_hash: bytes,
        signature: bytes,
        *,
        code_id: int | None = None,
    ) -> int:
        """Its id: the given one, or the next. Without a hash it is not found by its content."""
        packed, compressed = self._pack(code.bytecode)
        given = self._cursor.execute(
            _SQL_NEW_CODE,
            (
                code_id,
                code_hash,
                self._source(code.chunk, code.text),
                code.ordinal,
                code.line_defined,
                code.last_line,
                json.dumps(code.parameters),
                code.is_vararg,
                json.dumps(code.upvalues),
                packed,
                len(code.bytecode),
                compressed,
                bytecode_hash,
                signature,
            ),
        ).get
        return cast("int", given)

    def _source(self, chunk: str, text: Text | None) -> int:
        """The id of a source, which is stored if it is new."""
        content = None if text is None else _bytes(text)
        chunk = _bytes(chunk).decode("utf-8", "replace")
        text_hash = "" if content is None else sha256(content).hex()
        source_hash = sha256(json.dumps([chunk, text_hash]).encode())
        known = self._cursor.execute(_SQL_SOURCE, (source_hash,)).get
        if known is not None:
            return cast("int", known)
        stored: Text | None = None
        compressed = False
        if content is not None:
            stored = as_native(content)
            if len(content) > TEXT_PLAIN_BYTES_MAX:
                packed, compressed = self._pack(content)
                stored = packed if compressed else stored
        size = 0 if content is None else len(content)
        row = (source_hash, chunk, stored, size, compressed)
        return cast("int", self._cursor.execute(_SQL_NEW_SOURCE, row).get)

    def _pack(self, content: bytes) -> tuple[bytes, bool]:
        """Compressed where it is smaller and goes to a disk."""
        return (content, False) if self.path is None else self._packer.pack(content)

    def _code_row(self, row: Sequence[Native]) -> CodeRow:
        (code_id, packed, size, compressed, signature) = cast(
            "tuple[int, bytes, int, int, bytes]", row[:5]
        )
        chunk, text, text_size, text_compressed = cast(
            "tuple[str | None, Text | None, int, int]", row[5:9]
        )
        ordinal, line_defined, last_line, parameters, is_vararg, upvalues = cast(
            "tuple[int, int, int, str, int, str]", row[9:]
        )
        bytecode = self._packer.unpack(packed, bool(compressed), size)
        if text is not None and text_compressed:
            content = self._packer.unpack(_bytes(text), True, text_size)
            text = None if content is None else as_native(content)
        return CodeRow(
            id=code_id,
            bytecode=bytecode or b"",
            signed=bytecode is not None and is_signed(self._key, bytecode, signature),
            chunk=chunk or "",
            text=text,
            ordinal=ordinal,
            line_defined=line_defined,
            last_line=last_line,
            parameters=_names(parameters),
            is_vararg=bool(is_vararg),
            upvalues=_names(upvalues),
        )


def content_hash(code: NewCode, bytecode_hash: bytes) -> bytes:
    """What two pieces of code have in common exactly when they may be one row."""
    facts = [
        code.chunk,
        None if code.text is None else sha256(_bytes(code.text)).hex(),
        code.ordinal,
        code.line_defined,
        code.last_line,
        code.parameters,
        code.is_vararg,
        code.upvalues,
        bytecode_hash.hex(),
    ]
    return sha256(json.dumps(facts).encode())


def _names(stored: str) -> tuple[str, ...]:
    """A JSON list of names; people may have written to the file."""
    try:
        names: Iterable[object] = json.loads(stored)
        return tuple(str(name) for name in names)
    except (ValueError, TypeError):
        return ()


def _bytes(text: Text) -> bytes:
    return text.encode("utf-8", "surrogateescape") if isinstance(text, str) else text


def sha256(content: bytes) -> bytes:
    return hashlib.sha256(content).digest()
