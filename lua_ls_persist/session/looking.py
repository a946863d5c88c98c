"""Looks at a VM that leave no trace in it: its memory, and names for completion."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from lua_ls_persist.errors import SessionError, StoreError
from lua_ls_persist.model import Field, MemoryStats, Value
from lua_ls_persist.protocol import Outcome
from lua_ls_persist.session.host import EvaluationHost
from lua_ls_persist.session.request import PreviewLimits, prelude_request
from lua_ls_persist.session.runner import Runner
from lua_ls_persist.vm import Stopped
from lua_ls_persist.wire import Decoder, Encodable

logger = logging.getLogger(__name__)

COLLECT_TIME_LIMIT_S = 5.0
FIELDS_TIME_LIMIT_S = 1.0


def memory_stats(runner: Runner) -> MemoryStats:
    """Where the VM's memory stands."""
    machine = runner.machine
    return MemoryStats(
        lua_bytes=machine.number("core_lua_bytes"),
        used_bytes=machine.used_bytes(),
        committed_bytes=machine.memory_bytes(),
        limit_bytes=machine.memory_limit_bytes,
    )


def collect_garbage(runner: Runner) -> MemoryStats:
    """Run a full collection; finalizers of the program run, and may write to the store.

    Raises:
        SessionError: it was stopped, or what a finalizer did could not be stored.
    """

    def collect(host: EvaluationHost) -> None:
        runner.machine.number("core_collect", host=host, time_limit_s=COLLECT_TIME_LIMIT_S)
        runner.flush(host)

    runner.begin()
    try:
        runner.atomically(collect)
    except Stopped as stop:
        why = f"the VM stopped ({stop})"
        if stop.cause == "interrupt":
            why = "it was interrupted"
        elif stop.cause == "timeout":
            why = f"a finalizer (__gc) did not end within {COLLECT_TIME_LIMIT_S:g} s"
        raise SessionError(
            f"the garbage collection was stopped: {why}; the VM is as it was before"
        ) from stop
    except StoreError as error:
        raise SessionError(
            f"what a finalizer (__gc) did could not be stored: {error} The VM is as it was before."
        ) from error
    finally:
        runner.end()
    return memory_stats(runner)


def fields(runner: Runner, request: bytes) -> list[Field]:
    """The string keys of the table that the request's path leads to, sorted."""
    try:
        # To look takes a little memory, and taking memory may run a finalizer.
        response = runner.look(
            lambda host: runner.machine.call(
                "core_fields", request, host=host, time_limit_s=FIELDS_TIME_LIMIT_S
            )
        )
    except (Stopped, StoreError) as error:
        # Whoever completes a name is not to hear of it; the next evaluation tells what is wrong.
        logger.info("the fields of a table could not be looked at: %s", error)
        return []
    decoder = Decoder(response)
    if decoder.u8() != Outcome.OK:
        return []  # there is no memory left to look
    found = []
    for _ in range(decoder.count(8)):
        name, type_name = decoder.text(), decoder.text().decode()
        found.append(Field(name.decode("utf-8", "backslashreplace"), type_name))
    return sorted(found, key=lambda field: field.name)


def prelude_values(
    runner: Runner, function: str, arguments: Sequence[Encodable], limits: PreviewLimits
) -> tuple[Value, ...]:
    """What a function of the prelude gives that runs nothing of the program; nothing if it fails.

    Raises:
        SessionError: the arguments are too large.
    """
    request = prelude_request(function, arguments=arguments, limits=limits)
    try:
        response = runner.look(
            lambda host: runner.machine.call(
                "core_evaluate", request, host=host, time_limit_s=FIELDS_TIME_LIMIT_S
            )
        )
    except (Stopped, StoreError) as error:
        # As above: what only looks has nothing to show, and says so nowhere but here.
        logger.info("%s could not look at the VM: %s", function, error)
        return ()
    values, problems = runner.read(response)
    if problems:
        logger.info("%s could not look at the VM: %s", function, problems[0])
    return () if problems else values
