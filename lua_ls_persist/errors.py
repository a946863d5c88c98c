"""The one exception tree of the package.

Errors of Lua programs are data (`lua_ls_persist.model.Problem`); no session ever raises them. What
is raised here is about the workbench itself: its arguments, its files, its parts::

    LuaPersistError
    ├── CoreError            the WebAssembly module is missing, does not fit, or cannot be loaded
    │   └── TrapError        the module stopped in the middle of a call; its memory must be restored
    ├── InterchangeError     a file of rows (CSV, JSON) is wrong; the message names line and column
    ├── QueryError           a query, as it was asked, makes no sense; the message names the place
    ├── SchemaError          the definition of a schema makes no sense; the message names the place
    ├── SessionError         the session cannot take this call
    │   └── SessionClosedError
    ├── StoreError           the session's file cannot be used; the message says what to do
    │   ├── SchemaViolationError   data do not follow their schema; `violations` tells where
    │   ├── UniqueViolationError   two rows have the same value, and an index is to be unique
    │   └── StoreChangedError      somebody else committed in between: run the transaction again
    └── WireError            bytes that are not a value of the wire format
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lua_ls_persist.model import SchemaViolation

VIOLATIONS_SHOWN_MAX = 20
"""So many are listed in the message of an error; all are in its attribute."""


class LuaPersistError(Exception):
    """Anything this package raises on purpose."""


class CoreError(LuaPersistError):
    """The WebAssembly core is missing, of another layout, or cannot be loaded."""


class TrapError(CoreError):
    """The core stopped in the middle of a call. Its memory must be restored before the next one."""


class SchemaError(LuaPersistError):
    """The definition of a schema makes no sense."""


class InterchangeError(LuaPersistError):
    """A file of rows is wrong, or cannot be read or written; the message names the place."""


class QueryError(LuaPersistError):
    """What was asked of the data makes no sense; the message names the place in the question."""


class SessionError(LuaPersistError):
    """The session cannot take this call as it was made."""


class SessionClosedError(SessionError):
    """The session was closed before or during this call."""


class StoreError(LuaPersistError):
    """The session's file cannot be opened, read or written."""


class SchemaViolationError(StoreError):
    """Data do not follow their schema, and nothing was changed."""

    def __init__(self, violations: Sequence[SchemaViolation], *, more: bool = False) -> None:
        """With `more`, there are more violations than these."""
        self.violations = tuple(violations)
        self.more = more
        lines = [str(violation) for violation in self.violations[:VIOLATIONS_SHOWN_MAX]]
        left_out = len(self.violations) - len(lines)
        if left_out or more:
            lines.append(f"and {left_out}{' or more' if more else ''} others")
        super().__init__("\n".join(lines))


class UniqueViolationError(StoreError):
    """Two rows have the same value in an index that is to be unique, and nothing was changed."""

    def __init__(
        self,
        message: str,
        *,
        table_id: int = 0,
        keys: Sequence[tuple[int, int | float | str | bytes | None]] = (),
        parts: Sequence[str | int | float | bool] = (),
    ) -> None:
        """`keys` are those of the rows in the table with this id, as the store has them.

        `parts` are the keys in a row under which the index looks.
        """
        super().__init__(message)
        self.table_id = table_id
        self.keys = tuple(keys)
        self.parts = tuple(parts)


class StoreChangedError(StoreError):
    """Another session committed since this transaction began. Run it again from its beginning."""


class WireError(LuaPersistError):
    """Bytes that are not a value of the wire format: truncated, unknown tag, or a wrong length."""
