"""What the project's files may not contain: traces of one machine, of one registry, of a build."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.project.files import ROOT, project_files

# Written in pieces, so that this file passes its own test.
REGISTRY_HOSTS = tuple(
    "".join(pieces)
    for pieces in (
        ("py", "pi.org"),
        ("pythonhosted", ".org"),
        ("registry.", "npmjs"),
        ("npmjs", ".org"),
        ("npmjs", ".com"),
        ("registry.", "yarnpkg"),
        ("proxy.", "golang"),
        ("crates", ".io"),
        ("anaconda", ".org"),
    )
)
MACHINE_PATHS = tuple("/" + name + "/" for name in ("work", "root", "opt", "Users"))

# Built, downloaded or recorded elsewhere: never committed.
UNWANTED_SUFFIXES = {".wasm", ".whl", ".gz", ".so", ".o", ".pyc", ".vsix", ".db", ".cwasm"}
UNWANTED_NAMES = {"uv.lock", "pylock.toml", "poetry.lock", "Pipfile.lock", "yarn.lock"}
UNWANTED_FOLDERS = {"node_modules", "dist", ".venv", ".cache", "__pycache__", ".lua-persist"}

SIZE_BYTES_MAX = 1024 * 1024


def findings(text: str) -> list[str]:
    found = [host for host in REGISTRY_HOSTS if host in text.lower()]
    # A path starts where no path goes on: `https://host/root/x` and `a/opt/b` name no place here.
    found += [path for path in MACHINE_PATHS if re.search(rf"(?<![\w.~*/}}-]){path}", text)]
    return found


FILES = project_files()


def text_of(path: Path) -> str | None:
    content = path.read_bytes()
    return None if b"\0" in content else content.decode("utf-8", errors="replace")


def test_the_listing_is_not_empty() -> None:
    assert ROOT / "pyproject.toml" in FILES
    assert ROOT / "lua_ls_persist" / "errors.py" in FILES


def test_no_registry_host_and_no_machine_path() -> None:
    found = {
        str(path.relative_to(ROOT)): names
        for path in FILES
        if (text := text_of(path)) is not None and (names := findings(text))
    }
    assert found == {}


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ('"resolved": "https://' + REGISTRY_HOSTS[2] + '.org/x.tgz"', 2),
        ("see https://" + REGISTRY_HOSTS[0].upper() + "/simple", 1),
        ("cd " + MACHINE_PATHS[0] + "main", 1),
        ("'" + MACHINE_PATHS[1] + ".config'", 1),
        ("file:///tmp/a.lua and https://example.org/root/x", 0),
    ],
)
def test_the_check_sees_hosts_and_paths(text: str, count: int) -> None:
    assert len(findings(text)) == count


def test_nothing_that_is_built_or_downloaded_is_committed() -> None:
    unwanted = [
        str(path.relative_to(ROOT))
        for path in FILES
        if path.suffix in UNWANTED_SUFFIXES
        or path.name in UNWANTED_NAMES
        or UNWANTED_FOLDERS.intersection(path.relative_to(ROOT).parts)
        or path.stat().st_size > SIZE_BYTES_MAX
    ]
    assert unwanted == []


def test_lua_itself_is_not_committed() -> None:
    mark = "Lua.org, PUC-Rio."  # how each of Lua's own headers and the notice of `lua.h` end
    copies = [
        str(path.relative_to(ROOT))
        for path in FILES
        if path.suffix in {".c", ".h"} and mark in (text_of(path) or "")
    ]
    assert copies == []


@pytest.fixture(scope="module")
def empty_repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A repository with our `.gitignore` and nothing else: this may run outside of ours."""
    folder = tmp_path_factory.mktemp("repository")
    subprocess.run(["git", "init", "--quiet", folder], check=True)
    shutil.copy(ROOT / ".gitignore", folder)
    return folder


@pytest.mark.parametrize(
    "name",
    [
        "lua_ls_persist/vm/lua_core.wasm",
        "wasm_core/.cache/lua-5.4.8/src/lua.h",
        ".venv/bin/python",
        "dist/lua_ls_persist-0.1.0.tar.gz",
        "vscode-extension/node_modules/x/index.js",
        ".lua-persist/session.db",
        "lua/examples/.lua-persist/session.db-wal",
    ],
)
def test_ignored(name: str, empty_repository: Path) -> None:
    status = subprocess.run(
        ["git", "check-ignore", "--quiet", name], cwd=empty_repository, check=False
    ).returncode
    assert status == 0, f"{name} is not ignored"
