"""Whether a failure that should not be comes from a file that makes no sense.

Other programs write to a session's file, and disks fail. Not every reader of it looks at all that
it reads; so what fails without a reason is looked into here, once, where it leaves the session.
"""

from __future__ import annotations

import struct
import sys
from types import TracebackType
from typing import Final

from lua_ls_persist.errors import StoreError
from lua_ls_persist.store import Store
from lua_ls_persist.store.failures import damaged

NONSENSE: Final = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
    struct.error,
)
"""What reading raises where something is not what it has to be. Bugs of ours raise it as well."""

_OURS: Final = sys.stdlib_module_names | {__name__.partition(".")[0]}


def damage_behind(error: Exception, store: Store) -> StoreError | None:
    """What is wrong with the store's file; None if that is not why this was raised.

    Reads the whole file. On the session's thread, outside of any transaction.
    """
    if store.path is None or store.in_transaction or not _is_ours(error.__traceback__):
        return None
    try:
        problems = store.integrity()
    except StoreError as trouble:
        return trouble
    if not problems:
        return None
    return StoreError(damaged(str(store.path), problems[0]))


def _is_ours(traceback: TracebackType | None) -> bool:
    """Whether no function of the caller's raised it: `on_output`, `on_progress`, a file."""
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    if traceback is None:
        return False
    module = traceback.tb_frame.f_globals.get("__name__")
    return isinstance(module, str) and module.partition(".")[0] in _OURS
