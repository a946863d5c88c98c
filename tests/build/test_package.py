"""The packages: what is in them, and that they work where there is neither Zig nor a network."""

from __future__ import annotations

import os
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from lua_ls_persist._version import __version__
from tests.build import smoke
from tests.project.files import ROOT
from wasm_core import build as core

pytestmark = pytest.mark.slow

WHEEL_SIZE_BYTES_MAX = 1024 * 1024


@dataclass(frozen=True)
class Packages:
    wheel: Path
    sdist: Path


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Packages:
    """The sdist of this tree and the wheel of that sdist, made without Zig or a network."""
    core.build()
    no_zig = tmp_path_factory.mktemp("no-zig")
    (no_zig / "ziglang").mkdir()
    (no_zig / "ziglang" / "__init__.py").touch()
    (no_zig / "ziglang" / "__main__.py").write_text("raise SystemExit('Zig was started')")
    folder = tmp_path_factory.mktemp("packages")
    run(
        [sys.executable, "-m", "build", "--no-isolation", "--outdir", str(folder), str(ROOT)],
        {"PYTHONPATH": str(no_zig), "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": ""},
    )
    (wheel,) = folder.glob("*.whl")
    (sdist,) = folder.glob("*.tar.gz")
    return Packages(wheel, sdist)


def run(
    command: list[str], environment: dict[str, str] | None = None, cwd: Path | None = None
) -> str:
    done = subprocess.run(
        command,
        env={**os.environ, **(environment or {})},
        cwd=cwd,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_wheel_has_the_package_with_the_core_and_nothing_else(packages: Packages) -> None:
    assert packages.wheel.name == f"lua_ls_persist-{__version__}-py3-none-any.whl"
    assert packages.wheel.stat().st_size < WHEEL_SIZE_BYTES_MAX
    with zipfile.ZipFile(packages.wheel) as archive:
        names = set(archive.namelist())
        assert archive.read("lua_ls_persist/vm/lua_core.wasm") == core.OUTPUT.read_bytes()
    information = f"lua_ls_persist-{__version__}.dist-info"
    assert {name.partition("/")[0] for name in names} == {"lua_ls_persist", information}
    assert "lua_ls_persist/py.typed" in names
    assert f"{information}/licenses/LICENSE" in names
    assert f"{information}/licenses/THIRD_PARTY_NOTICES.md" in names
    prelude = {path.name for path in (core.HERE.parent / "lua" / "prelude").glob("*.lua")}
    assert {f"lua_ls_persist/prelude/{name}" for name in prelude} <= names
    suffixes = {Path(name).suffix for name in names if name.startswith("lua_ls_persist/")}
    assert suffixes <= {".py", ".typed", ".wasm", ".lua"}


def test_the_sdist_has_what_building_and_testing_need(packages: Packages) -> None:
    with tarfile.open(packages.sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {
        "Makefile",
        "README.md",
        "constraints.txt",
        "lua/examples/closures.lua",
        "lua/prelude/batch.lua",
        "lua_ls_persist/vm/lua_core.wasm",
        "lua_ls_persist/vm/lua_core.stamp",
        "pyproject.toml",
        "tests/conftest.py",
        "wasm_core/build.py",
        "wasm_core/src/main.zig",
    } <= names
    unwanted = {".venv", ".cache", ".build", ".git", "__pycache__", ".mypy_cache", "node_modules"}
    assert [name for name in names if unwanted.intersection(name.split("/"))] == []


def without_core(sdist: Path, folder: Path) -> Path:
    """The tree of a source distribution whose core must be compiled, as one from a repository."""
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    (tree,) = folder.iterdir()
    for name in ("lua_core.wasm", "lua_core.stamp"):
        (tree / "lua_ls_persist/vm" / name).unlink()
    return tree


@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", ["wheel", "sources"])
def test_what_is_installed_in_a_clean_place_works(
    kind: str, packages: Packages, tmp_path: Path
) -> None:
    """With the dependencies from the index; from sources the core is compiled as well."""
    venv = tmp_path / "venv"
    run([sys.executable, "-m", "venv", str(venv)])
    python = venv / ("Scripts" if os.name == "nt" else "bin") / "python"
    given = packages.wheel if kind == "wheel" else without_core(packages.sdist, tmp_path / "tree")
    run([str(python), "-I", "-m", "pip", "install", "--quiet", str(given)], cwd=tmp_path)
    assert smoke.try_out(python, tmp_path / "place") == "works\n"
