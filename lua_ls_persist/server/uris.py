"""File URIs and paths, in the spellings that clients use.

Owns the conversion and the keys by which two spellings of one thing are recognised.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from urllib.parse import unquote

from pygls.uris import from_fs_path, to_fs_path

_DRIVE = re.compile(r"^file:///[A-Z]:")


def path_of(uri: str) -> Path | None:
    """The path of a `file:` URI; None for any other."""
    path = to_fs_path(uri)
    return Path(path) if path else None


def uri_of(path: str | os.PathLike[str]) -> str:
    """The `file:` URI of an absolute path."""
    return str(from_fs_path(os.fspath(path)))


def key_of(uri: str) -> str:
    """The same string for every way of escaping one URI, and of writing a drive of Windows."""
    return _DRIVE.sub(lambda drive: drive[0].lower(), unquote(uri))


def path_key(path: str | os.PathLike[str]) -> str:
    """The same string for every way of writing one path; links are not followed."""
    return os.path.normcase(os.path.abspath(path))  # noqa: PTH100 - resolve() follows links
