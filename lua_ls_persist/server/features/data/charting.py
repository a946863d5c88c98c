"""Numbers for pictures: never more than a picture can show, and how many of how many they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lua_ls_persist.jsonable import Json
from lua_ls_persist.server.commands import param
from lua_ls_persist.server.features.data.running import (
    FILTER_DOC,
    TABLE_DOC,
    URI_DOC,
    WHERE_DOC,
    ask,
    conditions,
)
from lua_ls_persist.server.features.registry import COMMANDS

if TYPE_CHECKING:
    from lua_ls_persist.server.language_server import LuaLanguageServer

POINTS_MAX: Final = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class PointsParams:
    """Two columns of a table."""

    table: str = param(TABLE_DOC)
    x: str = param("a field: `age`, or `@key` for the keys")
    y: str = param("another one")
    where: Any = param(WHERE_DOC, None)
    filter: str = param(FILTER_DOC, "", may_be_empty=True)
    limit: int = param("how many points at most", 2_000, at_least=1, at_most=POINTS_MAX)
    uri: str | None = param(URI_DOC, None)


async def points(server: LuaLanguageServer, params: PointsParams) -> Json:
    """Tells which numbers of two columns go together, for pictures.

    Where there are more than `limit`, some are chosen that lie evenly among the rows, always the
    same ones. `pairs` of `rows` have a finite number in both columns.
    """
    where = conditions(params.where)
    found = await ask(
        server,
        params.uri,
        f"Looking at {params.y} over {params.x} of {params.table}",
        lambda session, _: session.points(
            params.table,
            params.x,
            params.y,
            where=where,
            filter=params.filter,
            limit=params.limit,
        ),
    )
    return {
        "points": [[x, y] for x, y in found.points],
        "rows": found.rows,
        "pairs": found.pairs,
    }


POINTS = COMMANDS.add(
    "points", "Points of Two Columns", PointsParams, points, "{points: [[x, y]], rows, pairs}"
)
