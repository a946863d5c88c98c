"""Tries an installation from outside: the library, the command line, the server.

It runs with the Python of that installation, in a place where nothing of this tree can be imported
but `tools/editor.py`, which is copied there: see `try_out`.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def try_out(python: Path, folder: Path) -> str:
    """Runs this file with another Python, in a new folder; what it prints."""
    (folder / "tools").mkdir(parents=True)
    shutil.copy(__file__, folder / "smoke.py")
    shutil.copy(ROOT / "tools/editor.py", folder / "tools/editor.py")
    # Neither the paths nor the settings of the tests' own environment.
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("PYTHON") and name != "VIRTUAL_ENV"
    }
    done = subprocess.run(
        [str(python), "smoke.py"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def library() -> None:
    from lua_ls_persist import Session

    with Session.open("library.db") as session:
        assert session.evaluate("function Memory.hit() Memory.n = (Memory.n or 0) + 1 end").ok
        assert session.evaluate("for i = 1, 9 do ext.table('rows')[i] = { n = i } end").ok
    with Session.open("library.db") as session:
        assert session.evaluate("Memory.hit() Memory.hit() return Memory.n").text == "2"
        assert session.evaluate("return ext.count('rows', { where = { 'n', '>', 4 } })").text == "5"


def command_line() -> None:
    name = "lua-ls-persist.exe" if os.name == "nt" else "lua-ls-persist"
    program = str(Path(sys.executable).parent / name)

    def run(*arguments: str) -> str:
        done = subprocess.run([program, *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    assert version("lua-ls-persist") in run("--version")
    run("eval", "--db", "terminal.db", "-e", "Memory.kept = 6 * 7")
    assert run("eval", "--db", "terminal.db", "-e", "Memory.kept") == "42\n"
    run("doctor")


async def server() -> None:
    from tools.editor import open_folder

    folder = Path.cwd() / "workspace"
    folder.mkdir()
    file = folder / "count.lua"
    file.write_text("Memory.count = (Memory.count or 0) + 1\nreturn Memory.count\n")
    for expected in ("1", "2"):  # Two editors, one after the other.
        async with open_folder(folder) as editor:
            editor.open(file)
            view = await editor.evaluate(file)
        assert view.result["text"] == expected, view.result


if __name__ == "__main__":
    import lua_ls_persist

    assert Path(lua_ls_persist.__file__).is_relative_to(sys.prefix), lua_ls_persist.__file__
    library()
    command_line()
    asyncio.run(asyncio.wait_for(server(), 60))
    print("works")
