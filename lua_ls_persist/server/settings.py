"""The settings, as clients send them: one table of names, limits and meanings.

They arrive in `initializationOptions` and in the configuration section `luaPersist`, as a JSON
object whose keys are those of the table; `hints.locals` may stand as `{"hints": {"locals": ...}}`.
The table is what the documentation and the VS Code extension are compared with. Must not know LSP
types.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final, Literal, TypeAlias

from lua_ls_persist.session.limits import (
    HISTORY_LIMIT_BYTES_DEFAULT,
    HISTORY_LIMIT_EVALUATIONS_DEFAULT,
    MEMORY_LIMIT_BYTES_DEFAULT,
    OUTPUT_LIMIT_BYTES_DEFAULT,
    TIME_LIMIT_S_DEFAULT,
    UNDO_MEMORY_LIMIT_BYTES_DEFAULT,
)

SECTION: Final = "luaPersist"
MEMORY_LIMIT_BYTES_MIN: Final = 1024 * 1024
MEMORY_LIMIT_BYTES_MAX: Final = 4 * 1024**3
COUNT_MAX: Final = 2**40

EvaluateOnSave: TypeAlias = Literal["off", "file"]
ReloadModules: TypeAlias = Literal["off", "next", "inPlace"]
Completion: TypeAlias = Literal["auto", "all", "live", "off"]
BesideLuaServer: TypeAlias = Literal["auto", "yes", "no"]
Check: TypeAlias = Literal["auto", "on", "off"]
Kind: TypeAlias = Literal["boolean", "integer", "number", "string", "choice", "command"]


@dataclass(frozen=True, slots=True)
class Settings:
    """What a user can set; `SETTINGS` says by which name, and what it means."""

    memory_limit_bytes: int = MEMORY_LIMIT_BYTES_DEFAULT
    time_limit_s: float | None = TIME_LIMIT_S_DEFAULT
    keep_error_effects: bool = False
    database_path: str | None = ""
    output_limit_bytes: int = OUTPUT_LIMIT_BYTES_DEFAULT
    history_limit_evaluations: int = HISTORY_LIMIT_EVALUATIONS_DEFAULT
    history_limit_bytes: int = HISTORY_LIMIT_BYTES_DEFAULT
    undo_memory_limit_bytes: int = UNDO_MEMORY_LIMIT_BYTES_DEFAULT
    trusted: bool = True
    evaluate_on_save: EvaluateOnSave = "off"
    reload_modules: ReloadModules = "next"
    keep_locals: bool = True
    hints_results: bool = True
    hints_output: bool = True
    hints_locals: bool = True
    completion: Completion = "auto"
    beside_lua_server: BesideLuaServer = "auto"
    formatter: tuple[str, ...] | None = None
    data_lenses: bool = True
    checks_undefined_globals: Check = "auto"
    checks_misspelt_fields: Check = "auto"
    checks_too_many_arguments: Check = "auto"

    def updated(self, data: object) -> tuple[Settings, list[str]]:
        """These settings with those of a client's JSON object, and what is wrong with that object.

        A key that is absent is left as it is; null is a value where the table says so, and means
        the same as absent elsewhere. What is wrong is left as it was. Keys that are not in the
        table are the client's own.
        """
        if data is None:
            return self, []
        if not isinstance(data, Mapping):
            return self, [f"the settings must be a JSON object, not {_kind(data)}"]
        values: dict[str, Any] = {}
        wrong: list[str] = []
        for key, value in _flat(data):
            setting = _BY_KEY.get(key)
            if setting is None or (value is None and not setting.null_means):
                continue
            try:
                values[setting.field] = setting.read(value)
            except ValueError as error:
                wrong.append(str(error))
        return replace(self, **values), wrong


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: its key below `luaPersist`, and what values it takes."""

    key: str
    field: str
    kind: Kind
    text: str
    """What it means, in Markdown."""
    wanted: str
    """What a message asks for instead of a wrong value."""
    minimum: float = 0
    maximum: float = COUNT_MAX
    choices: tuple[str, ...] = ()
    null_means: str = ""
    """What null stands for; empty: null is no value."""
    needs_new_session: bool = False
    """Takes effect when the session is restarted, not at once."""

    @property
    def default(self) -> Any:
        """The value without any configuration, as JSON has it."""
        return _DEFAULTS[self.field]

    def read(self, value: Any) -> Any:
        """A value from a client.

        Raises:
            ValueError: it makes no sense; the message says what would.
        """
        if value is None and self.null_means:
            return None
        if self.kind == "boolean":
            if isinstance(value, bool):
                return value
        elif self.kind == "choice":
            if value in self.choices:
                return value
        elif self.kind == "command":
            if isinstance(value, list) and all(isinstance(part, str) for part in value):
                return tuple(value)
        elif self.kind == "string":
            if isinstance(value, str):
                return value
        elif _is_number(value) and (self.kind == "number" or value == int(value)):
            if not self.minimum <= value <= self.maximum:
                if self.kind == "number":
                    raise self._wrong(self.wanted, value)
                raise self._wrong(f"between {self.minimum:.0f} and {self.maximum:.0f}", value)
            # A limit of no time at all stands for no limit.
            return int(value) if self.kind == "integer" else float(value) or None
        raise self._wrong(self.wanted, value)

    def _wrong(self, wanted: str, value: object) -> ValueError:
        return ValueError(f"{SECTION}.{self.key} must be {wanted}, not {value!r}")


