"""Images: kept for the state of the data and the core that they are of."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from lua_ls_persist.store import Store, StoredImage
from lua_ls_persist.store.images import IMAGES_KEPT, PIECE_BYTES
from lua_ls_persist.store.keys import CONFIG_VARIABLE
from lua_ls_persist.store.rows import INTEGER, STRING
from tests.store.helpers import new_code, new_store, open_again, write

CORE = bytes(range(32))
ONE = (1, STRING, "x", INTEGER, 1)


def image(
    store: Store, content: bytes | memoryview = b"state" * 1000, **changes: Any
) -> StoredImage:
    facts: dict[str, Any] = {
        "core_sha256": CORE,
        "state": store.state,
        "memory_bytes": 2**21,
        "segments": ((1024, 100), (65536, len(content) - 100)),
        "content": content,
        "references": (1, 7, 9),
        "sources": {1: "return 1", 2: b"return '\xff'"},
        "evaluations": 12,
        "details": {"free_source": 3, "names": ["a", "ü"]},
    }
    return StoredImage(**{**facts, **changes})


def without_images(store: Store) -> None:
    """They are removed behind the store's back."""
    store._connection.execute("DELETE FROM image_pieces")
    store._connection.execute("DELETE FROM images")


def test_an_image_comes_back_as_it_was(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    write(store, ONE)
    saved = image(store)
    assert store.save_image(saved)
    assert store.load_image(CORE) == saved
    with open_again(store) as store:
        assert store.load_image(CORE) == saved
        assert store.state == 1  # an image is no data
        assert store.integrity() == []


def test_a_large_image_goes_in_pieces(tmp_path: Path) -> None:
    content = os.urandom(PIECE_BYTES) + bytes(PIECE_BYTES) + b"end" * 100
    with new_store(tmp_path) as store:
        saved = image(store, memoryview(bytearray(content)))
        assert store.save_image(saved)
        loaded = store.load_image(CORE)
        assert isinstance(loaded, StoredImage)
        assert loaded.content == content
        assert store.sizes().images_bytes < 2 * PIECE_BYTES


def test_an_empty_image(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        assert store.save_image(image(store, b"", segments=(), sources={}, references=()))
        loaded = store.load_image(CORE)
        assert isinstance(loaded, StoredImage)
        assert loaded.content == b""


def test_saving_can_be_broken_off(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        asked = 0

        def interrupted() -> bool:
            nonlocal asked
            asked += 1
            return asked == 3

        assert not store.save_image(image(store, bytes(4 * PIECE_BYTES)), interrupted=interrupted)
        assert asked == 3
        assert store.load_image(CORE) == "there is no image of an earlier session"


def test_why_there_is_none(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        assert store.load_image(CORE) == "there is no image of an earlier session"
        store.save_image(image(store))
        assert store.load_image(bytes(32)) == (
            "the last session's image was made by another version of lua-ls-persist"
        )
        write(store, ONE)
        assert store.load_image(CORE) == (
            "the data have changed since the last session's image was made"
        )


def test_an_image_of_data_that_have_changed_is_not_saved(tmp_path: Path) -> None:
    with new_store(tmp_path) as store, new_store(tmp_path) as other:
        taken = image(store)
        write(other, ONE)
        assert not store.save_image(taken)
        assert store._connection.execute("SELECT count(*) FROM images").get == 0


def test_an_image_does_not_wait_for_a_writer(tmp_path: Path) -> None:
    with Store.open(tmp_path / "session.db", busy_timeout_ms=60_000) as store:
        with new_store(tmp_path) as other:
            other.begin(write=True)
            assert not store.save_image(image(store))
        assert store.save_image(image(store))


def test_the_last_few_are_kept(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        for number in range(IMAGES_KEPT + 3):
            assert store.save_image(image(store, evaluations=number))
            loaded = store.load_image(CORE)
            assert isinstance(loaded, StoredImage)
            assert loaded.evaluations == number
        assert store.sizes().images == IMAGES_KEPT
        pieces = store._connection.execute(
            "SELECT count(*) FROM image_pieces WHERE image_id NOT IN (SELECT id FROM images)"
        ).get
        assert pieces == 0
        without_images(store)
        assert store.sizes().images == 0
        assert store.load_image(CORE) == "there is no image of an earlier session"


def test_the_newest_that_fits_is_taken(tmp_path: Path) -> None:
    with new_store(tmp_path) as store:
        store.save_image(image(store, evaluations=1))
        store.save_image(image(store, evaluations=2, core_sha256=bytes(32)))
        loaded = store.load_image(CORE)
        assert isinstance(loaded, StoredImage)
        assert loaded.evaluations == 1


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE image_pieces SET content = zeroblob(length(content))",
        "UPDATE image_pieces SET content = CAST(content || x'00' AS BLOB)",
        "UPDATE image_pieces SET compressed = 1 - compressed",
        "UPDATE image_pieces SET content_bytes = content_bytes + 1",
        "DELETE FROM image_pieces",
        "UPDATE images SET memory_bytes = 1",
        "UPDATE images SET segments = '[[0, 5000]]'",
        "UPDATE images SET refers_to = '[]'",
        "UPDATE images SET sources = '{}'",
        "UPDATE images SET codes = '[5]'",
        "UPDATE images SET signature = x''",
        "UPDATE images SET signature = zeroblob(32)",
    ],
)
def test_an_image_that_was_altered_is_not_taken(tmp_path: Path, statement: str) -> None:
    with new_store(tmp_path) as store:
        store.save_image(image(store))
        store._connection.execute(statement)
        assert store.load_image(CORE) == (
            "the last session's image is damaged, or was not made by you"
        )


def test_somebody_elses_image_is_not_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is full of code."""
    store = new_store(tmp_path)
    store.save_image(image(store))
    store.close()
    monkeypatch.setenv(CONFIG_VARIABLE, str(tmp_path / "other"))
    with new_store(tmp_path) as store:
        assert isinstance(store.load_image(CORE), str)


def test_code_that_a_vm_of_an_image_knows_is_kept(tmp_path: Path) -> None:
    store = new_store(tmp_path)
    with store.transaction():
        known = store.define_code(new_code())
    store.save_image(image(store))
    with open_again(store) as store:
        assert store.collect().codes == 0
        assert isinstance(store.load_image(CORE), StoredImage)
        without_images(store)
        assert store.collect().codes == 0  # the VM has it now
        assert store.code(known) is not None
    with new_store(tmp_path) as store:
        assert store.collect().codes == 1
