"""Modules: found in the workspace's folders, open buffers first, and nowhere else."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lua_ls_persist.errors import SessionError
from lua_ls_persist.model import Frame
from lua_ls_persist.session import Session
from lua_ls_persist.session.modules import FILE_BYTES_MAX, ModuleFiles
from tests.session.helpers import problem, value

Files = Callable[[dict[str, str | bytes]], None]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    folder.mkdir()
    return folder


@pytest.fixture
def write(folder: Path) -> Files:
    def write(files: dict[str, str | bytes]) -> None:
        for name, content in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)

    return write


@pytest.fixture
def session(folder: Path) -> Iterator[Session]:
    with Session.open(folders=[folder]) as session:
        yield session


# Finding.


def test_where_modules_are_found(session: Session, write: Files) -> None:
    write(
        {
            "a.lua": "return { name = 'a', args = { ... } }",
            "b/init.lua": "return { name = 'b', args = { ... } }",
            "c/d.lua": "return { name = 'c.d', args = { ... } }",
            "e.lua": "return 'file'",
            "e/init.lua": "return 'folder'",
            "Größe.lua": "return 'umlaut'",
        }
    )
    assert session.evaluate("require('a').name, table.concat(require('a').args, ' ')").values == (
        "a", "a a.lua",
    )  # fmt: skip
    assert value(session, "table.concat(require('b').args, ' ')") == "b b/init.lua"
    assert value(session, "table.concat(require('c.d').args, ' ')") == "c.d c/d.lua"
    assert value(session, "(require 'e')") == "file"
    assert value(session, "(require 'Größe')") == "umlaut"
    session.evaluate("package.loaded.a = nil")
    assert session.evaluate("require 'a'").values[1] == "a.lua"
    assert len(session.evaluate("require 'a'").values) == 1, "it is loaded"


def test_a_module_runs_once(session: Session, write: Files) -> None:
    write({"counter.lua": "runs = (runs or 0) + 1 return { n = runs }"})
    assert session.evaluate("require('counter').n, require('counter').n, runs").values == (1, 1, 1)
    assert value(session, "require('counter') == package.loaded.counter") is True
    session.evaluate("package.loaded.counter = nil")
    assert value(session, "require('counter').n") == 2


def test_what_a_module_returns(session: Session, write: Files) -> None:
    write({"nothing.lua": "", "no.lua": "return false", "text.lua": "return 'text', 'more'"})
    assert value(session, "(require 'nothing')") is True
    assert value(session, "(require 'no')") is False
    assert session.evaluate("require 'text'").values == ("text", "text.lua")


def test_a_module_that_is_not_there(session: Session) -> None:
    found = problem(session.evaluate("\nlocal m = require 'no.such'", name="main.lua"))
    assert (found.kind, found.chunk, found.line) == ("runtime", "main.lua", 2)
    assert found.message == (
        "module 'no.such' not found:\n"
        "\tno field package.preload['no.such']\n"
        "\tno file 'no/such.lua'\n"
        "\tno file 'no/such/init.lua'"
    )


def test_a_module_made_later(session: Session, write: Files) -> None:
    assert not session.evaluate("require 'late'").ok
    write({"late.lua": "return 'there'"})
    assert value(session, "(require 'late')") == "there"


def test_preloaded_modules_come_first(session: Session, write: Files) -> None:
    write({"m.lua": "return 'file'"})
    session.evaluate("package.preload.m = function(...) return 'preloaded' end")
    assert session.evaluate("require 'm'").values == ("preloaded", ":preload:")


def test_several_folders(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.lua").write_text(f"return '{name}'")
        (tmp_path / name / "both.lua").write_text(f"return 'of {name}'")
    with Session.open(folders=[tmp_path / "one", str(tmp_path / "two")]) as session:
        assert session.evaluate("(require 'one'), (require 'two'), (require 'both')").values == (
            "one", "two", "of one",
        )  # fmt: skip


def test_no_folder_at_all() -> None:
    with Session.open() as session:
        assert "module 'm' not found" in problem(session.evaluate("require 'm'")).message
        assert session.evaluate("require 'string'").values[0] is not None


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    with Session.open(folders=[tmp_path / "nowhere"]) as session:
        assert not session.evaluate("require 'm'").ok


def test_one_folder_instead_of_a_list() -> None:
    with pytest.raises(SessionError, match="folders is a list of folders, not the path of one"):
        Session.open(folders="/home/ann/project")


def test_modules_that_require_each_other(session: Session, write: Files) -> None:
    write(
        {
            "a.lua": "local b = require 'b' return { b = b.name, name = 'a' }",
            "b.lua": "return { name = 'b' }",
            "endless1.lua": "return require 'endless2'",
            "endless2.lua": "return require 'endless1'",
        }
    )
    assert value(session, "require('a').b") == "b"
    found = problem(session.evaluate("require 'endless1'"))
    assert "stack overflow" in found.message


# Open buffers.


def test_open_buffers_come_before_files(folder: Path, write: Files) -> None:
    write({"m.lua": "return 'on disk'"})
    buffers: dict[Path, str] = {}
    asked: list[Path] = []

    def open_buffer(path: Path) -> str | None:
        asked.append(path)
        return buffers.get(path)

    with Session.open(folders=[folder], open_buffers=open_buffer) as session:
        assert value(session, "(dofile 'm.lua')") == "on disk"
        buffers[folder / "m.lua"] = "return 'in the editor: ü'"
        assert value(session, "(dofile 'm.lua')") == "in the editor: ü"
        buffers[folder / "new" / "unsaved.lua"] = "return 'never saved'"
        assert value(session, "(require 'new.unsaved')") == "never saved"
        buffers[folder / "m.lua"] = ""
        assert session.evaluate("dofile 'm.lua'").values == ()
        buffers[folder / "m.lua"] = "return '\ud83d'"
        assert value(session, "(dofile 'm.lua')") == b"\xed\xa0\xbd"
    assert folder / "m.lua" in asked
    assert all(path.is_absolute() for path in asked)


def test_an_open_buffer_that_cannot_be_read(folder: Path) -> None:
    """What the host raises reaches the caller of the evaluation, which then did not happen."""

    def broken(_: Path) -> str | None:
        raise LookupError("the editor is gone")

    with Session.open(folders=[folder], open_buffers=broken) as session:
        session.evaluate("x = 1")
        with pytest.raises(LookupError, match="the editor is gone"):
            session.evaluate("x = 2 pcall(require, 'm')")
        assert value(session, "x") == 1


# Errors in modules.


def test_a_syntax_error_in_a_module(session: Session, write: Files) -> None:
    write({"lib/broken.lua": "local ok = 1\n\nlocal x = = 2\n"})
    found = problem(session.evaluate("\nlocal m = require 'lib.broken'", name="main.lua"))
    assert (found.kind, found.chunk, found.line) == ("syntax", "lib/broken.lua", 3)
    assert found.message == "unexpected symbol near '='"
    assert found.traceback[-1] == Frame("main.lua", 2, "main chunk")


def test_a_runtime_error_in_a_module(session: Session, write: Files) -> None:
    write({"lib/failing.lua": "local t\n\nreturn t.x\n"})
    found = problem(session.evaluate("\nlocal m = require 'lib.failing'", name="main.lua"))
    assert (found.kind, found.chunk, found.line) == ("runtime", "lib/failing.lua", 3)
    assert found.message == "attempt to index a nil value (local 't')"
    assert [(frame.chunk, frame.line) for frame in found.traceback] == [
        ("lib/failing.lua", 3), ("[C]", None), ("main.lua", 2),
    ]  # fmt: skip


def test_errors_in_modules_of_modules(session: Session, write: Files) -> None:
    write(
        {
            "outer.lua": "-- one\nlocal inner = require 'inner'\nreturn inner",
            "inner.lua": "return {\n",
        }
    )
    found = problem(session.evaluate("require 'outer'", name="main.lua"))
    assert (found.kind, found.chunk, found.line) == ("syntax", "inner.lua", 2)
    assert ("outer.lua", 2) in [(frame.chunk, frame.line) for frame in found.traceback]
    write({"inner.lua": "\nerror('in here')"})
    found = problem(session.evaluate("require 'outer'", name="main.lua"))
    assert (found.kind, found.chunk, found.line) == ("runtime", "inner.lua", 2)
    assert found.message == "in here"


def test_an_error_in_a_module_s_function(session: Session, write: Files) -> None:
    write({"lib.lua": "local M = {}\nfunction M.fail()\n  error('failed')\nend\nreturn M"})
    session.evaluate("lib = require 'lib'")
    found = problem(session.evaluate("\n\nlocal r = lib.fail()", name="main.lua"))
    assert (found.chunk, found.line, found.message) == ("lib.lua", 3, "failed")
    assert found.traceback[-1] == Frame("main.lua", 3, "main chunk")


def test_a_failed_require_is_not_remembered(session: Session, write: Files) -> None:
    write({"m.lua": "error('not yet')"})
    assert not session.evaluate("require 'm'").ok
    write({"m.lua": "return 'repaired'"})
    assert value(session, "(require 'm')") == "repaired"


def test_output_of_a_module(session: Session, write: Files) -> None:
    write({"loud.lua": "-- a comment\nprint('loading')"})
    (piece,) = session.evaluate("require 'loud'", name="main.lua").output
    assert (piece.text, piece.chunk, piece.line) == ("loading\n", "loud.lua", 2)


def test_a_deep_module(session: Session, write: Files) -> None:
    """Its name is longer than what Lua's messages show of names."""
    name = "/".join(["folder"] * 12)
    write({f"{name}/m.lua": "\nerror('deep')", f"{name}/n.lua": "\n\nx = = 1"})
    found = problem(session.evaluate(f"require '{name.replace('/', '.')}.m'"))
    assert (found.chunk, found.line, found.message) == (f"{name}/m.lua", 2, "deep")
    found = problem(session.evaluate(f"require '{name.replace('/', '.')}.n'"))
    assert (found.kind, found.chunk, found.line) == ("syntax", f"{name}/n.lua", 3)


