"""Stopping a VM that runs: from another thread, at any moment, within a tenth of a second.

On a machine so busy that the program hardly runs, within half a second: see `GRACE_S_MAX`.

Checks in the compiled code (epochs, fuel) would cost a quarter of its speed, so there are none. An
interrupt comes in two steps instead:

1. *Asking.* Lua's `lua_sethook` is made to be called asynchronously. The watchdog thread writes
   what it would write, a count hook, into the running `lua_State` in linear memory; the next
   instruction of Lua code raises an error, with the exact line. The core passes the hook on to
   every coroutine and protected call that is entered or returned to, so no `pcall` can swallow it.
2. *Stopping.* What runs no Lua code (a long `string.rep`, a pattern that backtracks for ever, a
   finalizer, in which hooks are off) does not see hooks. After a grace period the linear memory is
   made inaccessible, and the next load or store of the core traps. (Every loop of the core has
   some; the one that had none, string.rep of empty strings, is replaced in c/hot.c.) Only code of
   the module itself touches that memory while it runs (it is compiled without bulk memory
   operations, which would be host code), and wasmtime turns such a fault into a trap, as it does
   for an access out of bounds.
   Where this was not tried (not Linux) the core is compiled with epoch checks, and stopped by them.
   Where somebody has replaced wasmtime's signal handler, nothing is made inaccessible, for the
   fault would end the process; then asking is all there is.

Either way the VM's memory may be in the middle of something, so whoever interrupts restores it from
the image before the call. A VM whose call was asked to stop always counts as interrupted, also when
it ended by itself at that moment.
"""

from __future__ import annotations

import ctypes
import sys
import threading
import time
from typing import TYPE_CHECKING, Literal, TypeAlias

import wasmtime

from lua_ls_persist.protocol import Info

if TYPE_CHECKING:
    from lua_ls_persist.vm.machine import Machine

Cause: TypeAlias = Literal["interrupt", "timeout"]
StopKind: TypeAlias = Literal["protection", "epoch"]

GRACE_S = 0.04
"""How long a program may take to raise the error it was asked for."""
RUN_S_MIN = 0.01
"""So long it must have run meanwhile: on a busy machine, its thread does not run all the time."""
GRACE_S_MAX = 0.4
"""After that it is stopped in any case."""
ASK_AGAIN_S = 0.01
"""A hook can be lost to a race with the running program; it is written again this often."""
SLEEP_S_MAX = 3600.0
"""The watchdog looks up at least this often: no platform can wait for any number of seconds."""
FRAMES_ASKED = 200
"""So many frames learn of the hook from outside; the core tells those further down."""

_PROT_NONE, _PROT_READ_WRITE = 0, 3
_SIGSEGV = 11


def default_stop_kind() -> StopKind:
    """How a call is stopped on this platform when asking does not help."""
    return "protection" if sys.platform.startswith("linux") else "epoch"


class SignalHandler:
    """Who handles memory faults in this process. It must be wasmtime for protection to work."""

    def __init__(self) -> None:
        self._libc = ctypes.CDLL(None)
        self._libc.sigaction.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p]
        self._expected = self.current()

    def current(self) -> int:
        """The address of the present handler of SIGSEGV."""
        # struct sigaction starts with the handler on Linux, with glibc and with musl.
        action = (ctypes.c_void_p * 32)()
        if self._libc.sigaction(_SIGSEGV, None, ctypes.byref(action)) != 0:
            return 0
        return action[0] or 0

    def is_wasmtime(self) -> bool:
        """Whether the handler is still the one that was there after wasmtime had started."""
        return self._expected != 0 and self.current() == self._expected


