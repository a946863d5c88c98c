"""Plain values that cross the layers, by subject; all of them are here by their names.

Nothing here knows WebAssembly, SQLite or LSP. Lines are 1-based, sizes are bytes, durations are
seconds. Names are loaded when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lua_ls_persist._loading import names_from

if TYPE_CHECKING:
    from lua_ls_persist.model.evaluations import (
        Evaluation,
        Field,
        Frame,
        Local,
        MemoryStats,
        Module,
        OutputPiece,
        Preview,
        Problem,
        ProblemKind,
        Severity,
        Stream,
        Value,
    )
    from lua_ls_persist.model.history import (
        Difference,
        HistoryEntry,
        Went,
    )
    from lua_ls_persist.model.rows import (
        AggregateGroup,
        ColumnProfile,
        Explanation,
        GridColumn,
        GridPage,
        GridRow,
        Inspected,
        InspectedEntry,
        Points,
        QueryPage,
        QueryRow,
    )
    from lua_ls_persist.model.stored import (
        Collected,
        Exported,
        ImageInfo,
        IndexInfo,
        SchemaViolation,
        StoredFunction,
        StoredTable,
        StoreSizes,
        TableCompression,
        Upvalue,
    )

__all__ = [
    "AggregateGroup",
    "Collected",
    "ColumnProfile",
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
    "Local",
    "MemoryStats",
    "Module",
    "OutputPiece",
    "Points",
    "Preview",
    "Problem",
    "ProblemKind",
    "QueryPage",
    "QueryRow",
    "SchemaViolation",
    "Severity",
    "StoreSizes",
    "StoredFunction",
    "StoredTable",
    "Stream",
    "TableCompression",
    "Upvalue",
    "Value",
    "Went",
]

_MODULES = (".evaluations", ".history", ".stored", ".rows")

if not TYPE_CHECKING:  # a type checker that saw it would accept any name
    __getattr__ = names_from(__name__, __all__, _MODULES)
