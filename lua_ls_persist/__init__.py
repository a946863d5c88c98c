"""Live Lua in Python: sessions that evaluate Lua 5.4 in a WebAssembly sandbox and keep its state.

Everything public is here, flat; the modules below are for the package itself. Names are loaded when
they are first used, so importing the package alone costs next to nothing::

    from lua_ls_persist import Session

    with Session.open() as session:
        session.evaluate("count = 1")
        assert session.evaluate("count + 1").values == (2,)
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lua_ls_persist._loading import names_from
from lua_ls_persist._version import __version__

if TYPE_CHECKING:
    from lua_ls_persist.errors import (
        CoreError,
        InterchangeError,
        LuaPersistError,
        QueryError,
        SchemaError,
        SchemaViolationError,
        SessionClosedError,
        SessionError,
        StoreChangedError,
        StoreError,
        TrapError,
        UniqueViolationError,
        WireError,
    )
    from lua_ls_persist.model import (
        AggregateGroup,
        Collected,
        ColumnProfile,
        Difference,
        Evaluation,
        Explanation,
        Exported,
        Field,
        Frame,
        GridColumn,
        GridPage,
        GridRow,
        HistoryEntry,
        ImageInfo,
        IndexInfo,
        Inspected,
        InspectedEntry,
        MemoryStats,
        OutputPiece,
        Points,
        Preview,
        Problem,
        QueryPage,
        QueryRow,
        SchemaViolation,
        StoredFunction,
        StoredTable,
        StoreSizes,
        TableCompression,
        Upvalue,
        Went,
    )
    from lua_ls_persist.session import Session, SyntaxChecker

__all__ = [
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

if not TYPE_CHECKING:  # a type checker that saw it would accept any name
    __getattr__ = names_from(__name__, __all__, (".errors", ".model", ".session"))


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
