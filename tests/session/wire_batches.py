"""Batches of changes as the core writes them."""

from __future__ import annotations

import struct

from lua_ls_persist.store import Value

SEED = 20_26

RECORD = struct.Struct("<qqqBBB5x")

SET, DELETE, NEW_TABLE, METATABLE, CELL, CLEAR = range(1, 7)


class Batch:
    """Builds batches as the core does."""

    def __init__(self) -> None:
        self.records: list[bytes] = []
        self.strings: list[bytes] = []

    def add(self, op: int, identity: int, key: Value = (0, None), value: Value = (0, None)) -> None:
        self.records.append(
            RECORD.pack(identity, self._number(key), self._number(value), op, key[0], value[0])
        )

    def _number(self, value: Value) -> int:
        native = value[1]
        if native is None:
            return 0
        if isinstance(native, float):
            number: int = struct.unpack("<q", struct.pack("<d", native))[0]
            return number
        if isinstance(native, int):
            return native
        self.strings.append(native.encode() if isinstance(native, str) else native)
        return len(self.strings) - 1

    def bytes(self) -> bytes:
        head = struct.pack("<II", len(self.records), len(self.strings))
        strings = b"".join(struct.pack("<I", len(text)) + text for text in self.strings)
        return head + b"".join(self.records) + strings
