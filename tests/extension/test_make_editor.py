"""`make editor`: a VS Code for trying by hand, as its recipe in the Makefile starts it."""

from __future__ import annotations

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.extension.stories import check, shots_folder, tell
from tools.node_tools import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


def recipe(target: str) -> list[str]:
    """The command of a target that has one."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    match = re.search(rf"^{target}:.*\n\t(.+)$", makefile, re.MULTILINE)
    assert match is not None
    return shlex.split(match[1].replace("$(BIN)/python", shlex.quote(sys.executable)))


@pytest.mark.usefixtures("built")
@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM], ids=["ctrl-c", "terminated"])
def test_it_is_served_until_it_is_ended(ending: signal.Signals, tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if "DISPLAY" not in name}
    with subprocess.Popen(
        recipe("editor"),
        cwd=ROOT,
        env={**environment, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().removeprefix("Open ").strip()
            assert (Path(parse_qs(urlsplit(url).query)["folder"][0]) / "closures.lua").exists()
            if ending is signal.SIGINT:
                check(tell(url, tmp_path, shots_folder(tmp_path), ["examples"], {}), ["examples"])
            process.send_signal(ending)
            assert process.wait(30) == 0
        finally:
            process.kill()
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", urlsplit(url).port)) != 0, "it is served still"
    assert list(tmp_path.glob("lua-persist-editor-*")) == []
