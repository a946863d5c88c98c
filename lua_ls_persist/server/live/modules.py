"""The modules that `require` would find, by name."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

DEPTH_MAX: Final = 8
ENTRIES_MAX: Final = 10_000
_LEFT_OUT: Final = frozenset({"node_modules", "__pycache__"})


def module_names(folders: Sequence[Path], open_files: Iterable[Path] = ()) -> dict[str, Path]:
    """Names to files: those of the folders, hidden ones left out, and those that are open.

    Looks at so many entries of the file system and no more. Any thread.
    """
    found: dict[str, Path] = {}
    left = ENTRIES_MAX
    for folder in folders:
        for place, names, files in os.walk(folder):
            depth = len(Path(place).relative_to(folder).parts)
            names[:] = [
                name
                for name in sorted(names)
                if not name.startswith(".") and name not in _LEFT_OUT and depth < DEPTH_MAX
            ]
            left -= len(files) + len(names)
            for file in files:
                if file.endswith(".lua"):
                    _add(found, folder, Path(place) / file)
            if left < 0:
                break
    for path in open_files:
        for folder in folders:
            if path.suffix == ".lua" and path.is_relative_to(folder):
                _add(found, folder, path)
    return found


def _add(found: dict[str, Path], folder: Path, path: Path) -> None:
    parts = path.relative_to(folder).with_suffix("").parts
    if parts[-1] == "init" and len(parts) > 1:
        parts = parts[:-1]
    if all("." not in part for part in parts):
        found.setdefault(".".join(parts), path)
