"""Rows of a table in files of other programs: CSV (RFC 4180), JSON (RFC 8259) and JSON Lines.

Pure reading and writing, in pieces, so that files may be larger than memory. Nothing here knows
where rows come from or go to.
"""

from lua_ls_persist.interchange.model import (
    FORMATS,
    KEY_COLUMN,
    VALUE_COLUMN,
    Format,
    Reading,
    Row,
    format_of,
)
from lua_ls_persist.interchange.previewing import FilePreview, preview_rows
from lua_ls_persist.interchange.reading import read_rows
from lua_ls_persist.interchange.replacing import replaced_file, written_file
from lua_ls_persist.interchange.writing import RowWriter

__all__ = [
    "FORMATS",
    "KEY_COLUMN",
    "VALUE_COLUMN",
    "FilePreview",
    "Format",
    "Reading",
    "Row",
    "RowWriter",
    "format_of",
    "preview_rows",
    "read_rows",
    "replaced_file",
    "written_file",
]