# Contents.


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"\xef\xbb\xbfreturn 'BOM'", "BOM"),
        (b"#!/usr/bin/lua\nreturn debug.getinfo(1, 'l').currentline", 2),
        (b"\xef\xbb\xbf# a comment in the first line\nreturn 'both'", "both"),
        (b"return 'windows'\r\n", "windows"),
        (b"return '\xff\xfe'", b"\xff\xfe"),
        (b"return #'" + b"x" * 100_000 + b"'", 100_000),
        (b"-- \0\nreturn 'nul'", "nul"),
        (b"", True),
    ],
)
def test_contents(session: Session, write: Files, content: bytes, expected: object) -> None:
    write({"m.lua": content})
    assert value(session, "(require 'm')") == expected


def test_bytecode_in_a_file(session: Session, write: Files, folder: Path) -> None:
    dumped = value(session, "string.dump(function() return 42 end)")
    assert isinstance(dumped, bytes)
    write({"m.lua": dumped})
    found = problem(session.evaluate("require 'm'"))
    assert "this session loads Lua source only" in found.message
    with Session.open(folders=[folder], allow_bytecode=True) as trusting:
        assert value(trusting, "(require 'm')") == 42


def test_a_file_too_large(folder: Path) -> None:
    path = folder / "large.lua"
    with path.open("wb") as file:
        file.truncate(FILE_BYTES_MAX + 1)
    files = ModuleFiles([folder], None)
    assert files.read("large.lua") is None
    with path.open("wb") as file:
        file.truncate(1000)
    assert files.read("large.lua") == bytes(1000)


