"""Images with names, and forks in files of their own."""

from __future__ import annotations

from pathlib import Path

import apsw
import pytest

from lua_ls_persist.errors import SessionError, StoreError
from lua_ls_persist.session import Session
from lua_ls_persist.store import Store, images
from tests.session.persistent import Restarted

STATE = """
x = 1
local n = 0
function count() n = n + 1 return n end
numbers = coroutine.wrap(function() for i = 1, 100 do coroutine.yield(i) end end)
Memory.t = { a = 1 }
t = Memory.t
count() numbers()
"""


def test_the_vm_goes_back_and_the_data_stay(stored: Restarted) -> None:
    session = stored.session
    stored.run(STATE)
    session.save_image("before")
    stored.run("x = 2 count() numbers() y = 3 Memory.t.a = 5 Memory.new = true")
    assert session.restore_image("before") == "The session goes on from the image before."
    assert stored.run("x, y, count(), numbers(), t.a, t == Memory.t, Memory.new") == (
        1, None, 2, 2, 5, True, True,
    )  # fmt: skip
    assert (session.resumed, session.started) == (
        True,
        "The session goes on from the image before.",
    )


def test_images_last_longer_than_sessions(stored: Restarted) -> None:
    stored.run("x = 1")
    stored.session.save_image("one")
    for number in range(2 * images.IMAGES_KEPT):
        stored.run(f"x = {number + 10} Memory.x = x")
        stored.again(resume=True)
        assert stored.session.resumed
    assert stored.run("x") == (10 + 2 * images.IMAGES_KEPT - 1,)
    stored.session.restore_image("one")
    assert stored.run("x") == (1,)
    stored.again(resume=True)
    assert stored.run("x") == (1,)


def test_a_named_image_is_not_what_a_session_goes_on_from(stored: Restarted) -> None:
    stored.run("x = 1")
    stored.session.save_image("one")
    stored.run("x = 2")
    stored.again(resume=True)
    assert stored.run("x") == (2,)


def test_the_list(stored: Restarted) -> None:
    stored.run("x = 1")
    stored.session.save_image("one")
    stored.session.save_image("two")
    stored.session.save_image("one")
    stored.run("Memory.x = 1")
    named = [image for image in stored.session.images() if image.name is not None]
    assert [image.name for image in named] == ["one", "two"]
    assert all(image.fits and not image.is_current and image.bytes > 0 for image in named)
    assert [image.evaluations for image in named] == [1, 1]
    assert stored.session.drop_image("two")
    assert not stored.session.drop_image("two")
    assert [image.name for image in stored.session.images() if image.name] == ["one"]


def test_what_an_image_holds_is_not_collected(stored: Restarted) -> None:
    stored.run("Memory.t = { deep = { 1 } } t = Memory.t")
    stored.session.save_image("one")
    stored.run("Memory.t = nil t = nil")
    stored.session.forget_history()
    stored.session.collect()
    stored.again(resume=False)
    stored.session.collect()
    stored.session.restore_image("one")
    assert stored.run("t.deep[1]") == (1,)
    stored.session.drop_image("one")


def test_undo_after_going_back(stored: Restarted) -> None:
    stored.run("x = 1")
    stored.session.save_image("one")
    stored.run("x = 2 Memory.a = 1")
    stored.session.restore_image("one")
    stored.run("Memory.b = x")
    stored.session.undo(2)
    assert stored.run("Memory.a, Memory.b") == (None, None)


@pytest.mark.parametrize("name", ["", "x" * 201, "a\nb"])
def test_names_that_are_none(session: Session, name: str) -> None:
    with pytest.raises(StoreError, match="name has 1 to 200 printable"):
        session.save_image(name)


def test_images_that_cannot_be_used(stored: Restarted, path: Path) -> None:
    with pytest.raises(SessionError, match="there is no image one"):
        stored.session.restore_image("one")
    stored.run("x = 1")
    stored.session.save_image("one")
    stored.session.save_image("two")
    stored.session.close()
    connection = apsw.Connection(str(path))
    connection.execute(
        "UPDATE images SET memory_bytes = 1 WHERE json_extract(details, '$.image_name') = 'one'"
    )
    connection.execute(
        "UPDATE images SET core_sha256 = x'00' WHERE json_extract(details, '$.image_name') = 'two'"
    )
    connection.close()
    stored.again(resume=False)
    stored.run("x = 5")
    for name in ("one", "two"):
        with pytest.raises(SessionError, match=f"the image {name} is damaged, or was not made"):
            stored.session.restore_image(name)
    assert [image.fits for image in stored.session.images() if image.name] == [False, True]
    assert stored.run("x") == (5,)


def test_a_fork_in_a_file(stored: Restarted, tmp_path: Path) -> None:
    stored.run(STATE)
    fork = tmp_path / "fork.db"
    stored.session.fork_to(fork)
    stored.run("x = 2 Memory.t.a = 2")
    with Session.open(fork) as session:
        assert session.resumed
        assert session.evaluate("x, count(), numbers(), t.a, t == Memory.t").values == (
            1, 2, 2, 1, True,
        )  # fmt: skip
    assert stored.run("x, t.a") == (2, 2)
    with Store.open(fork) as store:
        assert store.integrity() == []
    (tmp_path / "text").write_text("mine" * 100)
    with pytest.raises(StoreError):
        stored.session.fork_to(tmp_path / "text")
