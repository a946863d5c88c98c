"""The package of the extension: what is in it, and how large it is."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from lua_ls_persist._version import __version__
from tools.node_tools import EXTENSION

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]

SIZE_BYTES_MAX = 3 * 1000 * 1000
"""Beside the server's wheel."""


def test_the_package_has_what_runs_and_nothing_else(built: Path) -> None:
    with zipfile.ZipFile(built) as archive:
        names = {name.removeprefix("extension/") for name in archive.namelist()}
    wheels = {name for name in names if name.endswith(".whl")}
    assert wheels == {f"dist/server/lua_ls_persist-{__version__}-py3-none-any.whl"}
    own = {
        path.relative_to(EXTENSION).as_posix()
        for folder in ("media", "snippets", "walkthrough")
        for path in (EXTENSION / folder).iterdir()
    }
    pages = ("grid.js", "grid.css", "import.js", "import.css", "plot.js")
    compiled = {"dist/extension.js", *(f"dist/media/{name}" for name in pages)}
    texts = {"package.json", "readme.md", "changelog.md", "LICENSE.txt"}
    of_the_format = {"[Content_Types].xml", "extension.vsixmanifest"}
    assert names == wheels | own | compiled | texts | of_the_format


def test_every_file_that_the_manifest_names_is_in_it(built: Path) -> None:
    with zipfile.ZipFile(built) as archive:
        names = {name.removeprefix("extension/") for name in archive.namelist()}
        manifest = json.loads(archive.read("extension/package.json"))
    contributes = manifest["contributes"]
    named = [manifest["main"], manifest["icon"]]
    named += [snippets["path"] for snippets in contributes["snippets"]]
    named += [box["icon"] for box in contributes["viewsContainers"]["activitybar"]]
    for walkthrough in contributes["walkthroughs"]:
        named += [
            walkthrough["icon"],
            *(step["media"]["markdown"] for step in walkthrough["steps"]),
        ]
    assert {name.removeprefix("./") for name in named} - names == set()


def test_the_package_is_small(built: Path) -> None:
    with zipfile.ZipFile(built) as archive:
        wheel = sum(
            entry.compress_size for entry in archive.infolist() if entry.filename.endswith(".whl")
        )
    size = built.stat().st_size
    print(f"{size:,} bytes, of these {wheel:,} of the wheel")
    assert size - wheel < SIZE_BYTES_MAX