_BYTES: Final = "a whole number of bytes"
_BOOLEAN: Final = "true or false"

SETTINGS: Final = (
    Setting(
        "timeLimitSeconds",
        "time_limit_s",
        "number",
        "ends an evaluation that takes longer; null or 0: no limit",
        "a number of seconds, or null or 0 for none",
        null_means="no limit",
    ),
    Setting(
        "memoryLimitBytes",
        "memory_limit_bytes",
        "integer",
        "the cap of the VM's memory; 1 MiB to 4 GiB",
        _BYTES,
        minimum=MEMORY_LIMIT_BYTES_MIN,
        maximum=MEMORY_LIMIT_BYTES_MAX,
        needs_new_session=True,
    ),
    Setting(
        "outputLimitBytes",
        "output_limit_bytes",
        "integer",
        "so much of what an evaluation prints is kept and shown",
        _BYTES,
        needs_new_session=True,
    ),
    Setting(
        "keepErrorEffects",
        "keep_error_effects",
        "boolean",
        "a failed evaluation leaves behind what it did until then",
        _BOOLEAN,
        needs_new_session=True,
    ),
    Setting(
        "databasePath",
        "database_path",
        "string",
        "the session's file, relative to the workspace folder; empty: `.lua-persist/session.db` in "
        "that folder, or without a folder a file in your data folder; null: in memory, nothing is "
        "kept",
        "a path or null",
        null_means="in memory",
        needs_new_session=True,
    ),
    Setting(
        "historyLimitEvaluations",
        "history_limit_evaluations",
        "integer",
        "so many of the newest evaluations can be undone; 0: no history is kept",
        "a whole number",
        needs_new_session=True,
    ),
    Setting(
        "historyLimitBytes",
        "history_limit_bytes",
        "integer",
        "so much of the session's file the history takes, roughly",
        _BYTES,
        needs_new_session=True,
    ),
    Setting(
        "undoMemoryLimitBytes",
        "undo_memory_limit_bytes",
        "integer",
        "so much memory what the VM was may take, for undoing without beginning it afresh",
        _BYTES,
        needs_new_session=True,
    ),
    Setting(
        "trusted",
        "trusted",
        "boolean",
        "false: nothing is evaluated, and no stored code is loaded; stored data can be looked at",
        _BOOLEAN,
    ),
    Setting(
        "evaluateOnSave",
        "evaluate_on_save",
        "choice",
        "`file`: a Lua document is evaluated when it is saved",
        '"off" or "file"',
        choices=("off", "file"),
    ),
    Setting(
        "reloadModules",
        "reload_modules",
        "choice",
        "what happens to a loaded module whose file changes: `next`: the next `require` loads it "
        "again; `inPlace`: it is loaded at once, and its functions are put into the table that "
        "everybody has; `off`: nothing",
        '"off", "next" or "inPlace"',
        choices=("off", "next", "inPlace"),
    ),
    Setting(
        "keepLocals",
        "keep_locals",
        "boolean",
        "the top-level locals of a document are kept when its evaluation has ended, so that forms "
        "and selections of it see them",
        _BOOLEAN,
    ),
    Setting(
        "hints.results",
        "hints_results",
        "boolean",
        "values of evaluations behind the code",
        _BOOLEAN,
    ),
    Setting(
        "hints.output",
        "hints_output",
        "boolean",
        "what a line printed behind that line",
        _BOOLEAN,
    ),
    Setting(
        "hints.locals",
        "hints_locals",
        "boolean",
        "values of top-level locals behind their declarations",
        _BOOLEAN,
    ),
    Setting(
        "completion",
        "completion",
        "choice",
        "`all`: completion from the VM, the source and the libraries; `live`: only what the VM and "
        "the store know; `off`: none; `auto`: `live` beside another Lua server, else `all`",
        '"auto", "all", "live" or "off"',
        choices=("auto", "all", "live", "off"),
    ),
    Setting(
        "besideLuaServer",
        "beside_lua_server",
        "choice",
        "whether another server (LuaLS) speaks about the same files, so that this one keeps to "
        "what only a running VM can tell; `auto`: if the client has a section `Lua` in its "
        "configuration, or the folder a `.luarc.json`",
        '"auto", "yes" or "no"',
        choices=("auto", "yes", "no"),
    ),
    Setting(
        "formatter",
        "formatter",
        "command",
        "the command that formats: it reads the document and writes it formatted; `{file}` stands "
        "for its path, `{start}` and `{end}` for the bytes of a range; empty: nothing formats; "
        "null: StyLua, if it is installed",
        "a list of texts, the command and its arguments, or null",
        null_means="StyLua",
    ),
    Setting(
        "dataLenses",
        "data_lenses",
        "boolean",
        "lenses that tell of tables, queries and stored functions; as code actions they are there "
        "in any case",
        _BOOLEAN,
    ),
    Setting(
        "checks.undefinedGlobals",
        "checks_undefined_globals",
        "choice",
        "hints about globals that neither the VM has nor the workspace sets; "
        "`auto`: unless beside another Lua server",
        '"auto", "on" or "off"',
        choices=("auto", "on", "off"),
    ),
    Setting(
        "checks.misspeltFields",
        "checks_misspelt_fields",
        "choice",
        "hints about fields that no row of a stored table has, where another one is nearly the "
        "same; `auto`: unless beside another Lua server",
        '"auto", "on" or "off"',
        choices=("auto", "on", "off"),
    ),
    Setting(
        "checks.tooManyArguments",
        "checks_too_many_arguments",
        "choice",
        "hints about calls with more arguments than the function takes; "
        "`auto`: unless beside another Lua server",
        '"auto", "on" or "off"',
        choices=("auto", "on", "off"),
    ),
)

_BY_KEY: Final = {setting.key: setting for setting in SETTINGS}
_DEFAULTS: Final = {field.name: field.default for field in fields(Settings)}


def needs_new_session(old: Settings, new: Settings) -> bool:
    """Whether the difference takes effect only in a session that is opened anew."""
    return any(
        getattr(old, setting.field) != getattr(new, setting.field)
        for setting in SETTINGS
        if setting.needs_new_session
    )


def looks_like_settings(data: Mapping[str, object]) -> bool:
    """Whether a client sent the content of the section where the section itself is expected."""
    return any(key in _BY_KEY for key, _ in _flat(data))


def _flat(data: Mapping[Any, Any]) -> Iterator[tuple[str, Any]]:
    """Keys and values, with the keys of objects inside joined by dots."""
    for key, value in data.items():
        if isinstance(value, Mapping) and key not in _BY_KEY:
            for inner, part in value.items():
                yield f"{key}.{inner}", part
        else:
            yield str(key), value


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def _kind(value: object) -> str:
    return {list: "a list", str: "a string", bool: "a boolean"}.get(type(value), "a number")
