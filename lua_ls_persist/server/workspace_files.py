"""The Lua files of the workspace's folders: what they mention and what they declare.

Owns the index and its thread. What the editor has open comes first; a file on disk is read again
when somebody says that it changed. Of a file only its names and symbols are kept, and the parses of
the last few. Must not know LSP types.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import TypeVar

from lua_ls_persist.server import uris
from lua_ls_persist.server.analysis import scopes_of
from lua_ls_persist.server.analysis.annotations import Annotations, ClassNote, Note, annotations_of
from lua_ls_persist.server.analysis.asked_tables import Keys, asked_tables_in
from lua_ls_persist.server.analysis.entities import entities_of
from lua_ls_persist.server.analysis.entity import Entity
from lua_ls_persist.server.analysis.holding import holders_in
from lua_ls_persist.server.analysis.metatables import INDEX
from lua_ls_persist.server.analysis.symbols import symbols_of
from lua_ls_persist.server.documents import Document, Documents
from lua_ls_persist.server.positions import Range

FILES_MAX = 5000
FILE_BYTES_MAX = 1024 * 1024
TOTAL_BYTES_MAX = 64 * 1024 * 1024
DOCUMENTS_KEPT_MAX = 32
"""Files whose parse is kept."""
THREADS = 3
"""One may look through the folders while others answer."""
MODULE_PATTERNS = ("{}.lua", "{}/init.lua")
"""Where `require` looks in each folder."""

T = TypeVar("T")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class FileSymbol:
    """A symbol for looking through the whole workspace."""

    name: str
    kind: str
    container: str
    uri: str
    range: Range


@dataclass(frozen=True, slots=True)
class _File:
    path: Path
    size_bytes: int
    mentions: frozenset[str]
    symbols: tuple[FileSymbol, ...]
    annotations: Annotations
    inheritance: tuple[tuple[Entity, Entity], ...]
    holders: frozenset[str]
    asked_tables: frozenset[Keys]


class WorkspaceFiles:
    """The files of the workspace. Any thread may ask; `scan` and `changed` take long."""

    def __init__(self, documents: Documents) -> None:
        self.documents = documents
        self.folders: tuple[Path, ...] = ()
        self.is_complete = False
        """Whether the folders were looked through, as far as anybody wants."""
        self.worker = ThreadPoolExecutor(
            max_workers=THREADS, thread_name_prefix="lua-persist-files"
        )
        self._files: dict[str, _File] = {}
        self._kept: OrderedDict[str, tuple[int, Document]] = OrderedDict()
        """With when the file was written."""
        self._lock = threading.Lock()
        self._stopped = False

    def scan(self, folders: Sequence[Path]) -> None:
        """Reads all files of the folders that are not known yet, and forgets the others."""
        self._stopped = False
        with self._lock:
            self._kept.clear()
            known, self._files = self._files, {}
        paths = list(lua_files(folders))  # Later than that, so that no change is lost.
        total_bytes = 0
        for path in paths:
            if self._stopped:
                break
            file = known.get(uris.path_key(path)) or _read(path)
            if file is None:
                continue
            total_bytes += file.size_bytes
            if total_bytes > TOTAL_BYTES_MAX:
                logger.warning("The workspace has more Lua than is looked through: %s on", path)
                break
            with self._lock:
                self._files.setdefault(uris.path_key(path), file)
        self.is_complete = True

    def stop_scan(self) -> None:
        """Ends `scan` where it is; what was read stays."""
        self._stopped = True

    def changed(self, uris_: Iterable[str]) -> None:
        """Files were written, made or removed."""
        for uri in uris_:
            path = uris.path_of(uri)
            if path is None or path.suffix != ".lua" or self._is_hidden(path):
                continue
            key = uris.path_key(path)
            file = _read(path)
            with self._lock:
                self._kept.pop(key, None)
                if file is None:
                    self._files.pop(key, None)
                elif key in self._files or len(self._files) < FILES_MAX:
                    self._files[key] = file

    def document(self, uri: str) -> Document | None:
        """The open document, or the file on disk; its parse is kept for a while."""
        document = self.documents.get(uri)
        path = uris.path_of(uri)
        if document is not None or path is None:
            return document
        key = uris.path_key(path)
        written = _written_at(path)
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None and kept[0] == written:
                self._kept.move_to_end(key)
                return kept[1]
        text = _text_of(path)
        if text is None:
            return None
        document = Document.of_text(uris.uri_of(path), text)
        with self._lock:
            self._kept[key] = (written, document)
            while len(self._kept) > DOCUMENTS_KEPT_MAX:
                self._kept.popitem(last=False)
        return document

    def mentioning(self, name: str, *, first: Sequence[Document] = ()) -> Iterator[Document]:
        """The documents and files in which a name stands: `first`, open ones, others."""
        seen = set()
        for document in (*first, *self.documents):
            if uris.key_of(document.uri) in seen:
                continue
            seen.add(uris.key_of(document.uri))
            if document.path is not None:
                seen.add(uris.path_key(document.path))
            if name in scopes_of(document).chunk.root.mentions:
                yield document
        with self._lock:
            files = [file for key, file in self._files.items() if key not in seen]
        for file in files:
            if name in file.mentions:
                found = self.document(uris.uri_of(file.path))
                if found is not None:
                    yield found

    def module(self, name: str, *, beside: Document | None = None) -> Document | None:
        """The document that `require(name)` loads: of the folders, or beside another document."""
        if not name or "\0" in name or name.startswith("/"):
            return None
        folders = self.folders
        if not folders:
            paths = [] if beside is None else [beside.path]
            paths += [document.path for document in self.documents]
            folders = tuple(path.parent for path in paths if path is not None)
        relative = name.replace(".", "/")
        for folder in folders:
            for pattern in MODULE_PATTERNS:
                path = folder / pattern.format(relative)
                document = self.documents.at_path(path)
                if document is not None:
                    return document
                with self._lock:
                    known = uris.path_key(path) in self._files
                if known or (not self.is_complete and path.is_file()):
                    return self.document(uris.uri_of(path))
        return None

    def modules(self) -> list[str]:
        """The names of all modules that `require` finds, in alphabetical order."""
        with self._lock:
            paths = [file.path for file in self._files.values()]
        paths += [document.path for document in self.documents if document.path is not None]
        return module_names(paths, self.folders)

    def symbols(self) -> Iterator[FileSymbol]:
        """All symbols of open documents and files."""
        return chain.from_iterable(self._each(_symbols_in, lambda file: file.symbols))

    def classes(self, name: str) -> Iterator[ClassNote]:
        """Where annotations declare a class of a name."""
        for known in self._annotations():
            yield from (one for one in known.classes if one.name == name)

    def aliases(self, name: str) -> Iterator[str]:
        """The types that annotations call by a name."""
        for known in self._annotations():
            yield from (type_ for alias, type_ in known.aliases if alias == name)

    def noted_globals(self) -> dict[str, list[Note]]:
        """What comments say of the types of globals where they are assigned."""
        found: dict[str, list[Note]] = {}
        for known in self._annotations():
            for name, note in known.globals:
                found.setdefault(name, []).append(note)
        return found

    def inheritance(self) -> Iterator[tuple[Entity, Entity]]:
        """The globals, and fields of globals, that have a class as their parent.

        The same of `__index` of a global: where that leads.
        """
        return chain.from_iterable(self._each(_inheritance, lambda file: file.inheritance))

    def holders(self) -> set[str]:
        """The globals that may hold a table of the store, by what is assigned to them."""
        return set[str]().union(*self._each(holders_in, lambda file: file.holders))

    def asked_tables(self) -> set[Keys]:
        """The tables inside of `Memory` whose entries are rows."""
        return set[Keys]().union(*self._each(asked_tables_in, lambda file: file.asked_tables))

    def count_mentioning(self, name: str) -> int:
        """In how many files a name stands, those that are open aside."""
        with self._lock:
            return sum(name in file.mentions for file in self._files.values())

    def _annotations(self) -> Iterator[Annotations]:
        """What annotations declare in open documents and files, where they declare anything."""
        return self._each(annotations_of, lambda file: file.annotations)

    def _each(
        self, in_document: Callable[[Document], T], in_file: Callable[[_File], T]
    ) -> Iterator[T]:
        """What there is in each open document, then in each file that is not open."""
        seen = set()
        for document in self.documents:
            if document.path is not None:
                seen.add(uris.path_key(document.path))
            yield in_document(document)
        with self._lock:
            files = [file for key, file in self._files.items() if key not in seen]
        for file in files:
            yield in_file(file)

    def close(self) -> None:
        """Ends the thread. Idempotent."""
        self._stopped = True
        self.worker.shutdown(wait=False, cancel_futures=True)

    def _is_hidden(self, path: Path) -> bool:
        for folder in self.folders:
            if path.is_relative_to(folder):
                return any(part.startswith(".") for part in path.relative_to(folder).parts)
        return True


def module_names(paths: Iterable[Path], folders: Sequence[Path]) -> list[str]:
    """By which names `require` finds files of the folders, in alphabetical order."""
    names = set()
    for path in paths:
        for folder in folders:
            if path.is_relative_to(folder):
                parts = path.relative_to(folder).with_suffix("").parts
                parts = parts[:-1] if parts[-1] == "init" and len(parts) > 1 else parts
                if all("." not in part for part in parts):
                    names.add(".".join(parts))
    return sorted(names)


def lua_files(folders: Sequence[Path], *, folders_max: int | None = None) -> Iterator[Path]:
    """The Lua files below the folders, hidden ones and links to folders left out.

    With `folders_max`, so many folders are looked at.
    """
    count = 0
    for folder in folders:
        for where, inner, names in islice(os.walk(folder), folders_max):
            inner[:] = sorted(name for name in inner if not name.startswith("."))
            for name in sorted(names):
                if name.endswith(".lua") and not name.startswith("."):
                    count += 1
                    if count > FILES_MAX:
                        logger.warning("The workspace has more than %s Lua files", FILES_MAX)
                        return
                    yield Path(where) / name


def _written_at(path: Path) -> int:
    """When a file was written, in nanoseconds; 0 if there is none."""
    try:
        return path.stat().st_mtime_ns
    except (OSError, ValueError):
        return 0


def _text_of(path: Path) -> str | None:
    try:
        if path.stat().st_size > FILE_BYTES_MAX:
            return None
        return path.read_bytes().decode("utf-8", "replace")
    except (OSError, ValueError):
        return None


def _read(path: Path) -> _File | None:
    """What is kept of a file; None if it cannot be read or is too large."""
    text = _text_of(path)
    if text is None:
        return None
    document = Document.of_text(uris.uri_of(path), text)
    mentions = frozenset(map(sys.intern, scopes_of(document).chunk.root.mentions))
    return _File(
        path,
        len(text),
        mentions,
        _symbols_in(document),
        annotations_of(document),
        _inheritance(document),
        holders_in(document),
        asked_tables_in(document),
    )


def _inheritance(document: Document) -> tuple[tuple[Entity, Entity], ...]:
    metatables = entities_of(document).metatables
    pairs = [
        *metatables.parents.items(),
        *((owner.at(INDEX), leads) for owner, leads in metatables.indexed.items()),
    ]
    return tuple((owner, leads) for owner, leads in pairs if owner.is_global)


def _symbols_in(document: Document) -> tuple[FileSymbol, ...]:
    found = document.derived.get("file symbols")
    if not isinstance(found, tuple):
        scopes = scopes_of(document)
        found = tuple(
            FileSymbol(
                inner.name,
                inner.kind,
                container,
                document.uri,
                scopes.range(inner.name_start, inner.name_end),
            )
            for symbol in symbols_of(document)
            for inner, container in symbol.walk()
        )
        document.derived["file symbols"] = found
    return found
