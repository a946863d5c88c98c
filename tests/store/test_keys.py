"""The key that signs: made once, by whoever is first, and kept to its user."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import platformdirs
import pytest

from lua_ls_persist.errors import StoreError
from lua_ls_persist.store import keys
from lua_ls_persist.store.keys import is_signed, key_path, sign, sign_image, signing_key
from tests.permissions import as_ordinary_user, open_folder

__all__ = ["open_folder"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(keys.CONFIG_VARIABLE, str(tmp_path / "config"))
    return tmp_path / "config"


def test_the_key_is_made_once(folder: Path) -> None:
    key = signing_key()
    assert len(key) == 32
    assert signing_key() == key == (folder / "signing.key").read_bytes()


@pytest.mark.skipif(os.name != "posix", reason="modes are of POSIX")
def test_the_key_is_for_its_user_only(folder: Path) -> None:
    before = os.umask(0)
    try:
        signing_key()
    finally:
        os.umask(before)
    assert stat.S_IMODE(key_path().stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_the_key_is_in_the_users_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(keys.CONFIG_VARIABLE, raising=False)
    monkeypatch.setattr(platformdirs, "user_config_path", lambda *_, **__: tmp_path / "deep" / "c")
    assert key_path() == tmp_path / "deep" / "c" / "signing.key"
    assert signing_key() == key_path().read_bytes()


@pytest.mark.parametrize("size", [0, 31, 33, 1000])
def test_a_file_that_is_no_key_is_refused(
    folder: Path, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keys, "_HALF_MADE_S", 0.05)
    folder.mkdir()
    key_path().write_bytes(bytes(size))
    with pytest.raises(StoreError) as caught:
        signing_key()
    message = str(caught.value)
    assert message.startswith(f"{key_path()} is not a key for signing functions: it has {size}")
    assert "delete it to get a new one" in message
    assert len(key_path().read_bytes()) == size


def test_a_key_that_is_just_being_written_is_waited_for(folder: Path) -> None:
    folder.mkdir()
    key_path().touch()

    def write() -> None:
        time.sleep(0.05)
        key_path().write_bytes(b"k" * 32)

    thread = threading.Thread(target=write)
    thread.start()
    assert signing_key() == b"k" * 32
    thread.join()


def test_a_folder_in_the_place_of_the_key_is_named(folder: Path) -> None:
    key_path().mkdir(parents=True)
    with pytest.raises(StoreError, match="Cannot read the key for signing functions"):
        signing_key()


def test_a_file_in_the_place_of_the_folder_is_named(folder: Path) -> None:
    folder.touch()
    with pytest.raises(StoreError, match="the key for signing functions") as caught:
        signing_key()
    assert str(key_path()) in str(caught.value)


if os.name == "posix":

    def test_a_key_that_cannot_be_read_is_refused(
        open_folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv(keys.CONFIG_VARIABLE, str(open_folder))
        key_path().write_bytes(b"k" * 32)
        key_path().chmod(0)
        with as_ordinary_user(), pytest.raises(StoreError, match="Make it readable for you"):
            signing_key()

    def test_a_key_that_cannot_be_made_is_told(
        open_folder: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        open_folder.chmod(0o555)
        monkeypatch.setenv(keys.CONFIG_VARIABLE, str(open_folder))
        with as_ordinary_user(), pytest.raises(StoreError, match="Make its folder writable"):
            signing_key()


def test_many_processes_make_one_key(folder: Path) -> None:
    program = (
        "import sys; from lua_ls_persist.store.keys import signing_key\n"
        "sys.stdin.read(); print(signing_key().hex())"
    )
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(8)
    ]
    for process in processes:  # they wait for the end of their input, so that they start together
        assert process.stdin is not None
        process.stdin.close()
        process.stdin = None
    keys_made = {process.communicate(timeout=60)[0].strip() for process in processes}
    assert keys_made == {key_path().read_bytes().hex()}


def test_a_signature_is_of_its_content_key_and_purpose() -> None:
    key, other = b"k" * 32, b"o" * 32
    signature = sign(key, b"code")
    assert len(signature) == 32
    assert is_signed(key, b"code", signature)
    assert not is_signed(key, b"Code", signature)
    assert not is_signed(other, b"code", signature)
    assert not is_signed(key, b"code", signature[:-1])
    assert not is_signed(key, b"code", b"")
    assert sign_image(key, b"code") != signature
