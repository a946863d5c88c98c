"""The key that signs bytecode and images: one a user, kept outside of every session's file.

Lua does not verify bytecode, and a session's file may come from anywhere. So only code that was
signed with this key is loaded. Who can read the key can sign code for this user.
"""

from __future__ import annotations

import hmac
import os
import secrets
import time
from pathlib import Path
from typing import Final

import platformdirs

from lua_ls_persist.errors import StoreError

CONFIG_VARIABLE: Final = "LUA_LS_PERSIST_CONFIG"
"""Names another folder for the key."""

KEY_FILE_NAME: Final = "signing.key"
KEY_BYTES: Final = 32

# What is signed begins with one of these, so that a signature means nothing anywhere else.
_BYTECODE = b"lua-ls-persist bytecode 1\0"
_IMAGE = b"lua-ls-persist image 1\0"

_HALF_MADE_S = 1.0
"""How long to wait for another process that is just making the key."""


def key_path() -> Path:
    """Where the key is."""
    folder = os.environ.get(CONFIG_VARIABLE)
    if folder:
        return Path(folder) / KEY_FILE_NAME
    return platformdirs.user_config_path("lua-ls-persist", appauthor=False) / KEY_FILE_NAME


def signing_key() -> bytes:
    """The user's key, made when it is first needed.

    Raises:
        StoreError: it cannot be read or made; the message names the file and the next step.
    """
    path = key_path()
    try:
        return _read(path)
    except FileNotFoundError:
        pass
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _make(path)
        return _read(path)
    except OSError as error:
        raise StoreError(
            f"Cannot make the key for signing functions, {path}: {error.strerror or error}. "
            f"Make its folder writable, or name another one in {CONFIG_VARIABLE}."
        ) from error


def sign(key: bytes, bytecode: bytes) -> bytes:
    """The signature of bytecode: HMAC with SHA-256."""
    return hmac.digest(key, _BYTECODE + bytecode, "sha256")


def is_signed(key: bytes, bytecode: bytes, signature: bytes) -> bool:
    """Whether the signature is that of the bytecode; takes equally long for each wrong one."""
    return hmac.compare_digest(sign(key, bytecode), signature)


def sign_image(key: bytes, digest: bytes) -> bytes:
    """The signature of an image, by its SHA-256."""
    return hmac.digest(key, _IMAGE + digest, "sha256")


def _read(path: Path) -> bytes:
    """The key; `FileNotFoundError` if there is none."""
    patience_until = time.monotonic() + _HALF_MADE_S
    while True:
        try:
            key = path.read_bytes()
        except FileNotFoundError:
            raise
        except OSError as error:
            raise StoreError(
                f"Cannot read the key for signing functions, {path}: {error.strerror or error}. "
                f"Make it readable for you, or name another folder in {CONFIG_VARIABLE}."
            ) from error
        if len(key) == KEY_BYTES:
            return key
        # Another process may have created the file and be about to write it.
        if len(key) > KEY_BYTES or time.monotonic() > patience_until:
            raise StoreError(
                f"{path} is not a key for signing functions: it has {len(key)} bytes, not "
                f"{KEY_BYTES}. Bring back a copy, or delete it to get a new one; functions that "
                "were stored before then have to be compiled again from their source."
            )
        time.sleep(0.01)


def _make(path: Path) -> None:
    """Writes a new key, unless another process was faster."""
    try:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
        descriptor = os.open(path, flags, 0o600)
    except FileExistsError:
        return
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_bytes(KEY_BYTES))
        file.flush()
        os.fsync(file.fileno())
