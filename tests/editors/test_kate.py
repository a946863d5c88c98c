"""A real Kate, without a screen, with the configuration that we recommend; what it and we said."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lua_ls_persist.server.framing import Frames
from tests.editors.harness import MAY_BE_MISSING, ROOT, code_blocks

KATE = shutil.which("kate")
TIMEOUT_S = 60.0
RECORDING = """\
#!/bin/sh
tee "{folder}/asked" | "{python}" -m lua_ls_persist "$@" | tee "{folder}/answered"
"""

pytestmark = pytest.mark.skipif(
    KATE is None and MAY_BE_MISSING, reason="Kate is not installed; on Debian: kate"
)


class Kate:
    """A Kate with one file, and what goes between it and the server."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.document = folder / "main.lua"
        home = folder / "home"
        settings = home / ".config" / "kate" / "lspclient" / "settings.json"
        settings.parent.mkdir(parents=True)
        settings.write_text(code_blocks("kate.md")[0], encoding="utf-8")
        program = home / "lua-ls-persist"
        allowed = f"[lspclient]\nAllowedServerCommandLines={program} serve\n"
        plugin = "[Kate Plugins]\nlspclientplugin=true\n"
        (home / ".config" / "katerc").write_text(allowed + plugin, encoding="utf-8")
        session = home / ".local" / "share" / "kate" / "anonymous.katesession"
        session.parent.mkdir(parents=True)
        session.write_text(plugin, encoding="utf-8")
        program.write_text(RECORDING.format(folder=folder, python=sys.executable))
        program.chmod(0o755)
        (folder / ".lua-persist").mkdir()
        self.document.write_text("local x = = 1\nfunction f() end\n", encoding="utf-8")
        self.errors = (folder / "errors").open("wb")
        home.chmod(0o700)
        assert KATE is not None
        self.process = subprocess.Popen(
            [KATE, "-b", str(self.document)],
            env=os.environ
            | {
                "HOME": str(home),
                "PATH": os.pathsep.join([str(home), os.environ["PATH"]]),
                "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]),
                "QT_QPA_PLATFORM": "offscreen",
                "XDG_RUNTIME_DIR": str(home),
                "XDG_CONFIG_HOME": str(home / ".config"),
                "XDG_DATA_HOME": str(home / ".local" / "share"),
            },
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=self.errors,
        )

    def said(self, who: str, method: str) -> Any:
        """The parameters of the first message of a method that one of them sends."""
        end = time.monotonic() + TIMEOUT_S
        while time.monotonic() < end and self.process.poll() is None:
            for message in self._messages(who):
                if message.get("method") == method:
                    return message["params"]
            time.sleep(0.05)
        raise AssertionError(f"nobody said {method}: {list(self._messages(who))}")

    def answer(self, method: str) -> Any:
        """The answer to the first request of a method."""
        self.said("asked", method)
        (id_, *_) = [one["id"] for one in self._messages("asked") if one.get("method") == method]
        end = time.monotonic() + TIMEOUT_S
        while time.monotonic() < end:
            for message in self._messages("answered"):
                if message.get("id") == id_ and "method" not in message:
                    return message
            time.sleep(0.05)
        raise AssertionError(f"{method} was not answered")

    def _messages(self, who: str) -> Iterator[dict[str, Any]]:
        file = self._folder / who
        for body in Frames().feed(file.read_bytes() if file.exists() else b""):
            yield json.loads(body)


@pytest.fixture(scope="module")
def kate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kate]:
    kate = Kate(tmp_path_factory.mktemp("kate"))
    yield kate
    kate.process.terminate()
    kate.process.wait(TIMEOUT_S)
    kate.errors.close()


def test_it_opens_the_file(kate: Kate) -> None:
    opened = kate.said("asked", "textDocument/didOpen")["textDocument"]
    assert opened["uri"] == kate.document.as_uri()
    assert opened["text"] == kate.document.read_text(encoding="utf-8")


def test_it_hears_of_the_error(kate: Kate) -> None:
    (diagnostic,) = kate.said("answered", "textDocument/publishDiagnostics")["diagnostics"]
    assert diagnostic["message"] == "unexpected symbol near '='"
    assert diagnostic["range"]["start"] == {"line": 0, "character": 10}


def test_it_gets_the_symbols(kate: Kate) -> None:
    symbols = kate.answer("textDocument/documentSymbol")["result"]
    assert "f" in [symbol["name"] for symbol in symbols]
