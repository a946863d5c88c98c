"""The compiled core is kept on disk. Whatever happened to the file there, the VM starts."""

from __future__ import annotations

import hashlib
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from lua_ls_persist.errors import CoreError
from lua_ls_persist.vm import (
    CompiledCore,
    Machine,
    cache_folder,
    cache_path,
    load_core,
    wasm_path,
    wasm_sha256,
)
from lua_ls_persist.vm import module as module_code
from tests.vm.helpers import run

VARIABLE = module_code.CACHE_ENVIRONMENT_VARIABLE


@pytest.fixture(scope="module")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The content of a good cache file."""
    folder = tmp_path_factory.mktemp("good")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(folder))
        patch.setattr(module_code, "_loaded", {})
        load_core()
        (file,) = folder.glob("*.bin")
        return file.read_bytes()


@pytest.fixture(scope="module")
def compiled_otherwise(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The same of an engine with other settings."""
    folder = tmp_path_factory.mktemp("other")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(VARIABLE, str(folder))
        load_core(stop_kind="epoch")
        (file,) = folder.glob("*.bin")
        return file.read_bytes()


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache folder, in a process that has loaded nothing yet."""
    folder = tmp_path / "cache"
    monkeypatch.setenv(VARIABLE, str(folder))
    monkeypatch.setattr(module_code, "_loaded", {})
    return folder


def the_file() -> Path:
    return cache_path(wasm_sha256(wasm_path()), epoch_checks=False)


def cores(folder: Path) -> list[Path]:
    """What is there of cores, whole ones and drafts; not the receipts of what was checked."""
    return [file for file in folder.iterdir() if file.suffix != ".receipt"]


def works(core: CompiledCore) -> bool:
    with Machine(core) as machine:
        return run(machine, "6 * 7") == (42,)


def test_the_first_load_fills_the_cache_and_the_second_takes_it(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert works(load_core())
    file = the_file()
    assert [file] == cores(folder)
    before = file.stat()
    monkeypatch.setattr(module_code, "_loaded", {})
    assert works(load_core())
    after = file.stat()
    assert (after.st_ino, after.st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_a_process_loads_it_once(folder: Path) -> None:
    assert load_core() is load_core()


def with_checksum(content: bytes) -> bytes:
    return content + hashlib.sha256(content).digest()


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _: b"",
    "one byte": lambda good: good[:1],
    "shorter than a checksum": lambda good: good[:31],
    "only a checksum": lambda good: good[-32:],
    "only a checksum that is right": lambda _: with_checksum(b""),
    "cut in half": lambda good: good[: len(good) // 2],
    "without its last byte": lambda good: good[:-1],
    "zero-filled": lambda good: bytes(len(good)),
    "zeros at the end": lambda good: good[:-4096] + bytes(4096),
    "one bit": lambda good: (
        good[: len(good) // 2] + bytes([good[len(good) // 2] ^ 1]) + good[len(good) // 2 + 1 :]
    ),
    "something behind it": lambda good: good + b"\n",
    "another file, with its checksum": lambda _: with_checksum(b"not a compiled module"),
    "the wasm itself, with its checksum": lambda _: with_checksum(wasm_path().read_bytes()),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_replaced(folder: Path, compiled: bytes, damage: str) -> None:
    folder.mkdir()
    the_file().write_bytes(DAMAGES[damage](compiled))
    assert works(load_core())
    content = the_file().read_bytes()
    assert content != DAMAGES[damage](compiled)
    assert content == with_checksum(content[:-32])
    assert [the_file()] == cores(folder), "no draft is left"


def test_a_file_of_other_settings_is_replaced(
    folder: Path, compiled: bytes, compiled_otherwise: bytes
) -> None:
    """As after an update of this package that changes how the core is compiled."""
    assert compiled != compiled_otherwise
    folder.mkdir()
    the_file().write_bytes(compiled_otherwise)
    assert works(load_core())
    assert the_file().read_bytes() != compiled_otherwise


def test_a_folder_in_the_file_s_place(folder: Path) -> None:
    the_file().mkdir(parents=True)
    assert works(load_core())
    assert the_file().is_dir()
    assert [the_file()] == cores(folder)


def test_a_file_in_the_folder_s_place(folder: Path) -> None:
    folder.write_text("not a folder")
    assert works(load_core())
    assert folder.read_text() == "not a folder"


def test_a_folder_that_cannot_be_written(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**_: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tempfile, "mkstemp", refuse)
    assert works(load_core())
    assert list(folder.iterdir()) == []


def test_a_disk_that_is_full_leaves_nothing_half_written(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: object) -> bytes:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module_code, "_checksum", full)
    assert works(load_core())
    assert not folder.exists() or cores(folder) == []


def test_a_receipt_spares_the_checksum_until_the_file_changes(
    folder: Path, compiled: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    summed = 0
    checksum = module_code._checksum

    def counted(content: bytes | memoryview) -> bytes:
        nonlocal summed
        summed += 1
        return checksum(content)

    folder.mkdir()
    the_file().write_bytes(compiled)
    monkeypatch.setattr(module_code, "_checksum", counted)
    for expected in (1, 1):
        monkeypatch.setattr(module_code, "_loaded", {})
        assert works(load_core())
        assert summed == expected
    damaged = bytearray(compiled)
    damaged[len(damaged) // 2] ^= 1
    the_file().write_bytes(damaged)
    monkeypatch.setattr(module_code, "_loaded", {})
    assert works(load_core())
    assert summed > 1
    assert the_file().read_bytes() != bytes(damaged)


@pytest.mark.parametrize("content", [b"", b"whole", b"1 2 3 4\nwhole", b"\xff\n\xff"])
def test_a_receipt_that_says_something_else_counts_for_nothing(
    folder: Path, compiled: bytes, content: bytes
) -> None:
    folder.mkdir()
    the_file().write_bytes(compiled[:-1])
    the_file().with_suffix(".receipt").write_bytes(content)
    assert works(load_core())
    assert the_file().read_bytes() != compiled[:-1]


LOAD = """
from lua_ls_persist.session import Session
with Session.open() as session:
    print(session.evaluate("6 * 7").values)
