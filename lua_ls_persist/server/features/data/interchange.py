"""In and out: files of rows, everything as lines, backups."""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lua_ls_persist.errors import InterchangeError
from lua_ls_persist.jsonable import Json, unicode_text
from lua_ls_persist.model import Exported
from lua_ls_persist.server.commands import CommandError, param
from lua_ls_persist.server.features.data.running import (
    FILTER_DOC,
    TABLE_DOC,
    URI_DOC,
    WHERE_DOC,
    ask,
    conditions,
    evaluation_json,
)
from lua_ls_persist.server.features.progress import Report
from lua_ls_persist.server.features.registry import COMMANDS

if TYPE_CHECKING:
    from lua_ls_persist.server.language_server import LuaLanguageServer
    from lua_ls_persist.session import Session

TEXT_LENGTH_MAX = 16 * 1024 * 1024
"""A longer text is for a file."""
PATH_DOC = "a file, relative to the folder"
FORMATS = ("csv", "json", "jsonl")


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportParams:
    """Rows of a file."""

    path: str = param(PATH_DOC)
    table: str = param(f"{TABLE_DOC}; a named table is made if there is none")
    format: str | None = param("otherwise the file's name tells", None, choices=FORMATS)
    key: str | None = param(
        "the column that is the row's key; otherwise `@key`, or rows are numbered", None
    )
    infer: bool = param("whether columns of CSV become numbers and booleans", default=False)
    text: list[str] | None = param("columns of CSV that stay text all the same", None)
    skip: list[str] | None = param("columns or members that are left out of the rows", None)
    replace: bool = param("whether rows take the place of others", default=False)
    uri: str | None = param(URI_DOC, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportParams:
    """Rows for a file, or as text."""

    table: str = param(TABLE_DOC)
    path: str | None = param(f"{PATH_DOC}, which is replaced; otherwise the text is returned", None)
    format: str | None = param(
        "otherwise the file's name tells; for a text it is json", None, choices=FORMATS
    )
    where: Any = param(WHERE_DOC, None)
    filter: str = param(FILTER_DOC, "", may_be_empty=True)
    uri: str | None = param(URI_DOC, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class FileParams:
    """A file."""

    path: str = param(PATH_DOC)
    uri: str | None = param(URI_DOC, None)


class _Text(io.StringIO):
    """A text that does not grow for ever."""

    def write(self, text: str, /) -> int:
        if self.tell() + len(text) > TEXT_LENGTH_MAX:
            raise InterchangeError(
                f"the rows take more than {TEXT_LENGTH_MAX} characters; give a `path`"
            )
        return super().write(text)


async def import_(server: LuaLanguageServer, params: ImportParams) -> Json:
    """Stores the rows of a file in a table, all of them or none; the value is how many."""
    path = file_of(server, params.uri, params.path)

    def call(session: Session, report: Report) -> Any:
        return session.import_data(
            path,
            params.table,
            format=params.format,
            key=params.key,
            infer=params.infer,
            text=params.text or (),
            skip=params.skip or (),
            replace=params.replace,
            on_progress=report,
        )

    evaluation = await ask(server, params.uri, f"Importing {path.name}", call, changes=True)
    return evaluation_json(evaluation, server.workspace_of(params.uri).places.uri_of)


async def export(server: LuaLanguageServer, params: ExportParams) -> Json:
    """Writes the rows of a table as CSV, JSON or JSON Lines, as far as these can hold them."""
    where = conditions(params.where)
    target = None if params.path is None else file_of(server, params.uri, params.path)
    text = _Text()

    def call(session: Session, report: Report) -> Exported:
        kind = params.format or ("json" if target is None else None)
        return session.export_data(
            params.table, text if target is None else target, format=kind, where=where,
            filter=params.filter, on_progress=report,
        )  # fmt: skip

    told = await ask(server, params.uri, f"Exporting {params.table}", call)
    data: dict[str, Json] = {
        "rows": told.rows,
        "left_out_count": told.left_out_count,
        "left_out": [unicode_text(place) for place in told.left_out],
    }
    return data | ({"text": text.getvalue()} if target is None else {"path": str(target)})


async def export_all(server: LuaLanguageServer, params: FileParams) -> Json:
    """Writes everything that is stored as JSON Lines, every type kept."""
    path = file_of(server, params.uri, params.path)

    def call(session: Session, report: Report) -> int:
        return session.export_lines(path, on_progress=lambda lines: report(lines, 0))

    return {"lines": await ask(server, params.uri, "Exporting", call), "path": str(path)}


async def import_all(server: LuaLanguageServer, params: FileParams) -> Json:
    """Reads what `exportAll` wrote into a session that has nothing stored."""
    path = file_of(server, params.uri, params.path)

    def call(session: Session, report: Report) -> int:
        with _opened(path) as file:
            return session.import_lines(file, on_progress=lambda lines: report(lines, 0))

    return {"lines": await ask(server, params.uri, "Importing", call, changes=True)}


async def backup(server: LuaLanguageServer, params: FileParams) -> Json:
    """Writes a copy of everything that is stored to a file of its own."""
    path = file_of(server, params.uri, params.path)
    await ask(
        server,
        params.uri,
        f"Writing {path.name}",
        lambda session, report: session.backup(path, on_progress=report),
    )
    return {"path": str(path), "bytes": path.stat().st_size}


async def restore(server: LuaLanguageServer, params: FileParams) -> Json:
    """Puts the content of a backup in the place of all that is stored; the VM begins afresh."""
    path = file_of(server, params.uri, params.path)

    def call(session: Session, report: Report) -> str:
        session.restore(path, on_progress=report)
        return session.started

    return {"text": await ask(server, params.uri, f"Reading {path.name}", call, changes=True)}


def file_of(server: LuaLanguageServer, uri: str | None, path: str) -> Path:
    """The file that a client means."""
    folder = server.workspace_of(uri).folder
    wanted = Path(path).expanduser()
    if wanted.is_absolute():
        return wanted
    if folder is None:
        raise CommandError(f"`path` must be absolute where no folder is open, not {path!r}")
    return folder / wanted


def _opened(path: Path) -> io.TextIOWrapper:
    try:
        return path.open(encoding="utf-8", newline="\n")
    except OSError as error:
        raise CommandError(f"{path} cannot be read: {error.strerror or error}") from error


IMPORT = COMMANDS.add("import", "Import Rows", ImportParams, import_, "Evaluation")
EXPORT = COMMANDS.add(
    "export",
    "Export Rows",
    ExportParams,
    export,
    "{rows, left_out_count, left_out, path | text}",
)
EXPORT_ALL = COMMANDS.add("exportAll", "Export Everything", FileParams, export_all, "{lines, path}")
IMPORT_ALL = COMMANDS.add("importAll", "Import Everything", FileParams, import_all, "{lines}")
BACKUP = COMMANDS.add("backup", "Back Up Session", FileParams, backup, "{path, bytes}")
RESTORE = COMMANDS.add("restore", "Restore Backup", FileParams, restore, "{text}")
