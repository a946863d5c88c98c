"""Images of a VM: compressed, in pieces, signed; the last few, and all those that have names.

A name is among the image's details, so it is signed with them.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any, Final, TypeAlias, cast

import apsw

from lua_ls_persist.errors import StoreError
from lua_ls_persist.store.code import Code
from lua_ls_persist.store.keys import sign_image
from lua_ls_persist.store.rows import ImageRow, StoredImage, Text

IMAGES_KEPT: Final = 4
"""More than one, because several sessions may use one file."""

PIECE_BYTES: Final = 4 * 1024 * 1024
"""So much is compressed at once; between two pieces, saving can be broken off."""

PATIENCE_MS: Final = 10
"""How long what is not urgent waits for a writer. Not at all would make busy loops of retries."""

NAME_LENGTH_MAX: Final = 200

_NAME = "json_extract(details, '$.image_name')"
_SQL_NEWEST = f"""
    SELECT core_sha256 FROM images WHERE {_NAME} IS NULL
    ORDER BY core_sha256 = ? DESC, id DESC LIMIT 1
    """  # noqa: S608
_SQL_LOAD = f"""
    SELECT memory_bytes, content_bytes, segments, refers_to, codes, sources, evaluations, details,
        signature, id
    FROM images WHERE core_sha256 = ? AND state = ? AND {_NAME} IS NULL ORDER BY id DESC LIMIT 1
    """  # noqa: S608
_SQL_LOAD_NAMED = f"""
    SELECT memory_bytes, content_bytes, segments, refers_to, codes, sources, evaluations, details,
        signature, id, core_sha256, state
    FROM images WHERE {_NAME} = ?
    """  # noqa: S608
_SQL_LIST = f"""
    SELECT {_NAME}, saved_utc, evaluations, core_sha256, state,
        (SELECT coalesce(sum(length(content)), 0) FROM image_pieces WHERE image_id = images.id)
    FROM images ORDER BY id DESC
    """  # noqa: S608
_SQL_PIECES = """
    SELECT content_bytes, compressed, content FROM image_pieces WHERE image_id = ? ORDER BY id
    """
_SQL_SAVE = """
    INSERT INTO images (
        core_sha256, state, saved_utc, memory_bytes, content_bytes, segments, refers_to, codes,
        sources, evaluations, details, signature
    ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id
    """
_SQL_SAVE_PIECE = """
    INSERT INTO image_pieces (image_id, content_bytes, compressed, content) VALUES (?, ?, ?, ?)
    """
_SQL_OLD = f"SELECT id FROM images WHERE {_NAME} IS NULL ORDER BY id DESC LIMIT -1 OFFSET ?"  # noqa: S608
_SQL_NAMED = f"SELECT id FROM images WHERE {_NAME} = ?"  # noqa: S608

# An image's row from `memory_bytes` to `details`, and a piece's.
Facts: TypeAlias = tuple[int, int, str, str, str, str, int, str]
Piece: TypeAlias = tuple[int, int, bytes]


class Images(Code):
    """Saves and loads images."""

    def save_image(
        self,
        image: StoredImage,
        *,
        interrupted: Callable[[], bool] | None = None,
        name: str | None = None,
    ) -> bool:
        """Keeps an image, and drops the oldest. Not in a transaction.

        With a name it is kept until it is dropped, in the place of another one of that name.

        False: the data have changed since the image was taken, another session is writing, or
        `interrupted` said (between two pieces) that there is something more urgent.

        Raises:
            StoreError: the file cannot be written.
        """
        assert not self.in_transaction
        if name is not None:
            if not name or len(name) > NAME_LENGTH_MAX or not name.isprintable():
                raise StoreError(
                    f"An image's name has 1 to {NAME_LENGTH_MAX} printable characters."
                )
            image = replace(image, details={**image.details, "image_name": name})
        content = memoryview(image.content).cast("B")
        assert sum(length for _, length in image.segments) == len(content)
        pieces: list[Piece] = []
        for start in range(0, len(content), PIECE_BYTES):
            if interrupted is not None and interrupted():
                return False
            piece = content[start : start + PIECE_BYTES]
            packed, compressed = self._packer.pack(piece)
            pieces.append((len(piece), int(compressed), packed))
        facts = self._facts(image, len(content))
        signature = self._image_signature(image.core_sha256, facts, pieces)
        if not self._begin_at_once():
            return False
        try:
            fits = self.state == image.state
            if fits:
                with self._written():
                    if name is not None:
                        self._drop_image_rows(_SQL_NAMED, name)
                    self._insert_image(image, facts, signature, pieces)
            self.commit()
        except BaseException:
            self.rollback()
            raise
        return fits

    def load_image(self, core_sha256: bytes) -> StoredImage | str:
        """The newest image that fits this build of the core and the present data.

        If there is none, why: the rest of a sentence that begins with "The session starts anew:".
        """
        with self._reading, self._connection:  # a savepoint, so that all of it is one snapshot
            state = self.state
            found = self._cursor.execute(_SQL_LOAD, (core_sha256, state)).get
            if found is None:
                return self._why_none(core_sha256)
            row = cast("tuple[Any, ...]", found)
            pieces = self._cursor.execute(_SQL_PIECES, (row[9],)).fetchall()
        why = "the last session's image is damaged, or was not made by you"
        return self._checked_image(core_sha256, state, row, pieces, why)

    def load_named_image(self, name: str) -> StoredImage | str | None:
        """The image of that name, of whatever build; why it cannot be used; None: there is none."""
        with self._reading, self._connection:
            found = self._cursor.execute(_SQL_LOAD_NAMED, (name,)).get
            if found is None:
                return None
            row = cast("tuple[Any, ...]", found)
            pieces = self._cursor.execute(_SQL_PIECES, (row[9],)).fetchall()
        why = f"the image {name} is damaged, or was not made by you"
        return self._checked_image(row[10], row[11], row, pieces, why)

    def _checked_image(
        self, core_sha256: bytes, state: int, row: tuple[Any, ...], pieces: list[Any], why: str
    ) -> StoredImage | str:
        facts = cast("Facts", row[:8])
        signature = self._image_signature(core_sha256, facts, cast("list[Piece]", pieces))
        if not hmac.compare_digest(signature, cast("bytes", row[8])):
            return why
        return self._image(core_sha256, state, facts, cast("list[Piece]", pieces)) or why

    def images(self) -> list[ImageRow]:
        """All images, the newest first."""
        with self._reading:
            return [ImageRow(*row) for row in self._cursor.execute(_SQL_LIST)]

    def drop_image(self, name: str) -> bool:
        """Forgets the image of that name; whether there was one. In a transaction."""
        with self._written():
            return self._drop_image_rows(_SQL_NAMED, name)

    def _drop_image_rows(self, sql: str, *arguments: object) -> bool:
        found = self._cursor.execute(sql, arguments).fetchall()
        self._cursor.executemany("DELETE FROM image_pieces WHERE image_id = ?", found)
        self._cursor.executemany("DELETE FROM images WHERE id = ?", found)
        return bool(found)

    def _begin_at_once(self) -> bool:
        """Begins a writing transaction, unless somebody else is writing."""
        self._connection.set_busy_timeout(PATIENCE_MS)
        try:
            self.begin(write=True)
        except StoreError as error:
            if isinstance(error.__cause__, apsw.BusyError):
                return False
            raise
        finally:
            self._connection.set_busy_timeout(self._busy_timeout_ms)
        return True

    def _facts(self, image: StoredImage, content_bytes: int) -> Facts:
        sources = {str(serial): _jsonable(text) for serial, text in image.sources.items()}
        return (
            image.memory_bytes,
            content_bytes,
            json.dumps(image.segments),
            json.dumps(list(image.references)),
            json.dumps(sorted(self._codes_known)),
            json.dumps(sources),
            image.evaluations,
            json.dumps(dict(image.details)),
        )

    def _image_signature(self, core_sha256: bytes, facts: Facts, pieces: Iterable[Piece]) -> bytes:
        """Signed like bytecode, which an image is full of."""
        digest = hashlib.sha256(json.dumps([core_sha256.hex(), *facts]).encode())
        for size, compressed, packed in pieces:
            digest.update(json.dumps([size, compressed, len(packed)]).encode())
            digest.update(packed)
        return sign_image(self._key, digest.digest())

    def _insert_image(
        self, image: StoredImage, facts: Facts, signature: bytes, pieces: list[Piece]
    ) -> None:
        now = datetime.now(timezone.utc).isoformat(timespec="seconds")
        row = (image.core_sha256, image.state, now, *facts, signature)
        image_id = self._cursor.execute(_SQL_SAVE, row).get
        self._cursor.executemany(_SQL_SAVE_PIECE, [(image_id, *piece) for piece in pieces])
        self._drop_image_rows(_SQL_OLD, IMAGES_KEPT)

    def _image(
        self, core_sha256: bytes, state: int, facts: Facts, pieces: Iterable[Piece]
    ) -> StoredImage | None:
        memory_bytes, _, segments, refers_to, codes, sources, evaluations, details = facts
        unpacked = [
            self._packer.unpack(packed, bool(compressed), size)
            for size, compressed, packed in pieces
        ]
        content = b"".join(piece for piece in unpacked if piece is not None)
        if None in unpacked:
            return None
        self._codes_known.update(json.loads(codes))
        texts: Mapping[str, Any] = json.loads(sources)
        return StoredImage(
            core_sha256=core_sha256,
            state=state,
            memory_bytes=memory_bytes,
            segments=tuple((address, length) for address, length in json.loads(segments)),
            content=content,
            references=tuple(json.loads(refers_to)),
            sources={int(serial): _text(text) for serial, text in texts.items()},
            evaluations=evaluations,
            details=json.loads(details),
        )

    def _why_none(self, core_sha256: bytes) -> str:
        newest = self._cursor.execute(_SQL_NEWEST, (core_sha256,)).get
        if newest is None:
            return "there is no image of an earlier session"
        if newest != core_sha256:
            return "the last session's image was made by another version of lua-ls-persist"
        return "the data have changed since the last session's image was made"


def _jsonable(text: Text) -> str | list[str]:
    """JSON has no bytes: they are a list of one string."""
    return text if isinstance(text, str) else [base64.b64encode(text).decode()]


def _text(stored: str | list[str]) -> Text:
    return stored if isinstance(stored, str) else base64.b64decode(stored[0])