"""


def test_processes_that_start_at_once(folder: Path) -> None:
    """All of them find the cache empty, compile, and put the file in place."""
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", LOAD],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, VARIABLE: str(folder)},
        )
        for _ in range(3)
    ]
    for process in processes:
        printed, errors = process.communicate(timeout=120)
        assert (printed, errors) == ("(42,)\n", "")
    assert [the_file()] == cores(folder)
    before = the_file().stat().st_ino
    assert works(load_core())
    assert the_file().stat().st_ino == before, "what they left is good"


def test_what_the_file_s_name_depends_on(monkeypatch: pytest.MonkeyPatch) -> None:
    names = {cache_path("a" * 64, epoch_checks=False).name}
    names.add(cache_path("b" * 64, epoch_checks=False).name)
    names.add(cache_path("a" * 64, epoch_checks=True).name)
    monkeypatch.setattr(module_code, "wasmtime_version", lambda: "999.0")
    names.add(cache_path("a" * 64, epoch_checks=False).name)
    monkeypatch.setattr(platform, "machine", lambda: "pdp11")
    names.add(cache_path("a" * 64, epoch_checks=False).name)
    assert len(names) == 5


def test_where_it_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert cache_folder() == tmp_path
    for nothing in ("", None):
        if nothing is None:
            monkeypatch.delenv(VARIABLE)
        else:
            monkeypatch.setenv(VARIABLE, nothing)
        assert cache_folder().name == "lua-ls-persist"


def test_another_core_has_another_hash(tmp_path: Path) -> None:
    """The hash follows the file, also when it is replaced while the process runs."""
    path = tmp_path / "core.wasm"
    path.write_bytes(b"one")
    assert wasm_sha256(path) == hashlib.sha256(b"one").hexdigest()
    path.write_bytes(b"another")
    assert wasm_sha256(path) == hashlib.sha256(b"another").hexdigest()


def test_no_core(tmp_path: Path) -> None:
    with pytest.raises(CoreError) as caught:
        load_core(tmp_path / "lua_core.wasm")
    assert str(caught.value) == (
        f"the WebAssembly core {tmp_path / 'lua_core.wasm'} cannot be read (No such file or "
        "directory); reinstall the package, or run 'python -m wasm_core.build' in a checkout"
    )


def test_a_folder_instead_of_a_core(tmp_path: Path) -> None:
    with pytest.raises(CoreError, match="cannot be read \\(Is a directory\\)"):
        load_core(tmp_path)


@pytest.mark.parametrize("content", [b"", b"\0asm\1\0\0\0broken", b"#!/bin/sh\n"])
def test_a_file_that_is_no_module(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "core.wasm"
    path.write_bytes(content)
    with pytest.raises(CoreError, match="is not a module that wasmtime can run"):
        load_core(path)


def test_old_cores_are_deleted(folder: Path) -> None:
    """An update a month should not fill anybody's disk; a few stay, for versions side by side."""
    folder.mkdir()
    for age in range(12):
        file = folder / f"core-{age:016x}-wasmtime-1.0-pdp11-plain.bin"
        file.write_bytes(b"old")
        os.utime(file, (1_000_000 - age, 1_000_000 - age))
    (folder / "something-else.bin").write_bytes(b"not ours")
    assert works(load_core())
    kept = sorted(file.name for file in folder.glob("*.bin"))
    others = [f"core-{age:016x}-wasmtime-1.0-pdp11-plain.bin" for age in range(7)]
    assert kept == sorted([the_file().name, *others, "something-else.bin"])
    assert module_code.CACHED_CORES_MAX == 8


def test_cores_of_the_future_do_not_displace_those_of_today(folder: Path) -> None:
    """The clock was set back: what was written before it was is the newest for years."""
    folder.mkdir()
    for age in range(12):
        file = folder / f"core-{age:016x}-wasmtime-1.0-pdp11-plain.bin"
        file.write_bytes(b"of the future")
        os.utime(file, (4_000_000_000 + age, 4_000_000_000 + age))
    others = [f"core-{age:016x}-wasmtime-2.0-pdp11-plain.bin" for age in range(7)]
    for name in others:
        (folder / name).write_bytes(b"of today")
    assert works(load_core())
    kept = sorted(file.name for file in folder.glob("core-*"))
    assert kept == sorted([the_file().name, *others])
