"""A file that is replaced has all of its new content, or its old one."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lua_ls_persist.errors import InterchangeError
from lua_ls_persist.interchange import replaced_file

FULL = Path("/dev/full")
posix = pytest.mark.skipif(os.name != "posix", reason="permissions and links of POSIX")


def write(path: Path, text: str) -> None:
    with replaced_file(path) as file:
        file.write(text)


def test_a_file_is_made_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    write(path, "é\n")
    write(path, "ü\n")
    assert path.read_bytes() == "ü\n".encode()
    assert list(tmp_path.iterdir()) == [path]


def test_what_fails_leaves_the_old_content(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    write(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write(path, "new" * 10_000 + "\ud800")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_disk_that_is_full_is_told(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    with pytest.raises(InterchangeError, match="cannot be written: No space left"):  # noqa: SIM117
        with replaced_file(path):
            raise OSError(28, "No space left on device")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(not FULL.exists(), reason="there is no disk that is always full")
def test_so_it_is_when_the_last_bytes_do_not_fit() -> None:
    with pytest.raises(InterchangeError, match="/dev/full cannot be written: No space left"):
        write(FULL, "few bytes, which wait for the end")


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InterchangeError, match=r"none.rows\.csv cannot be written: No such file"):
        write(tmp_path / "none" / "rows.csv", "")


@posix
def test_permissions_are_those_of_any_new_file_or_stay(tmp_path: Path) -> None:
    path, other = tmp_path / "rows.csv", tmp_path / "other"
    other.touch()
    write(path, "")
    assert path.stat().st_mode == other.stat().st_mode
    path.chmod(0o640)
    write(path, "again")
    assert path.stat().st_mode & 0o777 == 0o640


@posix
def test_a_link_stays_a_link(tmp_path: Path) -> None:
    target, link = tmp_path / "target.csv", tmp_path / "link.csv"
    target.write_text("old")
    link.symlink_to(target)
    write(link, "new")
    assert link.is_symlink()
    assert target.read_text() == "new"


@posix
def test_what_is_no_plain_file_is_not_replaced() -> None:
    device = Path(os.devnull)
    write(device, "gone")
    assert not device.is_file()