# What is not reached.

OUTSIDE = [
    "../secret.lua",
    "./../secret.lua",
    "sub/../../secret.lua",
    "sub/../secret.lua",
    "..\\secret.lua",
    "sub\\..\\..\\secret.lua",
    "..",
    ".",
    "",
    "/",
    "sub",
    "secret.lua\0.txt",
]


@pytest.mark.parametrize("name", OUTSIDE)
def test_paths_that_leave_the_folder(folder: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "secret.lua").write_text("return 'secret'")
    (folder / "sub").mkdir()
    asked: list[Path] = []

    def open_buffers(path: Path) -> str | None:
        asked.append(path)
        return None

    files = ModuleFiles([folder], open_buffers)
    assert files.read(name) is None
    assert all(path.is_relative_to(folder) and ".." not in path.parts for path in asked)


def test_absolute_paths(session: Session, tmp_path: Path) -> None:
    secret = tmp_path / "secret.lua"
    secret.write_text("return 'secret'")
    assert not session.evaluate("return dofile(...)", arguments=[str(secret)]).ok
    session.evaluate("package.path = ... ", arguments=[f"{tmp_path}/?.lua;/etc/?;../?.lua"])
    for name in ("secret", "passwd", "../secret"):
        assert "not found" in problem(session.evaluate("require(...)", arguments=[name])).message
    # Inside the folder as well: names are relative, so that a program means the same anywhere.
    inside = tmp_path / "workspace" / "m.lua"
    inside.write_text("return 1")
    assert not session.evaluate("return dofile(...)", arguments=[str(inside)]).ok
    assert value(session, "(dofile './m.lua')") == 1


