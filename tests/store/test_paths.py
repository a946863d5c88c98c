"""Where a session's file lives, and that its folder keeps out of version control."""

from __future__ import annotations

import subprocess
from pathlib import Path

import platformdirs
import pytest

from lua_ls_persist.errors import StoreError
from lua_ls_persist.store import Store, default_path
from tests.permissions import forbidding_folder

__all__ = ["forbidding_folder"]


def test_a_workspace_has_a_folder_of_its_own(tmp_path: Path) -> None:
    path = default_path(tmp_path)
    assert path == tmp_path / ".lua-persist" / "session.db"
    assert [entry.name for entry in path.parent.iterdir()] == [".gitignore"]
    Store.open(path).close()
    assert default_path(tmp_path) == path


def test_git_sees_nothing_of_the_folder(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "--quiet", str(tmp_path)], check=True)
    (tmp_path / "seen.lua").touch()
    with Store.open(default_path(tmp_path)):
        status = subprocess.run(
            ["git", "-C", str(tmp_path), "status", "--porcelain"],
            check=True,
            capture_output=True,
            text=True,
        ).stdout
    assert status == "?? seen.lua\n"


def test_an_edited_gitignore_stays(tmp_path: Path) -> None:
    ignore = default_path(tmp_path).parent / ".gitignore"
    ignore.write_text("*.db-wal\n", encoding="utf-8")
    default_path(tmp_path)
    assert ignore.read_text(encoding="utf-8") == "*.db-wal\n"


def test_looking_creates_nothing(tmp_path: Path) -> None:
    assert default_path(tmp_path, create=False) == tmp_path / ".lua-persist" / "session.db"
    assert list(tmp_path.iterdir()) == []


def test_outside_a_workspace_it_is_the_users_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "deep" / "data"
    monkeypatch.setattr(platformdirs, "user_data_path", lambda *_, **__: folder)
    assert default_path(None, create=False) == folder / "session.db"
    assert not folder.exists()
    assert default_path(None) == folder / "session.db"
    assert folder.is_dir()


def test_a_workspace_that_is_missing_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="Cannot create the session's folder") as caught:
        default_path(tmp_path / "missing")
    assert str(tmp_path / "missing" / ".lua-persist") in str(caught.value)


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    (tmp_path / ".lua-persist").touch()
    with pytest.raises(StoreError, match="name another file for the session"):
        default_path(tmp_path)


def test_a_folder_that_cannot_be_written_is_as_good_as_its_file(forbidding_folder: Path) -> None:
    folder = forbidding_folder / ".lua-persist"
    folder.mkdir()
    folder.chmod(0o555)
    with pytest.raises(StoreError, match="Cannot create the session's folder"):
        default_path(forbidding_folder)
    folder.chmod(0o755)
    Store.open(folder / "session.db").close()
    folder.chmod(0o555)
    assert default_path(forbidding_folder) == folder / "session.db"
    assert [file.name for file in folder.iterdir()] == ["session.db"]
