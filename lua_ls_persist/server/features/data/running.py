"""How commands about data run: off the loop, with progress, and never longer than wanted.

Owns what all of them share: the way to the session, progress that can be cancelled, evaluations as
JSON, stored functions by path, and conditions as clients write them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, TypeVar

from lua_ls_persist.errors import QueryError
from lua_ls_persist.jsonable import Json, evaluation_to_json
from lua_ls_persist.query.spec import OPERATORS
from lua_ls_persist.query.text import parse_condition_text
from lua_ls_persist.server.commands import CommandError
from lua_ls_persist.server.features.progress import Report, progress

if TYPE_CHECKING:
    from lua_ls_persist.model import Evaluation, StoredFunction
    from lua_ls_persist.server.language_server import LuaLanguageServer
    from lua_ls_persist.session import Session

T = TypeVar("T")

URI_DOC: Final = "a document or folder whose session is meant; otherwise that of the first folder"
WHERE_DOC: Final = (
    'conditions: `["age", ">", 25]`, a list of such, groups `{any: [...]}`, or text `age > 25`'
)
FILTER_DOC: Final = "a text that the key or one of the columns has, as in `rows`"
TABLE_DOC: Final = "the path of a table: `users`, `Memory.users`"


async def ask(
    server: LuaLanguageServer,
    uri: str | None,
    title: str,
    call: Callable[[Session, Report], T],
    *,
    changes: bool = False,
) -> T:
    """Does something with the session of a document; `title` is what the progress is called.

    With `changes` the session's file is made if it is not there, and the workspace must be trusted.
    `call` runs on another thread; its second argument hears how much of how much is done.

    Raises:
        CommandError: it was cancelled from its progress.
        LuaPersistError: as the call does.
    """
    cancelled = False

    def cancel() -> None:
        nonlocal cancelled
        cancelled = True
        using.cancel()

    token = server.progress_token.get()
    with progress(server, title, cancel, token) as report:
        using = asyncio.ensure_future(
            server.evaluator_of(uri).use(lambda session: call(session, report), creates=changes)
        )
        try:
            return await using
        except asyncio.CancelledError:
            if cancelled:
                raise CommandError("it was cancelled") from None
            raise


async def look(server: LuaLanguageServer, uri: str | None, call: Callable[[Session], T]) -> T:
    """Does something that only looks, and mostly takes no time."""
    return await ask(server, uri, "Reading", lambda session, _: call(session))


async def find_function(server: LuaLanguageServer, uri: str | None, path: str) -> StoredFunction:
    """The stored function at a path.

    Raises:
        CommandError: there is none.
    """
    found = await look(server, uri, lambda session: session.functions())
    for one in found:
        if one.path == path:
            return one
    raise CommandError(f"there is no stored function {path}")


async def change(
    server: LuaLanguageServer, uri: str | None, title: str, call: Callable[[Session], T]
) -> T:
    """Does something that changes what is stored."""
    return await ask(server, uri, title, lambda session, _: call(session), changes=True)


def done(evaluation: Evaluation) -> Evaluation:
    """The evaluation, if nothing was wrong.

    Raises:
        CommandError: something was; the message is that of the first problem.
    """
    if not evaluation.ok:
        errors = [problem for problem in evaluation.problems if problem.severity == "error"]
        raise CommandError(str(errors[0]) if errors else "it failed")
    return evaluation


def evaluation_json(evaluation: Evaluation, uri_of: Callable[[str], str | None]) -> dict[str, Json]:
    """An evaluation, with the documents that its chunks stand for."""
    data = evaluation_to_json(evaluation)

    def add(part: Json) -> None:
        if isinstance(part, dict):
            chunk = part.get("chunk")
            if isinstance(chunk, str):
                part["uri"] = uri_of(chunk)
            for inner in part.get("traceback") or ():  # type: ignore[union-attr]  # a list
                add(inner)

    for key in ("output", "problems"):
        for part in data[key] or ():  # type: ignore[union-attr]  # a list
            add(part)
    return data


def conditions(where: Any) -> Any:
    """Conditions for `Session.query`, with those that are text read.

    A condition is text, a list `[field, operator, ...]`, or a group; there may be a list of these.

    Raises:
        QueryError: a text is no condition.
    """
    if where is None or where == "":
        return ()
    if isinstance(where, str):
        return parse_condition_text(where)
    if isinstance(where, Mapping):
        return {name: conditions(members) for name, members in where.items()}
    if not isinstance(where, list):
        raise QueryError(f"where: expected conditions, got {where!r}")
    if len(where) > 1 and isinstance(where[0], str) and where[1] in OPERATORS:
        return where
    return [conditions(one) if isinstance(one, (str, Mapping, list)) else one for one in where]
