"""Which machine a session has, and stopping what runs in it: from any thread, unlike all else."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from lua_ls_persist.errors import SessionClosedError, SessionError, StoreError
from lua_ls_persist.protocol import Bytecode
from lua_ls_persist.session.jobs import Settings
from lua_ls_persist.vm import Machine, load_core

BYTES_PER_CACHED_ENTRY = 256
"""Of so much memory one entry of the store is cached: that takes about a quarter of it."""
CACHED_ENTRIES_MAX = 131072
"""What is cached is part of every pre-image, so there is an end to it in large VMs, too."""


class SteeredMachine:
    """A machine that can be stopped, and exchanged for another one."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._lock = threading.Lock()
        """Guards which machine there is, whether it evaluates, and whether that may begin."""
        self._evaluating = False
        self._closing = False
        self.machine = self._new_machine()

    def _new_machine(self) -> Machine:
        machine = Machine(load_core(), memory_limit_bytes=self.settings.memory_limit_bytes)
        self._configure(machine)
        return machine

    def configure(self) -> None:
        """Tell the VM this session's settings, after it has become another one's."""
        self._configure(self.machine)

    def _configure(self, machine: Machine) -> None:
        machine.allow_bytecode(
            Bytecode.ALLOWED if self.settings.allow_bytecode else Bytecode.SIGNED
        )
        entries = self.settings.memory_limit_bytes // BYTES_PER_CACHED_ENTRY
        machine.limit_cache(min(entries, CACHED_ENTRIES_MAX))

    # -- any thread

    @property
    def evaluating(self) -> bool:
        """Whether an evaluation runs at this moment."""
        return self._evaluating

    @property
    def closing(self) -> bool:
        """Whether nothing begins any more."""
        return self._closing

    def interrupt(self) -> bool:
        """Stop the evaluation that runs, within 100 ms. Any thread. False if none runs."""
        with self._lock:
            return self._evaluating and self.machine.interrupt()

    def interrupt_in(self, machine: Machine) -> None:
        """Stop the evaluation that runs, if it runs in this machine still. Any thread."""
        with self._lock:
            if self._evaluating and self.machine is machine:
                machine.interrupt()

    def refuse_more(self) -> None:
        """Nothing begins any more, and what runs is stopped. Any thread."""
        with self._lock:
            self._closing = True
            if self._evaluating:
                self.machine.interrupt()

    # -- the session's thread

    def begin(self) -> None:
        """Something that can be interrupted begins."""
        with self._lock:
            if self._closing:
                raise SessionClosedError("the session was closed before this ran")
            self._evaluating = True
            self.machine.expect_call()

    def end(self) -> None:
        """It has ended."""
        with self._lock:
            self._evaluating = False

    @contextmanager
    def interruptible(self, what: str) -> Iterator[None]:
        """The block in which the store does something that may take long, without the VM.

        Raises:
            SessionError: it was interrupted; `what` says what.
        """
        self.begin()
        try:
            yield
        except StoreError as error:
            if self.machine.stopping:
                raise SessionError(f"{what} was interrupted") from error
            raise
        finally:
            self.machine.expect_nothing()
            self.end()

    def go_on(self) -> None:
        """What has begun calls the machine once more."""
        with self._lock:
            self.machine.expect_call()

    def exchange_machine(self) -> None:
        """There is a fresh machine instead of this one, which is closed."""
        old = self.machine
        machine = self._new_machine()
        with self._lock:
            self.machine = machine
        old.close()
