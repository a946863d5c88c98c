"""The time limit of one evaluation: its own, or the session's."""

from __future__ import annotations

from typing import Final

from lua_ls_persist.errors import SessionError


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
