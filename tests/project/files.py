"""The files of the project, for the tests that look at all of them."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "lua_ls_persist"

NOT_PART_OF_A_SOURCE_TREE = {
    ".venv", ".build", ".cache", ".git", "__pycache__", "node_modules", "dist", "build", "htmlcov",
    ".mypy_cache", ".ruff_cache", ".pytest_cache", ".hypothesis", ".zig-cache", "zig-out", ".tools",
}  # fmt: skip


def project_files() -> list[Path]:
    """Every file that is committed or would be: tracked ones, and new ones that are not ignored."""
    if (ROOT / ".git").exists():
        listing = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
        ).stdout
        files = [ROOT / name for name in listing.split("\0") if name]
    else:  # an unpacked source distribution
        files = [
            path
            for path in ROOT.rglob("*")
            if not NOT_PART_OF_A_SOURCE_TREE.intersection(path.relative_to(ROOT).parts)
            and path.suffix not in {".wasm", ".pyc", ".stamp"}
        ]
    return sorted(path for path in files if path.is_file())
