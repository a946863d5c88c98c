"""The extension as built from these sources, for tests in a real VS Code."""

from __future__ import annotations

import os

import pytest

from tools import extension, node_tools


@pytest.fixture(scope="session")
def built() -> None:
    """The extension and its tests, compiled.

    Without a browser there is nothing to run them in: then they are left out, except in CI.
    """
    try:
        node_tools.chromium()
    except node_tools.ToolError as error:
        if "CI" in os.environ:
            raise
        pytest.skip(str(error))
    with node_tools.only_one():
        extension.bundle(tests=True)
        extension.wheel()
        node_tools.code_server()