class Interrupter:
    """Watches the calls of one machine: their time limits, and requests to stop them.

    The machine tells when a call begins and ends, and when the core calls the host and returns to
    it: only while the core itself runs may its memory be made inaccessible.
    """

    def __init__(
        self, machine: Machine, engine: wasmtime.Engine, signals: SignalHandler | None
    ) -> None:
        """Watch `machine`; stop it by protection if `signals` are given, by epochs otherwise."""
        self.kind: StopKind = "epoch" if signals is None else "protection"
        kind = self.kind
        self._machine = machine
        self._engine = engine
        self._signals = signals
        self._mprotect = ctypes.CDLL(None).mprotect if kind == "protection" else None
        if self._mprotect is not None:
            self._mprotect.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
        self._lock = threading.Lock()
        self._wake = threading.Condition(self._lock)
        self._thread: threading.Thread | None = None
        self._closed = False
        self._sleeps_until = float("inf")
        # About the call that runs; all guarded by the lock.
        self._running = False
        self._expected = False
        self._requested_early = False
        self._in_host = False
        self._deadline: float | None = None
        self._cause: Cause | None = None
        self._thread_id = 0
        self._asked_since = 0.0
        self._asked_at_cpu_s: float | None = None
        self._stopping = False
        self._protected_bytes = 0

    def expect(self) -> None:
        """A call is about to begin; a request that comes before it does stops it at once."""
        with self._lock:
            self._expected = True
            self._requested_early = False

    def expect_nothing(self) -> None:
        """No call is about to begin any more."""
        with self._lock:
            self._expected = False
            self._requested_early = False

    def begin(self, time_limit_s: float | None) -> None:
        """A call begins. Owner's thread."""
        with self._lock:
            self._running = True
            self._thread_id = threading.get_ident()
            self._in_host = False
            self._cause = None
            self._stopping = False
            if self._requested_early:
                self._note_asked("interrupt")
                self._wake_watchdog()
            self._expected = False
            self._requested_early = False
            if time_limit_s is None:
                self._deadline = None
                return
            self._deadline = time.monotonic() + time_limit_s
            # The watchdog need not be woken to hear of a deadline later than its next look.
            if self._deadline < self._sleeps_until:
                self._wake_watchdog()

    def end(self) -> Cause | None:
        """The call has ended, in whatever way. Tells whether it was asked to stop, and why."""
        with self._lock:
            self._running = False
            self._expected = False
            self._deadline = None
            self._unprotect()
            return self._cause

    def enter_host(self) -> None:
        """The core has called the host: its memory is the host's to read and write."""
        with self._lock:
            self._in_host = True
            self._unprotect()

    def leave_host(self) -> None:
        """The host returns to the core."""
        with self._lock:
            self._in_host = False
            if self._stopping:
                self._stop()

    @property
    def stopping(self) -> bool:
        """Whether the call that runs, or is about to, was asked to stop."""
        return self._requested_early or (self._running and self._cause is not None)

    def renew(self) -> None:
        """The host has written over the core's memory: what asks it to stop is written again."""
        with self._lock:
            if self._cause is not None:
                self._machine.ask_to_stop()

    def request(self) -> bool:
        """Ask the call that runs to stop. Any thread. False if none runs."""
        with self._lock:
            if not self._running:
                self._requested_early = self._expected
                return self._expected
            if self._cause is None:
                self._start_stopping("interrupt")
                self._wake_watchdog()
            return True

    def close(self) -> None:
        """End the watchdog."""
        with self._lock:
            self._closed = True
            self._wake.notify_all()
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join()

    def _wake_watchdog(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._watch, name="lua-watchdog", daemon=True)
            self._thread.start()
        else:
            self._wake.notify_all()

    def _watch(self) -> None:
        with self._lock:
            while not self._closed:
                now = time.monotonic()
                pause = self._look(now)
                self._sleeps_until = float("inf") if pause is None else now + pause
                self._wake.wait(pause)

    def _look(self, now: float) -> float | None:
        """Do what is due; return how long to sleep. Holds the lock."""
        if not self._running:
            return None
        if self._cause is None:
            if self._deadline is None:
                return None
            if now < self._deadline:
                return min(self._deadline - now, SLEEP_S_MAX)
            self._start_stopping("timeout")
            return ASK_AGAIN_S
        if self._in_grace(now):
            self._machine.ask_to_stop()
        else:
            self._stopping = True
            if not self._in_host:
                self._stop()
        return ASK_AGAIN_S

    def _start_stopping(self, cause: Cause) -> None:
        self._note_asked(cause)
        self._machine.ask_to_stop()

    def _note_asked(self, cause: Cause) -> None:
        self._cause = cause
        self._asked_since = time.monotonic()
        self._asked_at_cpu_s = _cpu_s(self._thread_id)

    def _in_grace(self, now: float) -> bool:
        """Whether the program may still raise the error it was asked for.

        One that could not run had no chance to; stopped by force, nobody knows where it was.
        """
        waited = now - self._asked_since
        if self._asked_at_cpu_s is None or waited < GRACE_S or waited >= GRACE_S_MAX:
            return waited < GRACE_S
        return (_cpu_s(self._thread_id) or 0.0) - self._asked_at_cpu_s < RUN_S_MIN

    def _stop(self) -> None:
        if self._mprotect is None:
            self._engine.increment_epoch()
            return
        assert self._signals is not None
        if self._protected_bytes:
            return
        if not self._signals.is_wasmtime():
            self._machine.ask_to_stop()
            return
        # All of it, also what the call has grown: a program may touch nothing else.
        length = self._machine.memory_bytes()
        if self._mprotect(self._machine.base, length, _PROT_NONE) == 0:
            self._protected_bytes = length

    def _unprotect(self) -> None:
        if self._protected_bytes:
            assert self._mprotect is not None
            self._mprotect(self._machine.base, self._protected_bytes, _PROT_READ_WRITE)
            self._protected_bytes = 0


