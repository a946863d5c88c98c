"""Configurations of editors that cannot be run here: what they start is a server that works."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.editors.harness import DOCUMENTS, PROGRAM, code_blocks, prepared
from tests.server.fuzz.raw_client import RawClient


def of_sublime() -> tuple[list[str], Any]:
    client = json.loads(code_blocks("sublime.md")[0])["clients"]["lua-ls-persist"]
    assert client["enabled"]
    assert client["selector"] == "source.lua"
    return client["command"], client["initializationOptions"]


def of_zed() -> tuple[list[str], Any]:
    (block,) = code_blocks("zed.md")
    server = json.loads(block)["lsp"]["lua-language-server"]
    binary = server["binary"]
    return [binary["path"], *binary["arguments"]], server["initialization_options"]


def of_helix() -> tuple[list[str], Any]:
    tomllib = pytest.importorskip("tomllib", reason="Python 3.10 reads no TOML")
    languages, editor = map(tomllib.loads, code_blocks("helix.md"))
    assert editor["editor"]["lsp"]["display-inlay-hints"] is True
    (lua,) = languages["language"]
    assert lua["name"] == "lua"
    assert "lua-ls-persist" in lua["language-servers"]
    server = languages["language-server"]["lua-ls-persist"]
    return [server["command"], *server["args"]], server["config"]


@pytest.mark.parametrize("configuration", [of_sublime, of_zed, of_helix])
def test_what_is_started_evaluates(
    configuration: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command, options = configuration()
    home = prepared(tmp_path, "", ".none").parent
    monkeypatch.setenv("PATH", os.pathsep.join([str(home), os.environ["PATH"]]))
    client = RawClient(tmp_path, log=tmp_path / "log.txt", command=command)
    client.initialize(options=options)
    uri = f"{tmp_path.as_uri()}/main.lua"
    item = {"uri": uri, "languageId": "lua", "version": 1, "text": PROGRAM}
    client.notify("textDocument/didOpen", {"textDocument": item})
    assert client.run("evaluateFile", {"uri": uri})["output"][0]["text"] == "count\t1\n"
    assert not [one for one in client.notifications if one["method"] == "window/showMessage"]
    assert client.close() == 0


def test_every_page_is_linked() -> None:
    index = (DOCUMENTS / "README.md").read_text(encoding="utf-8")
    pages = sorted(file.name for file in DOCUMENTS.glob("*.md") if file.name != "README.md")
    assert [page for page in pages if f"({page})" not in index] == []
