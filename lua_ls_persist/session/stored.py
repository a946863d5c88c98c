"""What a session has stored, seen from Python: the same operations that programs have.

All of it is asked of the session's own thread, between two evaluations.
"""

from __future__ import annotations

from lua_ls_persist.session.life import Life


class StoredData:
    """The part of a session that is about its store."""

    def __init__(self, life: Life) -> None:
        self._life = life
