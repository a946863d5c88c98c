"""The settings of a session, as clients send them.

Owns their names, limits and defaults. They arrive in `initializationOptions` and in the
configuration section `luaPersist`, as a JSON object with the same keys. Must not know LSP types.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from lua_ls_persist.session import MEMORY_LIMIT_BYTES_DEFAULT, TIME_LIMIT_S_DEFAULT

SECTION = "luaPersist"
MEMORY_LIMIT_BYTES_MIN = 1024 * 1024
MEMORY_LIMIT_BYTES_MAX = 4 * 1024**3


@dataclass(frozen=True, slots=True)
class Settings:
    """What a user can set."""

    memory_limit_bytes: int = MEMORY_LIMIT_BYTES_DEFAULT
    time_limit_s: float | None = TIME_LIMIT_S_DEFAULT
    """None: evaluations run until they end or are interrupted."""
    keep_error_effects: bool = False
    """Whether a failed evaluation leaves behind what it did until then."""
    database_path: str | None = ""
    """The session's file, relative to the first workspace folder; empty: the default place, in that
    folder or in the user's data folder; None: in memory."""

    def updated(self, data: object) -> tuple[Settings, list[str]]:
        """These settings with those of a client's JSON object, and what is wrong with that object.

        A key that is absent or null in the object is left as it is, except that a null
        `timeLimitSeconds` lifts the limit and a null `databasePath` means in memory. What is wrong
        is left as it was.
        """
        if data is None:
            return self, []
        if not isinstance(data, Mapping):
            return self, [f"the settings must be a JSON object, not {_kind(data)}"]
        settings, wrong = self, []
        for key, value in data.items():
            try:
                settings = settings._with(key, value)
            except ValueError as error:
                wrong.append(str(error))
        return settings, wrong

    def _with(self, key: object, value: Any) -> Settings:
        if key == "memoryLimitBytes":
            if value is None:
                return self
            if not _is_number(value) or value != int(value):
                raise ValueError(_wrong(key, "a whole number of bytes", value))
            if not MEMORY_LIMIT_BYTES_MIN <= value <= MEMORY_LIMIT_BYTES_MAX:
                limits = f"between {MEMORY_LIMIT_BYTES_MIN} and {MEMORY_LIMIT_BYTES_MAX}"
                raise ValueError(_wrong(key, limits, value))
            return replace(self, memory_limit_bytes=int(value))
        if key == "timeLimitSeconds":
            if value is None:
                return replace(self, time_limit_s=None)
            if not _is_number(value) or value < 0:
                raise ValueError(_wrong(key, "a number of seconds, or null or 0 for none", value))
            return replace(self, time_limit_s=float(value) or None)
        if key == "keepErrorEffects":
            if value is None:
                return self
            if not isinstance(value, bool):
                raise ValueError(_wrong(key, "true or false", value))
            return replace(self, keep_error_effects=value)
        if key == "databasePath":
            if value is not None and not isinstance(value, str):
                raise ValueError(_wrong(key, "a path or null", value))
            return replace(self, database_path=value)
        return self  # Clients have settings of their own in the same section.


def needs_new_session(old: Settings, new: Settings) -> bool:
    """Whether the difference takes effect only in a session that is opened anew."""
    return replace(old, time_limit_s=None) != replace(new, time_limit_s=None)


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _wrong(key: object, wanted: str, value: object) -> str:
    return f"{SECTION}.{key} must be {wanted}, not {value!r}"


def _kind(value: object) -> str:
    return {list: "a list", str: "a string", bool: "a boolean"}.get(type(value), "a number")
