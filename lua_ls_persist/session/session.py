"""A session: one VM and one store, opened together and closed together."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path as FilePath
from typing import final

from lua_ls_persist.errors import SessionError
from lua_ls_persist.model import Field, MemoryStats
from lua_ls_persist.session import looking
from lua_ls_persist.session.compressing import CompressingData
from lua_ls_persist.session.evaluating import EvaluatingCode
from lua_ls_persist.session.history import HistoryData
from lua_ls_persist.session.indexes import StoredIndexes
from lua_ls_persist.session.inspection import Inspector, state_of
from lua_ls_persist.session.jobs import Settings
from lua_ls_persist.session.keeping import KeptImages
from lua_ls_persist.session.life import Life
from lua_ls_persist.session.limits import (
    HISTORY_LIMIT_BYTES_DEFAULT,
    HISTORY_LIMIT_EVALUATIONS_DEFAULT,
    MEMORY_LIMIT_BYTES_DEFAULT,
    OUTPUT_LIMIT_BYTES_DEFAULT,
    TIME_LIMIT_S_DEFAULT,
    UNDO_MEMORY_LIMIT_BYTES_DEFAULT,
    check_time_limit,
)
from lua_ls_persist.session.modules import ModuleFiles, OpenBuffers
from lua_ls_persist.session.queries import StoredQueries
from lua_ls_persist.session.request import fields_request
from lua_ls_persist.session.schemas import StoredSchemas
from lua_ls_persist.session.showing import ShowingData
from lua_ls_persist.session.sights import Question, Sight
from lua_ls_persist.store import HistoryLimits, Store
from lua_ls_persist.vm import load_core


@final
class Session(
    StoredQueries,
    StoredIndexes,
    StoredSchemas,
    ShowingData,
    KeptImages,
    CompressingData,
    EvaluatingCode,
    HistoryData,
):
    """Evaluates Lua in one persistent VM. Any thread may use it; evaluations run one by one.

    Open one with `Session.open`, close it with `close` or by leaving a `with` block.
    """

    def __init__(self, life: Life) -> None:
        """Use `Session.open`."""
        super().__init__(life)
        self._inspector = Inspector()

    @classmethod
    def open(
        cls,
        path: str | os.PathLike[str] | None = None,
        *,
        memory_limit_bytes: int = MEMORY_LIMIT_BYTES_DEFAULT,
        time_limit_s: float | None = TIME_LIMIT_S_DEFAULT,
        output_limit_bytes: int = OUTPUT_LIMIT_BYTES_DEFAULT,
        keep_error_effects: bool = False,
        allow_bytecode: bool = False,
        runs_code: bool = True,
        folders: Sequence[str | os.PathLike[str]] = (),
        open_buffers: OpenBuffers | None = None,
        resume: bool = True,
        history_limit_evaluations: int = HISTORY_LIMIT_EVALUATIONS_DEFAULT,
        history_limit_bytes: int = HISTORY_LIMIT_BYTES_DEFAULT,
        undo_memory_limit_bytes: int = UNDO_MEMORY_LIMIT_BYTES_DEFAULT,
    ) -> Session:
        """Open a session.

        What it has stored is there; and it goes on where the last one on this file was, if that
        has left an image that fits. `resumed` and `started` tell.

        Args:
            path: the session's SQLite file, made if it is not there; None: in memory.
            memory_limit_bytes: the VM's cap, from 1 MiB to 4 GiB; 2 MiB is enough for small work.
            time_limit_s: how long an evaluation may take, in seconds; None: for ever.
            output_limit_bytes: so much of an evaluation's output is kept.
            keep_error_effects: keep what an evaluation did before a plain Lua error ended it, as a
                REPL does; otherwise a failed evaluation leaves no trace.
            allow_bytecode: let programs load any binary chunks, not only what this store has
                signed. They can crash the VM (and are undone).
            runs_code: otherwise the session is for looking at what is stored, which nobody vouches
                for: it begins with a fresh VM in which nothing is run, evaluations and all that
                needs one are refused, and it leaves no image.
            folders: where `require` looks for `?.lua` and `?/init.lua`.
            open_buffers: asked first for each candidate file: an editor's text of it, or None.
            resume: whether to go on from an image; otherwise with a fresh VM.
            history_limit_evaluations: so many of the newest evaluations are in the history, and can
                be undone; 0: no history is kept, and what there is is forgotten.
            history_limit_bytes: so much of the file the history takes, roughly.
            undo_memory_limit_bytes: so much memory what the VM was may take, for undoing.

        Raises:
            StoreError: the file cannot be used; the message says why and what to do.
            CoreError: the WebAssembly core is missing or cannot run here.
            SessionError: a limit makes no sense.
        """
        check_time_limit(time_limit_s)
        if output_limit_bytes < 0:
            raise SessionError(f"output_limit_bytes is {output_limit_bytes}; it cannot be negative")
        if isinstance(folders, (str, bytes)):
            raise SessionError("folders is a list of folders, not the path of one")
        limits = (history_limit_evaluations, history_limit_bytes, undo_memory_limit_bytes)
        if min(limits) < 0:
            raise SessionError("the limits of the history cannot be negative")
        load_core()
        settings = Settings(
            memory_limit_bytes=memory_limit_bytes,
            time_limit_s=time_limit_s,
            output_limit_bytes=output_limit_bytes,
            keep_error_effects=keep_error_effects,
            allow_bytecode=allow_bytecode,
            runs_code=runs_code,
            files=ModuleFiles([FilePath(folder) for folder in folders], open_buffers),
            history=HistoryLimits(history_limit_evaluations, history_limit_bytes),
            undo_memory_limit_bytes=undo_memory_limit_bytes,
        )
        store = Store.open(None if path is None else FilePath(path))
        return cls(Life(store, settings, resume=resume and runs_code))

    def fork(self) -> Session:
        """A session of its own that begins as this one is: the same VM, the same data.

        For trying things out: nothing that happens there is seen here, and all of it is gone when
        the fork is closed.

        Raises:
            StoreError: the data cannot be copied.
        """
        return Session(self._life.fork())

    # -- control

    @property
    def evaluating(self) -> bool:
        """Whether an evaluation runs at this moment."""
        return self._life.runner.evaluating

    def interrupt(self) -> bool:
        """Stop the evaluation that runs. Any thread. False if none runs.

        Within 100 ms; within about 500 on a machine so busy that the program hardly runs.
        """
        return self._life.runner.interrupt()

    def restart(self) -> None:
        """Start over with a fresh VM; what runs is interrupted, what waits runs in the new one.

        What is stored stays; globals, and all else that no root reaches, is gone.
        """
        self._life.restart()

    @property
    def resumed(self) -> bool:
        """Whether the VM goes on from an image, and was not begun afresh."""
        return self._life.resumed

    @property
    def started(self) -> str:
        """How this session's VM began: resumed from when, or why afresh; and `read_only`."""
        return " ".join(filter(None, (self._life.started, self.read_only)))

    @property
    def runs_code(self) -> bool:
        """Whether it evaluates at all; see `open`."""
        return self._life.settings.runs_code

    @property
    def read_only(self) -> str:
        """The sentence that the session's file is read-only; empty where it can be written.

        What is stored can be looked at, and programs run that only read it. An evaluation that
        stores something fails, and so does all else that writes; no image is left.
        """
        return self._life.read_only

    def data_state(self) -> int:
        """A number that is another one whenever somebody has changed stored data: this session,
        or another process. Asking costs next to nothing as long as nobody has.

        Raises:
            StoreError: the file cannot be read.
        """
        return self._life.call(lambda runner: runner.persistence.present_state())

    @property
    def path(self) -> FilePath | None:
        """The session's file; None in memory."""
        return self._life.path

    # -- looking

    def memory(self) -> MemoryStats:
        """Where the VM's memory stands."""
        return self._life.call(looking.memory_stats)

    def collect_garbage(self) -> MemoryStats:
        """Run a full collection in the VM; finalizers of the program run, within a time limit.

        Counts as an evaluation for `evaluating` and `interrupt`.

        Raises:
            SessionError: it was interrupted, or a finalizer did not end; the VM is as before.
        """
        return self._life.call(looking.collect_garbage)

    def fields(self, path: Sequence[str] = ()) -> list[Field]:
        """The string keys of the table that `path` leads to from `_G`, sorted; for completion.

        Reads without running Lua code; follows `__index` tables. A path that leads to no table
        gives an empty list.
        """
        request = fields_request(path)
        if request is None:
            return []
        return self._life.call(lambda runner: looking.fields(runner, request))

    def look(self, questions: Sequence[Question]) -> list[Sight | None]:
        """Look at values of the VM, as an editor does: their keys, fields, functions, rows.

        Runs no Lua code of programs and leaves no trace. The answers come in the order of the
        questions; None where there is nothing, or what is there cannot be looked at now.
        """
        return self._life.call(lambda runner: self._inspector.look(runner, questions))

    def state(self) -> tuple[int, ...] | None:
        """What tells one state of the VM and of the data from another.

        As long as it is the same, looking again shows the same. None: nobody can tell.
        """
        return self._life.call(state_of)

    # -- life

    def close(self) -> None:
        """Interrupt what runs, refuse what waits, keep an image, close VM and store. Idempotent."""
        self._life.close()

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
