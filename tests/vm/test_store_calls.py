"""The host functions about the store: pieces, replies, and savepoints of the VM's memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from lua_ls_persist.errors import CoreError, StoreError
from lua_ls_persist.protocol import STORE_REPLY_BYTES, Operation, StoreOperation
from lua_ls_persist.vm import CompiledCore, Machine, NoHost, Stopped, hostcalls
from tests.vm import fake_core
from tests.vm.fake_core import POKE, SCRATCH, SET_STACK, STATE, perform, put, word
from tests.vm.helpers import Recorder

STORE, PIECE, READ = Operation.STORE, Operation.STORE_PIECE, Operation.STORE_READ
BEGIN = (STORE, StoreOperation.BEGIN, 0, 0, 0)
RELEASE = (STORE, StoreOperation.RELEASE, 0, 0, 0)
ROLLBACK = (STORE, StoreOperation.ROLLBACK, 0, 0, 0)


def poke(address: int, value: int) -> tuple[int, int, int, int, int]:
    return (POKE, 0, address, value, 0)


class Answering(Recorder):
    """A store that gives the replies it was made with, one after the other."""

    def __init__(self, *replies: bytes | BaseException) -> None:
        super().__init__({b"a.lua": b"return 'a'", b"b.lua": b"return 'b'"})
        self.replies = list(replies)
        self.requests: list[tuple[int, bytes]] = []
        self.on_store: Callable[[int], object] = lambda _operation: None

    def store(self, operation: int, request: bytes, /) -> bytes:
        self.requests.append((operation, request))
        self.on_store(operation)
        reply = self.replies.pop(0) if self.replies else b""
        if isinstance(reply, BaseException):
            raise reply
        return reply

    def source(self, content: bytes, /) -> int:
        return 7 if content == b"return 'a'" else 8


@pytest.fixture(params=[True, False], ids=["fast", "plain"])
def machine(request: pytest.FixtureRequest, core: CompiledCore) -> Iterator[Machine]:
    with Machine(fake_core.fake_core(core), fast=request.param) as machine:
        yield machine


# Requests and replies.


def test_a_request_and_its_reply(machine: Machine) -> None:
    put(machine, SCRATCH, b"request")
    host = Answering(b"the reply")
    assert perform(machine, [(STORE, 3, SCRATCH, 7, SCRATCH + 100)], host) == [9]
    assert host.requests == [(3, b"request")]
    assert machine.read(SCRATCH + 100, 10) == b"the reply\0"


def test_a_reply_that_nobody_has_room_for(machine: Machine) -> None:
    put(machine, SCRATCH, b"kept")
    assert perform(machine, [(STORE, 3, SCRATCH, 4, 0)], Answering(b"reply")) == [5]
    assert machine.read(SCRATCH, 4) == b"kept"


def test_a_request_in_pieces(machine: Machine) -> None:
    put(machine, SCRATCH, b"onetwothree")
    host = Answering(b"1", b"2")
    commands = [
        (PIECE, 0, SCRATCH, 3, 0),
        (PIECE, 0, SCRATCH + 3, 3, 0),
        (STORE, 2, SCRATCH + 6, 5, 0),
        (STORE, 3, SCRATCH, 3, 0),
    ]
    assert perform(machine, commands, host) == [0, 0, 1, 1]
    assert host.requests == [(2, b"onetwothree"), (3, b"one")]


def test_pieces_do_not_outlive_their_call(machine: Machine) -> None:
    put(machine, SCRATCH, b"lost")
    perform(machine, [(PIECE, 0, SCRATCH, 4, 0)], Answering())
    host = Answering()
    perform(machine, [(STORE, 2, SCRATCH, 0, 0)], host)
    assert host.requests == [(2, b"")]


def test_a_long_reply_is_read_in_pieces(machine: Machine) -> None:
    reply = bytes(range(256)) * 300
    commands = [
        (STORE, 3, SCRATCH, 0, SCRATCH),
        (READ, 0, SCRATCH + STORE_REPLY_BYTES, 40000, STORE_REPLY_BYTES),
        (READ, 0, SCRATCH + STORE_REPLY_BYTES + 40000, 40000, STORE_REPLY_BYTES + 40000),
        (READ, 0, SCRATCH, 10, len(reply)),
    ]
    rest = len(reply) - STORE_REPLY_BYTES - 40000
    assert perform(machine, commands, Answering(reply)) == [len(reply), 40000, rest, 0]
    assert machine.read(SCRATCH, len(reply)) == reply


def test_a_reply_is_there_until_the_next_one(machine: Machine) -> None:
    commands = [
        (STORE, 3, SCRATCH, 0, 0),
        (READ, 0, SCRATCH, 100, 0),
        (STORE, 3, SCRATCH, 0, 0),
        (READ, 0, SCRATCH, 100, 0),
    ]
    assert perform(machine, commands, Answering(b"first", b"")) == [5, 5, 0, 0]
    assert perform(machine, [(READ, 0, SCRATCH, 100, 0)], Answering()) == [0]


@pytest.mark.parametrize(
    "command",
    [
        (STORE, 3, 2**32 - 8, 16, 0),
        (STORE, 3, SCRATCH, 0, 16 * 65536 - 4),
        (PIECE, 0, 16 * 65536, 1, 0),
        (READ, 0, 16 * 65536 - 1, 2, 0),
        (Operation.SOURCE, 5, 0, 0, 0),
    ],
)
def test_what_lies_outside_of_the_memory_is_refused(
    machine: Machine, command: tuple[int, int, int, int, int]
) -> None:
    host = Answering(b"reply")
    answer = 0 if command[0] == Operation.SOURCE else -1
    assert perform(machine, [command], host) == [answer]
    assert host.requests == []


def test_without_a_store(machine: Machine) -> None:
    with pytest.raises(CoreError, match="the program asked for the store, and this call has none"):
        perform(machine, [(STORE, 3, SCRATCH, 0, 0)], NoHost())
    assert NoHost().source(b"return 1") == 0


def test_what_the_store_raises_reaches_the_caller(machine: Machine) -> None:
    host = Answering(b"1", StoreError("the disk is full"), b"3")
    commands = [(STORE, 3, SCRATCH, 0, 0)] * 3
    with pytest.raises(StoreError, match="the disk is full"):
        perform(machine, commands, host)
    assert len(host.requests) == 2, "nothing reaches a store that has failed"
    assert machine.failure is not None
    assert machine.failure.cause == "interrupt"
    assert perform(machine, commands[:1], Answering(b"again")) == [5]


def test_the_number_of_an_open_file_s_source(machine: Machine) -> None:
    put(machine, SCRATCH, b"a.luab.lua")
    commands = [
        (Operation.OPEN, 0, SCRATCH, 5, 0),
        (Operation.OPEN, 0, SCRATCH + 5, 5, 0),
        (Operation.SOURCE, 0, 0, 0, 0),
        (Operation.SOURCE, 1, 0, 0, 0),
        (Operation.CLOSE, 1, 0, 0, 0),
        (Operation.SOURCE, 1, 0, 0, 0),
    ]
    assert perform(machine, commands, Answering()) == [0, 1, 7, 8, 0, 0]


# Savepoints.


def test_rollback_brings_the_memory_back(machine: Machine) -> None:
    heap, stack = fake_core.EXCHANGE_END + 8, 512
    commands = [
        (SET_STACK, 0, 256, 0, 0),
        poke(STATE, 1),
        poke(heap, 1),
        poke(stack, 1),
        BEGIN,
        poke(STATE, 2),
        poke(heap, 2),
        poke(stack, 2),
        poke(SCRATCH, 2),
        poke(128, 2),
        ROLLBACK,
        (SET_STACK, 0, fake_core.STACK_START, 0, 0),
    ]
    host = Answering()
    perform(machine, commands, host)
    assert [word(machine, place) for place in (STATE, heap, stack)] == [1, 1, 1]
    assert word(machine, SCRATCH) == 2, "the exchanged buffers are no part of it"
    assert word(machine, 128) == 2, "nor is the unused part of the stack"
    assert [operation for operation, _ in host.requests] == [16, 18]


def test_release_keeps_what_was_done(machine: Machine) -> None:
    perform(machine, [poke(STATE, 1), BEGIN, poke(STATE, 2), RELEASE], Answering())
    assert word(machine, STATE) == 2


def test_savepoints_nest(machine: Machine) -> None:
    commands = [
        poke(STATE, 1),
        BEGIN,
        poke(STATE, 2),
        BEGIN,
        poke(STATE, 3),
        BEGIN,
        poke(STATE, 4),
        RELEASE,
        BEGIN,
        poke(STATE, 5),
        ROLLBACK,
        poke(STATE + 4, 6),
    ]
    perform(machine, commands, Answering())
    assert (word(machine, STATE), word(machine, STATE + 4)) == (4, 6)
    perform(machine, [*commands, ROLLBACK], Answering())
    assert (word(machine, STATE), word(machine, STATE + 4)) == (2, 6)
    perform(machine, [*commands, ROLLBACK, ROLLBACK], Answering())
    assert word(machine, STATE) == 1


def test_the_store_has_gone_back_before_the_memory_does(machine: Machine) -> None:
    host = Answering()
    seen: list[int] = []
    host.on_store = lambda _operation: seen.append(word(machine, STATE))
    perform(machine, [poke(STATE, 1), BEGIN, poke(STATE, 2), ROLLBACK], host)
    assert seen == [1, 2]


def test_a_store_that_cannot_go_back_leaves_the_memory_to_the_caller(machine: Machine) -> None:
    host = Answering(b"", StoreError("no"))
    with pytest.raises(StoreError):
        perform(machine, [poke(STATE, 1), BEGIN, poke(STATE, 2), ROLLBACK], host)


def test_no_savepoint_outlives_its_call(machine: Machine) -> None:
    perform(machine, [BEGIN], Answering())
    with pytest.raises(CoreError, match="ended a transaction that it had not begun"):
        perform(machine, [ROLLBACK], Answering())
    with pytest.raises(CoreError, match="ended a transaction that it had not begun"):
        perform(machine, [RELEASE], Answering())


def test_the_frame_must_be_the_same(machine: Machine) -> None:
    with pytest.raises(CoreError, match="in different frames"):
        perform(machine, [BEGIN, (SET_STACK, 0, 512, 0, 0), ROLLBACK], Answering())


def test_files_opened_since_are_closed(machine: Machine) -> None:
    put(machine, SCRATCH, b"a.luab.lua")
    commands = [
        (Operation.OPEN, 0, SCRATCH, 5, 0),
        BEGIN,
        (Operation.OPEN, 0, SCRATCH + 5, 5, 0),
        (Operation.CLOSE, 0, 0, 0, 0),
        ROLLBACK,
        (Operation.SOURCE, 0, 0, 0, 0),
        (Operation.SOURCE, 1, 0, 0, 0),
    ]
    assert perform(machine, commands, Answering())[-2:] == [7, 0]


def test_an_interrupt_is_not_undone(machine: Machine) -> None:
    """What asks the program to stop stands in the memory that goes back."""
    host = Answering()
    asked: list[bool] = []

    def interrupt(operation: int) -> None:
        if operation == StoreOperation.RESERVE:
            asked.append(machine.interrupt())
        elif operation == StoreOperation.ROLLBACK:
            assert word(machine, fake_core.INTERRUPT) == 1

    host.on_store = interrupt
    commands = [BEGIN, (STORE, StoreOperation.RESERVE, 0, 0, 0), ROLLBACK]
    with pytest.raises(Stopped):
        perform(machine, commands, host)
    assert asked == [True]
    assert word(machine, fake_core.INTERRUPT) == 1


def test_too_many_savepoints(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hostcalls, "SAVEPOINTS_MAX", 3)
    host = Answering()
    with pytest.raises(StoreError, match="more than 3 transactions stand inside of each other"):
        perform(machine, [BEGIN] * 4, host)
    assert len(host.requests) == 3
    perform(machine, [BEGIN, BEGIN, BEGIN, RELEASE, BEGIN], Answering())


def test_savepoints_that_are_too_large(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hostcalls, "SAVEPOINT_BYTES_MAX", machine.used_bytes() + 1)
    with pytest.raises(StoreError, match="inside of each other need more than"):
        perform(machine, [BEGIN, BEGIN], Answering())


def test_a_corrupted_memory_is_not_copied(machine: Machine) -> None:
    """Its heap ends where there is no memory; what follows would end the process."""
    with pytest.raises(CoreError, match="corrupted"):
        perform(machine, [poke(fake_core.WORDS, 2**32 - 8), BEGIN], Answering())
