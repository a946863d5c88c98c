"""The file: how large it is, giving space back, compressing, whether all is well."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from lua_ls_persist.examination import CHECKS, examine
from lua_ls_persist.jsonable import Json
from lua_ls_persist.server.commands import param
from lua_ls_persist.server.features.data.looking import SessionParams
from lua_ls_persist.server.features.data.running import TABLE_DOC, URI_DOC, ask, look
from lua_ls_persist.server.features.progress import Report
from lua_ls_persist.server.features.registry import COMMANDS

if TYPE_CHECKING:
    from lua_ls_persist.server.language_server import LuaLanguageServer
    from lua_ls_persist.session import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class CompressParams:
    """What to compress."""

    table: str | None = param(f"{TABLE_DOC}; otherwise all named tables", None)
    uri: str | None = param(URI_DOC, None)


async def collect(server: LuaLanguageServer, params: SessionParams) -> Json:
    """Removes from the file what nothing reaches any more."""

    def call(session: Session, report: Report) -> Json:
        return asdict(session.collect(on_progress=lambda _, done: report(done, 0)))

    return await ask(server, params.uri, "Collecting", call, changes=True)


async def vacuum(server: LuaLanguageServer, params: SessionParams) -> Json:
    """Gives free space of the file back to the disk."""
    freed = await ask(
        server, params.uri, "Vacuuming", lambda session, _: session.vacuum(), changes=True
    )
    return {"bytes": max(freed, 0)}


async def memory(server: LuaLanguageServer, params: SessionParams) -> Json:
    """Tells how much memory the VM takes, and how large the file is."""

    def call(session: Session) -> Json:
        return {"vm": asdict(session.memory()), "store": asdict(session.sizes())}

    return await look(server, params.uri, call)


async def compress(server: LuaLanguageServer, params: CompressParams) -> Json:
    """Compresses the strings of a table, or of all, with a dictionary made of them."""

    def call(session: Session, report: Report) -> Json:
        found = session.compress(params.table, on_progress=report)
        return {"tables": {path: asdict(facts) for path, facts in found.items()}}

    return await ask(server, params.uri, "Compressing", call, changes=True)


async def doctor(server: LuaLanguageServer, params: SessionParams) -> Json:
    """Examines the installation and the session's file."""
    workspace = server.workspace_of(params.uri)
    path = workspace.path_in_use
    paths = {"session": "in memory" if path is None else str(path)}
    loop = asyncio.get_running_loop()
    # A thread of its own: those that there are have other things to do.
    with ThreadPoolExecutor(max_workers=1) as worker:
        report: dict[str, Any] = asdict(
            await loop.run_in_executor(worker, lambda: examine(CHECKS, paths))
        )
    wrong = await ask(
        server, params.uri, "Checking the file", lambda session, _: session.integrity()
    )
    if workspace.unopened:
        wrong = [workspace.unopened, *wrong]
    report["checks"].append(
        {
            "name": "session's file",
            "ok": not wrong,
            "detail": "; ".join(wrong[:5]) or "it is sound",
            "duration_s": 0.0,
        }
    )
    report["ok"] = report["ok"] and not wrong
    return report


COLLECT = COMMANDS.add(
    "collect",
    "Collect What Nothing Reaches",
    SessionParams,
    collect,
    "{tables, functions, cells, codes, bytes}",
)
VACUUM = COMMANDS.add("vacuum", "Give Space Back", SessionParams, vacuum, "{bytes}")
MEMORY = COMMANDS.add(
    "memory",
    "Show Memory",
    SessionParams,
    memory,
    "{vm: {lua_bytes, used_bytes, committed_bytes, limit_bytes}, store: {file_bytes, free_bytes, "
    "tables, entries, long_strings, functions, cells, codes, images, images_bytes, ...}}",
)
COMPRESS = COMMANDS.add(
    "compress", "Compress Tables", CompressParams, compress, "{tables: {path: facts}}"
)
DOCTOR = COMMANDS.add(
    "doctor",
    "Examine Installation",
    SessionParams,
    doctor,
    "{ok, versions, core, paths, cache, checks: [{name, ok, detail, duration_s}]}",
)
