"""Clients with a server: `editor` under three profiles, `neovim` for what no profile changes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_lsp

from tests.server.editor import CONFIG, PROFILES, Client, Editor, typed


@typed(pytest_lsp.fixture(config=CONFIG))
async def client(lsp_client: Client) -> AsyncIterator[None]:
    """A client whose server is not initialized yet."""
    yield
    await lsp_client.shutdown_session()


@pytest.fixture
def unstarted(client: Client, tmp_path: Path) -> Editor:
    """For tests that initialize the server their own way."""
    return Editor(client, tmp_path)


@pytest.fixture(params=PROFILES)
async def editor(request: pytest.FixtureRequest, unstarted: Editor) -> Editor:
    await unstarted.start(request.param)
    return unstarted


@pytest.fixture
async def neovim(unstarted: Editor) -> Editor:
    await unstarted.start("neovim")
    return unstarted
