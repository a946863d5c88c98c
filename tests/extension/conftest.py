"""The extension as built from these sources, for tests in a real VS Code."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tools import extension, node_tools


@pytest.fixture(scope="session")
def built() -> Path:
    """The package of the extension; its tests are compiled beside it.

    Without a browser there is nothing to run them in: then they are left out, except in CI.
    """
    try:
        node_tools.chromium()
    except node_tools.ToolError as error:
        if os.environ.get("LUA_PERSIST_BROWSER") == "required":
            raise
        pytest.skip(str(error))
    # Several processes may run parts of these tests: the first one builds for all of them.
    run = os.environ.get("PYTEST_XDIST_TESTRUNUID", str(os.getpid()))
    done = node_tools.TOOLS / "built"
    with node_tools.only_one("tests"):
        if not done.exists() or done.read_text(encoding="utf-8") != run:
            extension.package()
            extension.bundle_tests()
            node_tools.code_server()
            done.write_text(run, encoding="utf-8")
    return extension.package_path()
