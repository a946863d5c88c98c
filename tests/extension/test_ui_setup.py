"""The set-up of the server as a person meets it, and the trust that a person gives to a folder."""

from __future__ import annotations

import os
import socket
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from lua_ls_persist import Session
from tests.extension.host import server_command
from tests.extension.stories import FIRST, LOOK, check, run_stories, shots_folder
from tools.code_server import CodeServer
from tools.node_tools import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]

OLD_PYTHON = """\
#!/bin/sh
echo '[[3, 9, 2], "/usr/lib/python3.9", []]'
"""
THEIR_SETTINGS = '{ "luaPersist.databasePath": ".lua-persist/theirs.db" }'
"""What a folder brings along, and what counts only when it is trusted."""


@pytest.fixture
def stalled_index() -> Iterator[str]:
    """An index that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/simple"


@pytest.fixture
def refusing_index() -> Iterator[str]:
    """An index that takes no connections: its port is taken, and nobody listens at it."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}/simple"


def pip_settings(index: str) -> str:
    """A configuration of pip that knows this index alone."""
    return f"[global]\nindex-url = {index}\nextra-index-url =\nfind-links =\nretries = 0\n"


def working_pip_settings() -> str:
    """What pip is told by the environment here; the tests that exchange it tell it by a file."""
    given = os.environ.get("PIP_CONFIG_FILE")
    if given is not None:
        return Path(given).read_text(encoding="utf-8")
    lines = (
        f"{name.removeprefix('PIP_').lower().replace('_', '-')} = {value}"
        for name, value in os.environ.items()
        if name.startswith("PIP_")
    )
    return "\n".join(["[global]", *lines, ""])


def newer_wheel(wheel: Path, target: Path) -> None:
    """Another package with the same content, as the next version would be."""
    target.write_bytes(wheel.read_bytes())
    with zipfile.ZipFile(target, "a") as archive:
        archive.writestr("lua_ls_persist/newer.txt", "newer")


def test_the_set_up_where_nothing_is_as_it_should_be(
    built: Path, tmp_path: Path, stalled_index: str, refusing_index: str
) -> None:
    """No Python, an old one, no network, a cancelled set-up, a broken environment, an upgrade."""
    workspace, bin_folder, other = tmp_path / "first", tmp_path / "bin", tmp_path / "other"
    for folder in (workspace, bin_folder, other):
        folder.mkdir()
    (workspace / "first.lua").write_text(FIRST, encoding="utf-8")
    texts = {
        "stalled": pip_settings(stalled_index),
        "working": working_pip_settings(),
        "pip": pip_settings(refusing_index),
        "oldPython": OLD_PYTHON,
    }
    for name, text in texts.items():
        (other / name).write_text(text, encoding="utf-8")
    (other / "oldPython").chmod(0o755)
    (other / "python3").symlink_to(base_python())
    with zipfile.ZipFile(built) as archive:
        (wheel,) = (name for name in archive.namelist() if name.endswith(".whl"))
        newer_wheel(Path(archive.extract(wheel, tmp_path)), other / "newerWheel")
    places = {name: str(other / name) for name in (*texts, "newerWheel")}
    places |= {"python": str(other / "python3"), "bin": str(bin_folder)}
    # As started from a shell: else the editor would ask one what its PATH is.
    environment = {
        "PATH": str(bin_folder),
        "PIP_CONFIG_FILE": places["pip"],
        "VSCODE_CLI": "1",
    }
    with CodeServer(
        tmp_path / "profile",
        settings={**LOOK, "git.enabled": False},
        trust=False,
        environment=environment,
        without=[name for name in os.environ if name.startswith("PIP_")],
    ) as server:
        server.install(built)
        shots = shots_folder(tmp_path)
        check(run_stories(server, workspace, tmp_path, shots, ["setup"], places=places), ["setup"])


def base_python() -> str:
    """The Python that this environment was made with."""
    return str(Path(sys.executable).resolve())


def test_a_folder_is_trusted_while_it_is_open(built: Path, tmp_path: Path) -> None:
    """Its settings come into effect with the trust as well."""
    workspace = tmp_path / "theirs"
    (workspace / ".vscode").mkdir(parents=True)
    (workspace / "first.lua").write_text(FIRST, encoding="utf-8")
    place = workspace / ".lua-persist"
    place.mkdir()
    (workspace / ".vscode/settings.json").write_text(THEIR_SETTINGS, encoding="utf-8")
    with Session.open(place / "session.db") as session:
        assert session.evaluate('ext.table("cities").rome = { people = 2.8e6 }').ok
    settings = {"luaPersist.server.command": server_command(), **LOOK}
    with CodeServer(
        tmp_path / "profile", settings=settings, environment={"PYTHONPATH": str(ROOT)}
    ) as server:
        server.install(built)
        stories = run_stories(server, workspace, tmp_path, shots_folder(tmp_path), ["trust"])
    check(stories, ["trust"])
    with Session.open(place / "theirs.db") as session:
        assert session.evaluate("Memory.up()").text == "2"
