"""What the prelude asks of the host: operations by name, each from a value tree to another.

This is the one registry of them. An operation that makes no sense as it was asked for raises an
error of this package, which becomes a Lua error at the program's line. What the store fails with
(a full disk) ends the evaluation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

from lua_ls_persist.errors import (
    InterchangeError,
    QueryError,
    SchemaError,
    SchemaViolationError,
    SessionError,
    UniqueViolationError,
    WireError,
)
from lua_ls_persist.paths import keys_of
from lua_ls_persist.session import (
    data_compression,
    data_history,
    data_indexes,
    data_interchange,
    data_look,
    data_looking,
    data_migrations,
    data_queries,
    data_schemas,
)
from lua_ls_persist.session.services import DataOperation, DataServices
from lua_ls_persist.session.trees import Tree, read_tree, table_of
from lua_ls_persist.wire import Decoder

REFUSALS: Final = (
    InterchangeError,
    QueryError,
    SchemaError,
    SchemaViolationError,
    SessionError,
    UniqueViolationError,
    # Raised by an operation, it is about what the program has handed over.
    WireError,
)
"""What becomes an error of the program."""

_Arguments = Mapping[Any, Tree]


def answer_data(services: DataServices, request: bytes) -> tuple[bool, Tree]:
    """Whether an operation was refused; and what came of it, or why.

    Raises:
        WireError: there is no such operation, or the request is malformed.
        StoreError: the store failed.
    """
    decoder = Decoder(request)
    name = decoder.text().decode("utf-8", "replace")
    operation = OPERATIONS.get(name)
    if operation is None:
        raise WireError(f"there is no operation {name!r}")
    if operation.prepare is not None:
        prepare = partial(_prepared, decoder, name, operation.prepare)
        try:
            return False, operation.run(services, services.prepared(request, prepare))
        except REFUSALS as error:
            return True, str(error)
    arguments = table_of(read_tree(decoder), f"the argument of {name}")
    if not operation.changes:
        try:
            return False, operation.run(services, arguments)
        except REFUSALS as error:
            return True, str(error)
    services.store.savepoint()
    try:
        result = operation.run(services, arguments)
    except REFUSALS as error:
        services.store.mend()
        services.store.rollback_to()
        return True, str(error)
    services.store.release()
    return False, result


def _prepared(
    decoder: Decoder, name: str, prepare: Callable[[_Arguments], _Arguments]
) -> _Arguments:
    return prepare(table_of(read_tree(decoder), f"the argument of {name}"))


# What every part of the prelude uses.


def _arguments(services: DataServices, _arguments: _Arguments) -> Tree:
    return services.arguments


def _keys(_services: DataServices, arguments: _Arguments) -> Tree:
    path = arguments.get("path")
    if not isinstance(path, str):
        raise SessionError("a table's path is text, such as users or Memory.users")
    return keys_of(path)


def _progress(services: DataServices, arguments: _Arguments) -> Tree:
    services.go_on(_count(arguments.get("done")), _count(arguments.get("total")))
    return None


def _keep(services: DataServices, arguments: _Arguments) -> Tree:
    services.kept = arguments.get("value")
    return None


def _kept(services: DataServices, _arguments: _Arguments) -> Tree:
    kept, services.kept = services.kept, None
    return kept


def _count(tree: Tree) -> int:
    return tree if isinstance(tree, int) else 0


OPERATIONS: Final[dict[str, DataOperation]] = {
    "arguments": DataOperation(_arguments),
    "keys": DataOperation(_keys),
    "progress": DataOperation(_progress),
    "keep": DataOperation(_keep),
    "kept": DataOperation(_kept),
    **data_compression.OPERATIONS,
    **data_history.OPERATIONS,
    **data_indexes.OPERATIONS,
    **data_interchange.OPERATIONS,
    **data_look.OPERATIONS,
    **data_looking.OPERATIONS,
    **data_migrations.OPERATIONS,
    **data_queries.OPERATIONS,
    **data_schemas.OPERATIONS,
}
"""By name, as the prelude asks for them. Each part of the session adds its own."""
