"""Where a session's file lives when nobody says."""

from __future__ import annotations

from pathlib import Path

import platformdirs

from lua_ls_persist.errors import StoreError

FOLDER_NAME = ".lua-persist"
FILE_NAME = "session.db"

# The folder keeps itself out of version control, its own .gitignore included.
_GITIGNORE = "# A session's data, made by lua-ls-persist. Not for version control.\n*\n"


def default_path(workspace: Path | None, *, create: bool = True) -> Path:
    """The file of the session of a workspace folder, or the user's own session outside of any.

    Inside a workspace this is `.lua-persist/session.db`, otherwise a file in the user's data
    folder. The folder is created, unless `create` is false; the file is not. A folder that is
    there and cannot be written is left as it is: what it has can be looked at.

    Raises:
        StoreError: the folder cannot be created.
    """
    folder = (
        platformdirs.user_data_path("lua-ls-persist", appauthor=False)
        if workspace is None
        else workspace / FOLDER_NAME
    )
    if create:
        try:
            folder.mkdir(parents=workspace is None, exist_ok=True)
            if workspace is not None:
                _write_gitignore(folder / ".gitignore")
        except OSError as error:
            raise StoreError(
                f"Cannot create the session's folder {folder}: {error.strerror or error}. "
                "Make the place writable, or name another file for the session."
            ) from error
    return folder / FILE_NAME


def _write_gitignore(path: Path) -> None:
    """Writes the folder's `.gitignore` unless there is one: people may have edited theirs."""
    try:
        with path.open("x", encoding="utf-8", newline="\n") as file:
            file.write(_GITIGNORE)
    except FileExistsError:
        pass
    except OSError:
        if not path.with_name(FILE_NAME).exists():
            raise
