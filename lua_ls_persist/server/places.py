"""Which document a chunk name stands for, and which row of it a line of a message is today.

Owns the two-way mapping between documents and chunk names, and the memory of which state of a
document the VM runs: a function defined an hour ago still reports the lines it had then. Must not
know LSP types or sessions. Safe to call from the session's thread where a method says so.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from lua_ls_persist.server import uris
from lua_ls_persist.server.documents import Document, Documents
from lua_ls_persist.server.positions import Range
from lua_ls_persist.server.tracking import row_after

_CELL = re.compile(r"(?P<notebook>[^\0]+)\[(?P<number>[0-9]{1,6})\]")

LOADS_REMEMBERED_MAX = 1000
"""Evaluated pieces remembered per document, newest first."""


@dataclass(frozen=True, slots=True)
class Place:
    """A row of a document as it is now."""

    uri: str
    row: int


@dataclass(frozen=True, slots=True)
class Load:
    """A piece of a document that the VM was given, and the state of the document then."""

    key: str
    rows: range
    revision: int


class Places:
    """Chunk names and where they lead. One per server."""

    def __init__(
        self,
        documents: Documents,
        folders: Sequence[Path] = (),
        *,
        cell: Callable[[str], tuple[str, int] | None] = lambda _: None,
        cell_at: Callable[[str, int], str | None] = lambda _uri, _number: None,
    ) -> None:
        self.documents = documents
        self._cell = cell
        """The notebook that a document is a cell of, and its number in it."""
        self._cell_at = cell_at
        """The cell of a notebook with a number."""
        self.folders: tuple[Path, ...] = tuple(folders)
        self._lock = threading.Lock()
        self._name_by_key: dict[str, str] = {}
        self._uri_by_name: dict[str, str] = {}
        self._loads: dict[str, list[Load]] = {}

    def name_of(self, uri: str) -> str:
        """The chunk name of a document: its path from the workspace folder, where it lies in one.

        Two documents never share a name, and a document keeps its name.
        """
        key = uris.key_of(uri)
        with self._lock:
            name = self._name_by_key.get(key)
            if name is None:
                name = self._new_name(uri)
                self._name_by_key[key] = name
                self._uri_by_name[name] = uri
            return name

    def uri_of(self, name: str) -> str | None:
        """The document that a chunk name stands for: a known one, an open one, or a file."""
        with self._lock:
            uri = self._uri_by_name.get(name)
        if uri is not None:
            document = self.documents.get(uri)
            return uri if document is None else document.uri
        if not name or name.startswith(("[", "=")) or "\0" in name:
            return None
        in_notebook = _CELL.fullmatch(name)
        if in_notebook is not None:  # It was evaluated by a server before this one.
            notebook = self.uri_of(in_notebook["notebook"])
            return None if notebook is None else self._cell_at(notebook, int(in_notebook["number"]))
        bases = self.folders if not PurePath(name).is_absolute() else (Path(name).parent,)
        for base in bases:
            path = base / name
            document = self.documents.at_path(path)
            if document is not None:
                return document.uri
            # A name may be too long for a path, which `is_file` raises as an error.
            if os.path.isfile(path):  # noqa: PTH113
                return uris.uri_of(os.path.normpath(path))
        return None

    def loaded(self, document: Document, range_: Range | None = None) -> Load:
        """Notes that the VM gets this state of the document, or this part of it. Any thread."""
        piece = range_ or document.range
        rows = range(piece.start.row, piece.end.row + 1)
        load = Load(uris.key_of(document.uri), rows, document.revision)
        with self._lock:
            loads = self._loads.setdefault(load.key, [])
            loads.insert(0, load)
            del loads[LOADS_REMEMBERED_MAX:]
        return load

    def rolled_back(self, load: Load) -> None:
        """Notes that the VM does not have that piece after all: its evaluation failed."""
        with self._lock:
            loads = self._loads.get(load.key, [])
            if load in loads:
                loads.remove(load)

    def open_text(self, path: Path) -> str | None:
        """What the editor holds for a file that the VM is about to load. Any thread."""
        document = self.documents.at_path(path)
        if document is None:
            return None
        self.loaded(document)
        return document.source

    def forget(self, uri: str | None = None) -> None:
        """Drops what is known of a document's states: it was closed; of all: the VM is new."""
        with self._lock:
            if uri is None:
                self._loads.clear()
            else:
                self._loads.pop(uris.key_of(uri), None)

    def locate(self, chunk: str, line: int | None) -> Place | None:
        """Where line `line` (1-based) of a chunk is now; None if it is nowhere any more."""
        if line is None:
            return None
        uri = self.uri_of(chunk)
        if uri is None:
            return None
        row = line - 1
        with self._lock:
            loads = tuple(self._loads.get(uris.key_of(uri), ()))
        load = next((load for load in loads if row in load.rows), None)
        if load is None or self.documents.get(uri) is None:
            return Place(uri, row)
        edits = self.documents.edits_since(uri, load.revision)
        now = row if edits is None else row_after(row, edits)
        return None if now is None else Place(uri, now)

    def _new_name(self, uri: str) -> str:
        cell = self._cell(uri)
        if cell is not None:
            # It keeps its number when cells come and go above; a new one gets another.
            notebook, number = self._wanted_name(cell[0]), cell[1]
            while f"{notebook}[{number}]" in self._uri_by_name:
                number += 1
            return f"{notebook}[{number}]"
        wanted = self._wanted_name(uri)
        name, number = wanted, 2
        while name in self._uri_by_name:
            stem, dot, suffix = wanted.rpartition(".")
            name = f"{stem}~{number}.{suffix}" if dot and stem else f"{wanted}~{number}"
            number += 1
        return name

    def _wanted_name(self, uri: str) -> str:
        path = uris.path_of(uri)
        if path is None:
            scheme, _, rest = uris.key_of(uri).partition(":")
            return rest.lstrip("/") or scheme
        return self._relative(path)

    def _relative(self, path: Path) -> str:
        for folder in self.folders:
            if path.is_relative_to(folder):
                name = path.relative_to(folder).as_posix()
                # The same name in an earlier folder is another file: `require` finds that one.
                if folder == self.folders[0] or not self._in_earlier(folder, name):
                    return name
                return f"{folder.name}/{name}"
        return str(path)

    def _in_earlier(self, folder: Path, name: str) -> bool:
        earlier = self.folders[: self.folders.index(folder)]
        return any((other / name).exists() for other in earlier)