def _cpu_s(thread_id: int) -> float | None:
    """How long a living thread has run; None where the platform does not tell."""
    clock_of = getattr(time, "pthread_getcpuclockid", None)
    return None if clock_of is None else time.clock_gettime(clock_of(thread_id))


_STATE_FIELDS = (
    Info.HOOK_FIELD,
    Info.HOOK_BASE_COUNT,
    Info.HOOK_COUNT,
    Info.HOOK_MASK,
    Info.HOOK_CALL_INFO,
)
_FRAME_FIELDS = (Info.HOOK_PREVIOUS, Info.HOOK_CALL_STATUS, Info.HOOK_TRAP)


def write_hook(machine: Machine) -> None:
    """Write into the running lua_State what lua_sethook would write for a count hook of one.

    Everything read here may be changing at this moment; addresses are checked, and what is written
    to a wrong place is undone with the image.
    """
    info = machine.info
    words = machine.words
    words[info[Info.INTERRUPT] >> 2] = 1
    # What Lua has allocated lies below the heap's top, whole; memory above may not be accessible.
    top = min(words[info[Info.HEAP_TOP] >> 2], machine.memory_bytes())
    state_end = max(info[field] for field in _STATE_FIELDS)
    frame_end = max(info[field] for field in _FRAME_FIELDS)
    state = words[info[Info.RUNNING] >> 2]
    if state & 3 or not 0 < state < top - state_end:
        return
    words[(state + info[Info.HOOK_FIELD]) >> 2] = info[Info.HOOK_FUNCTION]
    words[(state + info[Info.HOOK_BASE_COUNT]) >> 2] = 1
    words[(state + info[Info.HOOK_COUNT]) >> 2] = 1
    words[(state + info[Info.HOOK_MASK]) >> 2] = info[Info.HOOK_MASK_COUNT]
    frame = words[(state + info[Info.HOOK_CALL_INFO]) >> 2]
    status_shift = (info[Info.HOOK_CALL_STATUS] & 3) * 8
    for _ in range(FRAMES_ASKED):
        if frame & 3 or not 0 < frame < top - frame_end:
            return
        status = words[(frame + info[Info.HOOK_CALL_STATUS]) >> 2] >> status_shift
        if not status & info[Info.HOOK_CALL_STATUS_C]:
            words[(frame + info[Info.HOOK_TRAP]) >> 2] = 1
        frame = words[(frame + info[Info.HOOK_PREVIOUS]) >> 2]
