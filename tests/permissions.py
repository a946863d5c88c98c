"""Modes of files that a test obeys even as root, to whom they do not apply."""

from __future__ import annotations

import ctypes
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

NOBODY = 65534
CAP_DAC_OVERRIDE = 1
CAPABILITY_VERSION = 0x20080522


@contextmanager
def as_ordinary_user() -> Iterator[None]:
    """In the block this process is somebody who is not root, with all its threads.

    Such a one may not even be able to import: root's Python can lie anywhere.
    """
    if not is_root():
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that any user may enter and write, unlike `tmp_path`."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o777)
        yield Path(name)


@pytest.fixture
def forbidding_folder(tmp_path: Path) -> Iterator[Path]:
    """A folder that may be made read-only, also for this process, and what is in it as well."""
    if os.name != "posix":
        pytest.skip("modes keep nobody out")
    folder = tmp_path / "own"
    folder.mkdir()
    with obeying_modes():
        yield folder
        folder.chmod(0o755)


@contextmanager
def obeying_modes() -> Iterator[None]:
    """In the block modes apply to this thread, and to those that it starts, as to their owner."""
    if not is_root():
        yield
        return
    if not sys.platform.startswith("linux"):
        pytest.skip("root cannot be kept out")
    before = _capabilities()
    _set_capabilities(before, before[0] & ~(1 << CAP_DAC_OVERRIDE))
    try:
        yield
    finally:
        _set_capabilities(before, before[0])


def is_root() -> bool:
    return getattr(os, "geteuid", lambda: 1)() == 0


def _call(name: str, data: ctypes.Array[ctypes.c_uint32]) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION, 0)
    if getattr(libc, name)(header, data) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _capabilities() -> list[int]:
    """Of this thread: in effect, permitted, inheritable; then what is above the 32nd of each."""
    data = (ctypes.c_uint32 * 6)()
    _call("capget", data)
    return list(data)


def _set_capabilities(before: list[int], effective: int) -> None:
    _call("capset", (ctypes.c_uint32 * 6)(effective, *before[1:]))
