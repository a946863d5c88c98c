"""A session's file that cannot be written: what it has is shown, and storing is refused."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_lsp
from pygls.exceptions import JsonRpcException
from pytest_lsp import ClientServerConfig

from lua_ls_persist.session import Session, default_path
from tests.permissions import forbidding_folder
from tests.server.editor import Client, Editor, make_client, typed

__all__ = ["forbidding_folder"]

SERVER = (
    "from tests.permissions import obeying_modes; from lua_ls_persist.server import serve\n"
    "with obeying_modes(): serve()"
)
CONFIG = ClientServerConfig(
    server_command=[sys.executable, "-c", SERVER], client_factory=make_client
)


@typed(pytest_lsp.fixture(config=CONFIG))
async def client(lsp_client: Client) -> AsyncIterator[None]:
    yield
    await lsp_client.shutdown_session()


@pytest.fixture
def kept(client: Client, forbidding_folder: Path) -> Editor:
    """A read-only workspace with a session."""
    path = default_path(forbidding_folder)
    with Session.open(path) as session:
        assert session.evaluate("ext.table('users').ann = { age = 41 } global = 5").ok
    path.chmod(0o444)
    path.parent.chmod(0o555)
    return Editor(client, forbidding_folder)


def sentence(kept: Editor) -> str:
    path = default_path(kept.folder, create=False)
    return f"{path} is read-only: it can be looked at, but nothing can be stored in it."


async def test_the_views_show_what_there_is_and_a_message_why_not_more(kept: Editor) -> None:
    await kept.start("neovim")
    tables = (await kept.run("tables"))["tables"]
    assert [(table["name"], table["entries"]) for table in tables] == [("Memory", 0), ("users", 1)]
    rows = await kept.run("rows", {"table": "users"})
    assert [cell["text"] for cell in rows["rows"][0]["cells"]] == ["41"]
    assert rows["read_only"] is True
    assert len((await kept.run("history"))["evaluations"]) == 1
    assert [message.message for message in kept.client.messages] == [sentence(kept)]


async def test_what_reads_can_be_evaluated_and_what_stores_says_why_not(kept: Editor) -> None:
    await kept.start("neovim")
    reading = kept.open("return ext.table('users').ann.age + global", "reading.lua")
    assert (await kept.evaluate(reading))["text"] == "46"
    writing = kept.open("global = 6\next.table('users').bob = { age = 1 }", "writing.lua")
    result = await kept.evaluate(writing)
    assert not result["ok"]
    assert result["problems"][0]["message"].startswith(sentence(kept))
    assert (await kept.evaluate(reading))["text"] == "46"
    with pytest.raises(JsonRpcException, match="nothing can be stored in it"):
        await kept.run("undo")
    assert [message.message for message in kept.client.messages] == [sentence(kept)]
