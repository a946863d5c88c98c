"""Reading rows, whatever the format."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

from lua_ls_persist.interchange.csv_reading import read_csv
from lua_ls_persist.interchange.json_reading import read_json, read_json_lines
from lua_ls_persist.interchange.model import Reading, Row
from lua_ls_persist.interchange.texts import OnBytes, Utf8Pieces


def read_rows(
    file: BinaryIO, name: str, reading: Reading, on_bytes: OnBytes = lambda _: None
) -> Iterator[Row]:
    """The rows of a file, one after the other; `on_bytes` hears how far it has come.

    Raises:
        InterchangeError: the file is wrong there; the message names file, line and, if the format
            has such a thing, column.
    """
    if reading.format == "csv":
        yield from read_csv(file, name, reading, on_bytes)
    elif reading.format == "json":
        yield from read_json(Utf8Pieces(file, name, on_bytes), reading)
    else:
        yield from read_json_lines(Utf8Pieces(file, name, on_bytes), reading)
