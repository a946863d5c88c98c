"""The VS Code extension says the same as the server and the documents, and names no registry."""

from __future__ import annotations

import json
import re
from typing import Any

from lua_ls_persist._version import __version__
from lua_ls_persist.server.commands import PREFIX
from lua_ls_persist.server.settings import SECTION, Settings
from lua_ls_persist.server.starting import COMMANDS
from tests.project.files import ROOT
from tools.extension import session_properties

MANIFEST: dict[str, Any] = json.loads((ROOT / "vscode-extension/package.json").read_text("utf-8"))
CONTRIBUTES = MANIFEST["contributes"]
GUIDE = (ROOT / "docs/editors/vscode.md").read_text(encoding="utf-8")
SERVER_GUIDE = (ROOT / "docs/editors/README.md").read_text(encoding="utf-8")


def groups() -> dict[str, dict[str, Any]]:
    return {group["title"]: group["properties"] for group in CONTRIBUTES["configuration"]}


def test_the_version_is_that_of_the_server() -> None:
    assert MANIFEST["version"] == __version__


def test_every_setting_is_documented_once() -> None:
    session = set(groups().pop("Session"))
    own = {name for title, group in groups().items() if title != "Session" for name in group}
    assert {name for name in own if f"`{name}`" not in GUIDE} == set()
    assert {name for name in session if f"`{name}`" not in SERVER_GUIDE} == set()


def test_the_settings_of_the_session_are_those_of_the_server() -> None:
    documented = set(re.findall(rf"^\| `({SECTION}\.[\w.]+)`", SERVER_GUIDE, re.MULTILINE))
    assert documented == set(groups()["Session"])
    # `python -m tools.extension settings` writes them.
    assert groups()["Session"] == session_properties()


def test_the_server_takes_every_default() -> None:
    session = session_properties()
    data = {name.removeprefix(f"{SECTION}."): entry["default"] for name, entry in session.items()}
    settings, wrong = Settings().updated(data)
    assert wrong == []
    assert settings == Settings()


def test_every_command_of_the_server_that_is_used_is_there() -> None:
    text = (ROOT / "vscode-extension/src/protocol.ts").read_text(encoding="utf-8")
    section = text.partition("export interface ServerCommands {\n")[2].partition("\n}\n")[0]
    used = set(re.findall(r"^  (\w+): \[", section, re.MULTILINE))
    assert "evaluateForm" in used
    assert used <= {command.id.removeprefix(PREFIX) for command in COMMANDS}


def test_every_command_of_the_palette_is_documented() -> None:
    hidden = {
        entry["command"]
        for entry in CONTRIBUTES["menus"]["commandPalette"]
        if entry["when"] == "false"
    }
    titles = {
        command["title"] for command in CONTRIBUTES["commands"] if command["command"] not in hidden
    }
    assert {title for title in titles if title.rstrip("…") not in GUIDE} == set()


def sources_of_editor_tests() -> str:
    """The tests of the extension, those inside of an editor and those before it."""
    files = (ROOT / "vscode-extension/test").glob("*/*.ts")
    return "".join(path.read_text(encoding="utf-8") for path in files)


def test_every_setting_is_changed_by_a_test_in_a_real_editor() -> None:
    tests = sources_of_editor_tests()
    missing = {
        name
        for properties in groups().values()
        for name in properties
        if f'"{name.removeprefix(SECTION + ".")}"' not in tests and f'"{name}"' not in tests
    }
    assert missing == set()


def test_every_command_is_run_by_a_test_in_a_real_editor() -> None:
    tests = sources_of_editor_tests()
    run = set(re.findall(r"\bexecute(?:<[^>]*>)?\(\s*COMMANDS\.(\w+)", tests))
    run |= set(re.findall(r"^ *\[COMMANDS\.(\w+), \"", tests, re.MULTILINE))  # Tables of cases.
    commands = {command["command"].rpartition(".")[2] for command in CONTRIBUTES["commands"]}
    assert commands - run == set()


def test_the_lock_file_has_no_addresses_of_packages() -> None:
    lock = json.loads((ROOT / "vscode-extension/package-lock.json").read_text(encoding="utf-8"))
    assert lock["packages"] != {}
    assert [name for name, entry in lock["packages"].items() if "resolved" in entry] == []
