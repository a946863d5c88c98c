"""The server's text of a document is the client's, whatever edits come in whatever encoding."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from tests.server.fuzz.raw_client import RawClient
from tests.server.fuzz.test_protocol_fuzz import SOURCES, start
from tests.server.fuzz.texts import Mirror, random_edit


@pytest.fixture
def client(tmp_path: Path) -> Iterator[RawClient]:
    client = RawClient(tmp_path, log=tmp_path / "log.txt")
    yield client
    client.kill()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-16", "utf-32"])
@pytest.mark.parametrize("seed", range(3))
def test_texts_stay_the_same(client: RawClient, encoding: str, seed: int) -> None:
    random = Random(seed)
    start(client, encoding)
    mirrors = []
    for number, source in enumerate(SOURCES):
        uri = f"{client.folder.as_uri()}/{number}.lua"
        mirrors.append(Mirror(uri, source, encoding))
    for _ in range(200):
        mirror = random.choice(mirrors)
        changes = [random_edit(random, mirror) for _ in range(random.randint(1, 3))]
        mirror.version += 1
        client.notify(
            "textDocument/didChange",
            {
                "textDocument": {"uri": mirror.uri, "version": mirror.version},
                "contentChanges": changes,
            },
        )
        if random.random() < 0.2:
            client.begin("textDocument/inlayHint", _everything(mirror.uri))
        if random.random() < 0.1:
            assert client.run("content", {"uri": mirror.uri})["text"] == mirror.text
    for mirror in mirrors:
        assert client.run("content", {"uri": mirror.uri})["text"] == mirror.text


def _everything(uri: str) -> dict[str, Any]:
    end = {"line": 2**31 - 1, "character": 0}
    return {
        "textDocument": {"uri": uri},
        "range": {"start": {"line": 0, "character": 0}, "end": end},
    }
