"""The limits of a session where nobody says; the time limit of one evaluation."""

from __future__ import annotations

from typing import Final

from lua_ls_persist.errors import SessionError

MEMORY_LIMIT_BYTES_DEFAULT: Final = 256 * 1024 * 1024
TIME_LIMIT_S_DEFAULT: Final = 10.0
OUTPUT_LIMIT_BYTES_DEFAULT: Final = 1024 * 1024
HISTORY_LIMIT_EVALUATIONS_DEFAULT: Final = 1_000
HISTORY_LIMIT_BYTES_DEFAULT: Final = 64 * 1024 * 1024
UNDO_MEMORY_LIMIT_BYTES_DEFAULT: Final = 64 * 1024 * 1024


class UseSessionLimit:
    """The type of `SESSION_LIMIT`."""


SESSION_LIMIT: Final = UseSessionLimit()
"""For `time_limit_s` of an evaluation: the session's own limit. (None is no limit.)"""


def time_limit(given_s: float | UseSessionLimit | None, session_s: float | None) -> float | None:
    """The limit that holds.

    Raises:
        SessionError: it makes no sense.
    """
    if isinstance(given_s, UseSessionLimit):
        return session_s
    check_time_limit(given_s)
    return given_s


def check_time_limit(time_limit_s: float | None) -> None:
    """Raises SessionError for a limit that makes no sense."""
    if time_limit_s is not None and not time_limit_s > 0:
        raise SessionError(
            f"time_limit_s is {time_limit_s}; it must be more than 0 seconds, or None for no limit"
        )
