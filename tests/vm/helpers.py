"""Running Lua in a bare machine, without a session."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Sequence

from lua_ls_persist.model import Problem, Value
from lua_ls_persist.protocol import Outcome
from lua_ls_persist.session.problems import read_problem
from lua_ls_persist.session.request import PreviewLimits, evaluation_request
from lua_ls_persist.vm import Host, Machine
from lua_ls_persist.wire import Decoder, Encodable

MIB = 1024 * 1024


def response_of(
    machine: Machine,
    source: str | bytes,
    *,
    arguments: Sequence[Encodable] = (),
    host: Host | None = None,
    time_limit_s: float | None = 30.0,
) -> bytes:
    """The raw response to an evaluation."""
    content = source.encode() if isinstance(source, str) else source
    request = evaluation_request(
        content,
        b"@test.lua",
        line=0,
        expression=True,
        arguments=arguments,
        limits=PreviewLimits(),
    )
    return machine.call(
        "core_evaluate", request, payload=content, host=host, time_limit_s=time_limit_s
    )


def run(
    machine: Machine,
    source: str | bytes,
    *,
    host: Host | None = None,
    time_limit_s: float | None = 30.0,
) -> tuple[Value, ...]:
    """What the source returns."""
    response = response_of(machine, source, host=host, time_limit_s=time_limit_s)
    decoder = Decoder(response)
    outcome = decoder.u8()
    assert outcome == Outcome.OK, problem_of(response)
    return tuple(decoder.value() for _ in range(decoder.count(1)))


def problem_of(response: bytes) -> Problem:
    decoder = Decoder(response)
    assert decoder.u8() != Outcome.OK
    return read_problem(decoder, "runtime", lambda source: source.decode("utf-8", "replace"))


class Recorder:
    """A host that remembers what it was asked."""

    def __init__(self, files: dict[bytes, bytes] | None = None) -> None:
        self.files = files or {}
        self.asked: list[bytes] = []
        self.records = b""

    def output(self, records: bytes, /) -> bool:
        self.records += records
        return True

    def open(self, name: bytes, /) -> bytes | None:
        self.asked.append(name)
        return self.files.get(name)

    def source(self, content: bytes, /) -> int:
        return 0

    def store(self, operation: int, request: bytes, /) -> bytes:
        raise NotImplementedError

    @property
    def text(self) -> bytes:
        decoder = Decoder(self.records)
        texts = []
        while decoder.position < len(self.records):
            decoder.u8(), decoder.u32(), decoder.text()
            texts.append(decoder.text())
        return b"".join(texts)


def wait_until_running(machine: Machine) -> None:
    """Until the core has begun to run: the word that tells which Lua state runs is set."""
    from lua_ls_persist.protocol import Info

    deadline = time.monotonic() + 10
    while machine.words[machine.info[Info.RUNNING] >> 2] == 0:
        assert time.monotonic() < deadline
        time.sleep(0.0005)


def python(script: str, *arguments: str, env: dict[str, str] | None = None) -> str:
    """What a Python process of its own prints."""
    run = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=env,
        timeout=120,
    )
    assert run.returncode == 0, f"exit status {run.returncode}\n{run.stderr}"
    return run.stdout
