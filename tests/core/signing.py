"""A host that signs everything: then the verifier alone decides what bytecode is loaded."""

from __future__ import annotations

from lua_ls_persist.protocol import StoreOperation
from tests.vm.helpers import Recorder


class Signing(Recorder):
    """Says that it has signed every chunk. Anything else it is asked for is more than it may be."""

    def __init__(self, files: dict[bytes, bytes] | None = None) -> None:
        super().__init__(files)
        self.chunks = 0

    def store(self, operation: int, request: bytes, /) -> bytes:
        assert operation == StoreOperation.VERIFY_CODE
        assert int.from_bytes(request[:4], "little") == len(request) - 4
        self.chunks += 1
        return b"\1"
