"""Schemas: shown, set, derived from rows, checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lua_ls_persist.errors import SchemaViolationError
from lua_ls_persist.jsonable import Json, unicode_text
from lua_ls_persist.model import SchemaViolation
from lua_ls_persist.server.commands import CommandError, param
from lua_ls_persist.server.features.data.running import TABLE_DOC, URI_DOC, ask, change, look
from lua_ls_persist.server.features.registry import COMMANDS
from lua_ls_persist.session.annotations import annotations_for

if TYPE_CHECKING:
    from lua_ls_persist.server.language_server import LuaLanguageServer
    from lua_ls_persist.session import Session

_NOT_GIVEN: Final = object()


@dataclass(frozen=True, slots=True, kw_only=True)
class TableParams:
    """A table."""

    table: str = param(TABLE_DOC)
    uri: str | None = param(URI_DOC, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class SetSchemaParams:
    """A schema for a table."""

    table: str = param(TABLE_DOC)
    definition: Any = param(
        "the definition, as `ext.schema` takes it; null removes the schema",
        _NOT_GIVEN,
        takes_null=True,
    )
    annotations: str | None = param("instead, LuaCATS annotations: `---@class ...`", None)
    uri: str | None = param(URI_DOC, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckSchemasParams:
    """Which tables."""

    table: str | None = param(f"{TABLE_DOC}; otherwise all", None)
    uri: str | None = param(URI_DOC, None)


async def schema(server: LuaLanguageServer, params: TableParams) -> Json:
    """Shows the schema of a table, as a definition and as annotations."""

    def call(session: Session) -> Json:
        definition = session.schema(params.table)
        annotations = None if definition is None else session.schema_annotations(params.table)
        return {"definition": definition, "annotations": annotations}

    return await look(server, params.uri, call)


async def set_schema(server: LuaLanguageServer, params: SetSchemaParams) -> Json:
    """Sets the schema of a table, or removes it; rows that are there must follow it."""
    definition, annotations = params.definition, params.annotations
    if (definition is _NOT_GIVEN) == (annotations is None):
        raise CommandError("give either `definition` (null removes the schema) or `annotations`")

    def call(session: Session) -> Json:
        if annotations is None:
            session.set_schema(params.table, definition)
        else:
            session.set_schema_annotations(params.table, annotations)
        return {"definition": session.schema(params.table)}

    try:
        return await change(server, params.uri, f"Checking rows of {params.table}", call)
    except SchemaViolationError as error:
        raise CommandError(f"{params.table} has rows that do not follow it:\n{error}") from error


async def derive_schema(server: LuaLanguageServer, params: TableParams) -> Json:
    """Makes a schema that all rows of a table follow, from these rows. It is not set."""
    definition = await ask(
        server,
        params.uri,
        f"Reading rows of {params.table}",
        lambda session, report: session.derive_schema(
            params.table, on_progress=lambda rows: report(rows, 0)
        ),
    )
    return {"definition": definition, "annotations": annotations_for(params.table, definition)}


async def check_schemas(server: LuaLanguageServer, params: CheckSchemasParams) -> Json:
    """Looks for what does not follow its schema."""
    found = await ask(
        server, params.uri, "Checking rows", lambda session, _: session.check_schemas(params.table)
    )
    return {"violations": [_violation(one) for one in found]}


def _violation(found: SchemaViolation) -> Json:
    return {
        "path": unicode_text(found.path),
        "expected": unicode_text(found.expected),
        "got": unicode_text(found.got),
    }


SCHEMA = COMMANDS.add(
    "schema", "Show Schema", TableParams, schema, "{definition|null, annotations|null}"
)
SET_SCHEMA = COMMANDS.add(
    "setSchema", "Set Schema", SetSchemaParams, set_schema, "{definition|null}"
)
DERIVE_SCHEMA = COMMANDS.add(
    "deriveSchema", "Derive Schema", TableParams, derive_schema, "{definition, annotations}"
)
CHECK_SCHEMAS = COMMANDS.add(
    "checkSchemas",
    "Check Schemas",
    CheckSchemasParams,
    check_schemas,
    "{violations: [{path, expected, got}]}",
)
