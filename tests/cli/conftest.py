"""Running the program: in this process for most tests, in one of its own where that matters."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from lua_ls_persist.cli import main

TIMEOUT_S = 30
ENDLESS = "print('go' .. 'ing') io.write(('.'):rep(200000)) while true do end"
"""A program that can be seen to run: so much output does not wait in the VM's buffer."""


@dataclass(frozen=True)
class Result:
    """What a run of the program left behind."""

    status: int
    out: str
    err: str


Cli = Callable[..., Result]
Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def cli(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfdbinary: pytest.CaptureFixture[bytes]
) -> Cli:
    """Runs the program in this process, in an empty folder; gives its status and what it wrote."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str | Path, stdin: bytes = b"") -> Result:
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8"))
        capfdbinary.readouterr()
        status = main([str(argument) for argument in arguments])
        out, err = capfdbinary.readouterr()
        return Result(status, out.decode(), err.decode())

    return run


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts the program as a process of its own, in an empty folder; ends what is left over."""
    processes: list[subprocess.Popen[bytes]] = []

    def start_process(*arguments: str | Path, **settings: str) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [sys.executable, "-m", "lua_ls_persist", *map(str, arguments)],
            cwd=tmp_path,
            env=environment(tmp_path) | settings,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        processes.append(process)
        return process

    yield start_process
    for process in processes:
        process.kill()
        process.communicate()


def environment(home: Path) -> dict[str, str]:
    """This process's environment, with the user's own files somewhere else."""
    # The cache of compiled cores stays where it is: compiling takes long and is tested elsewhere.
    from lua_ls_persist.vm import cache_folder

    return os.environ | {
        "HOME": str(home),
        "LUA_LS_PERSIST_CACHE": str(cache_folder()),
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "XDG_CONFIG_HOME": str(home / "config"),
        "XDG_DATA_HOME": str(home / "data"),
        "XDG_STATE_HOME": str(home / "state"),
    }