def test_links(session: Session, folder: Path, tmp_path: Path) -> None:
    """Those that stay in the folder are followed, those that lead out of it are not."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.lua").write_text("return 'secret'")
    (folder / "real.lua").write_text("return 'real'")
    (folder / "inner.lua").symlink_to(folder / "real.lua")
    (folder / "out.lua").symlink_to(outside / "secret.lua")
    (folder / "outdir").symlink_to(outside)
    (folder / "up").symlink_to("..")
    (folder / "circle.lua").symlink_to("circle.lua")
    (folder / "dangling.lua").symlink_to("nowhere.lua")
    (folder / "folder.lua").mkdir()
    assert value(session, "(require 'inner')") == "real"
    for name in ("out", "outdir.secret", "up.outside.secret", "circle", "dangling", "folder"):
        assert "not found" in problem(session.evaluate(f"require '{name}'")).message


def test_a_folder_that_is_itself_a_link(tmp_path: Path, folder: Path, write: Files) -> None:
    write({"m.lua": "return 'through a link'"})
    link = tmp_path / "link"
    link.symlink_to(folder)
    with Session.open(folders=[link]) as session:
        assert value(session, "(require 'm')") == "through a link"


# package, dofile, loadfile.


def test_package(session: Session, write: Files) -> None:
    write({"src/m.lua": "return 'src'", "m.txt": "return 'txt'"})
    assert session.evaluate("package.path, package.cpath, #package.searchers").values == (
        "?.lua;?/init.lua", "", 4,
    )  # fmt: skip
    assert value(session, "package.config:sub(1, 1)") == "/"
    session.evaluate("package.path = 'src/?.lua;' .. package.path")
    assert session.evaluate("require 'm'").values == ("src", "src/m.lua")
    session.evaluate("package.loaded.m = nil package.path = '?.txt'")
    assert session.evaluate("require 'm'").values == ("txt", "m.txt")


def test_a_searcher_of_the_program(session: Session) -> None:
    session.evaluate(
        "table.insert(package.searchers, function(name) "
        "return function(...) return 'made for ' .. name end, 'extra' end)"
    )
    assert session.evaluate("require 'anything'").values == ("made for anything", "extra")


def test_searchpath(session: Session, write: Files) -> None:
    write({"a/b.lua": "return 1"})
    assert value(session, "package.searchpath('a.b', package.path)") == "a/b.lua"
    nothing, message = session.evaluate("package.searchpath('x.y', package.path)").values
    assert (nothing, message) == (None, "no file 'x/y.lua'\n\tno file 'x/y/init.lua'")


def test_native_libraries(session: Session) -> None:
    nothing, message, where = session.evaluate("package.loadlib('x.so', 'luaopen_x')").values
    assert nothing is None
    assert isinstance(message, str)
    assert "dynamic libraries not enabled" in message
    assert where == "absent"


def test_dofile_and_loadfile(session: Session, write: Files) -> None:
    write({"a.lua": "x = (x or 0) + 1 return x, ...", "bad.lua": "x = = 1"})
    assert session.evaluate("dofile 'a.lua'").values == (1,)
    assert session.evaluate("dofile 'a.lua'").values == (2,)
    assert session.evaluate("loadfile('a.lua')('argument')").values == (3, "argument")
    assert value(session, "select('#', dofile())") == 0, "there is no standard input"
    nothing, message = session.evaluate("loadfile 'nothing.lua'").values
    assert nothing is None
    assert isinstance(message, str)
    assert message.startswith("cannot open nothing.lua")
    nothing, message = session.evaluate("loadfile 'bad.lua'").values
    assert message == "bad.lua:1: unexpected symbol near '='"
    found = problem(session.evaluate("\ndofile 'bad.lua'", name="main.lua"))
    assert found.message.endswith("unexpected symbol near '='")


def test_an_environment_for_a_file(session: Session, write: Files) -> None:
    write({"set.lua": "made = 1"})
    session.evaluate("env = {} loadfile('set.lua', 't', env)()")
    assert session.evaluate("env.made, made").values == (1, None)
