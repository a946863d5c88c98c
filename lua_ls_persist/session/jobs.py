"""What a session was opened with, and what it is asked to run."""

from __future__ import annotations

from dataclasses import dataclass, field

from lua_ls_persist.session.modules import ModuleFiles
from lua_ls_persist.session.output import OnOutput
from lua_ls_persist.session.services import OnProgress, RowSource
from lua_ls_persist.session.trees import Tree
from lua_ls_persist.store import HistoryLimits


@dataclass(frozen=True, slots=True)
class Settings:
    """How a session was opened."""

    memory_limit_bytes: int
    time_limit_s: float | None
    output_limit_bytes: int
    keep_error_effects: bool
    allow_bytecode: bool
    files: ModuleFiles
    runs_code: bool = True
    history: HistoryLimits = field(default_factory=HistoryLimits)
    undo_memory_limit_bytes: int = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Job:
    """One call of the core that runs a program."""

    export: str
    request: bytes
    payload: bytes
    """What the core fetches in pieces: the source."""
    name: str
    """What the chunk is called where nothing better is known."""
    time_limit_s: float | None
    on_output: OnOutput | None = None
    arguments: Tree = None
    """What a function of the prelude is given, which asks the host for it."""
    on_progress: OnProgress | None = None
    rows: RowSource | None = None
    """The rows that a call of the prelude imports."""
    doing: bytes | None = None
    """What the history tells instead of the source, where nobody has written that."""
