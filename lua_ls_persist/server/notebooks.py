"""Notebooks: which cells they have, in which order.

Owns that and nothing else: a cell is a document like others, with its text among `documents`. Must
not know LSP types.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from lua_ls_persist.server import uris


class Notebooks:
    """The open notebooks. Used from the server's loop only."""

    def __init__(self) -> None:
        self._cells: dict[str, list[str]] = {}
        self._uris: dict[str, str] = {}
        self._notebook_of: dict[str, str] = {}

    def open(self, uri: str, cells: Iterable[str]) -> None:
        """A notebook was opened, with these cells."""
        key = uris.key_of(uri)
        self._uris[key] = uri
        self._cells[key] = []
        self.replace(uri, 0, 0, list(cells))

    def close(self, uri: str) -> list[str]:
        """A notebook was closed. Returns its cells."""
        key = uris.key_of(uri)
        cells = self._cells.pop(key, [])
        self._uris.pop(key, None)
        for cell in cells:
            self._notebook_of.pop(uris.key_of(cell), None)
        return cells

    def replace(self, uri: str, start: int, removed: int, cells: Sequence[str]) -> None:
        """Other cells are in the place of some; one that was moved is removed and put in."""
        key = uris.key_of(uri)
        present = self._cells.get(key)
        if present is None:
            return
        for cell in present[start : start + removed]:
            self._notebook_of.pop(uris.key_of(cell), None)
        present[start : start + removed] = cells
        for cell in cells:
            self._notebook_of[uris.key_of(cell)] = key

    def notebook_of(self, cell: str) -> str | None:
        """The notebook that a cell is in; None if it is no cell."""
        key = self._notebook_of.get(uris.key_of(cell))
        return None if key is None else self._uris.get(key)

    def place_of(self, cell: str) -> tuple[str, int] | None:
        """The notebook of a cell and its number in it, from 1; None if it is no cell."""
        key = self._notebook_of.get(uris.key_of(cell))
        if key is None:
            return None
        wanted = uris.key_of(cell)
        numbers = (i for i, one in enumerate(self._cells[key], 1) if uris.key_of(one) == wanted)
        return self._uris[key], next(numbers, 1)

    def cell_at(self, uri: str, number: int) -> str | None:
        """The cell of an open notebook with a number, from 1."""
        cells = self.cells_of(uri)
        return cells[number - 1] if 0 < number <= len(cells) else None

    def cells_of(self, uri: str) -> tuple[str, ...]:
        """The cells of a notebook, in order; none if it is no open notebook."""
        return tuple(self._cells.get(uris.key_of(uri), ()))
