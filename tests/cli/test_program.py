"""The program as a whole: help, version, quick start-up, and documentation that names it all."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from lua_ls_persist import session
from lua_ls_persist._version import __version__
from lua_ls_persist.cli.parameters import seconds, size_bytes
from lua_ls_persist.cli.program import program
from tests.cli.conftest import TIMEOUT_S, Cli, Start

ROOT = Path(__file__).parents[2]
COMMANDS = [
    "eval",
    "repl",
    "serve",
    "tables",
    "functions",
    "call",
    "recompile",
    "backup",
    "restore",
    "export",
    "import",
    "collect",
    "compress",
    "set",
    "delete",
    "drop",
    "batch",
    "migrate",
    "query",
    "count",
    "aggregate",
    "explain",
    "index",
    "schema",
    "history",
    "undo",
    "redo",
    "diff",
    "doctor",
]


def options(command: click.Command) -> Iterator[click.Option]:
    """The options of a command and of those below it."""
    yield from (parameter for parameter in command.params if isinstance(parameter, click.Option))
    if isinstance(command, click.Group):
        for inner in command.commands.values():
            yield from options(inner)


def test_help_lists_the_commands(cli: Cli) -> None:
    result = cli("--help")
    assert (result.status, result.err) == (0, "")
    assert list(program.commands) == COMMANDS
    assert all(f"  {name} " in result.out for name in COMMANDS)
    assert cli("-h").out == result.out


@pytest.mark.parametrize("command", COMMANDS)
def test_each_command_has_help(cli: Cli, command: str) -> None:
    found = program.commands[command]
    inner = found.commands if isinstance(found, click.Group) else {}
    helps = [cli(*path, "--help") for path in ([command], *([command, name] for name in inner))]
    assert {(result.status, result.err) for result in helps} == {(0, "")}
    text = "".join(result.out for result in helps)
    for option in options(found):
        assert option.help
        assert option.opts[0] in text


def test_nothing_to_do_shows_the_help(cli: Cli) -> None:
    result = cli()
    assert result.status == 2
    assert "Usage: lua-ls-persist" in result.out + result.err


def test_the_version_names_program_and_lua(cli: Cli) -> None:
    result = cli("--version")
    assert (result.status, result.out) == (0, f"lua-ls-persist {__version__} (Lua 5.4.8)\n")


def test_the_help_tells_the_sessions_own_defaults() -> None:
    helps = {option.name: option.help or "" for option in options(program.commands["eval"])}
    memory = helps["memory_limit"].rpartition("Default: ")[2].rstrip(".")
    time = helps["time_limit"].rpartition("Default: ")[2].rstrip(".")
    assert size_bytes(memory) == session.MEMORY_LIMIT_BYTES_DEFAULT
    assert seconds(time) == session.TIME_LIMIT_S_DEFAULT


def test_the_documentation_names_every_command_and_option() -> None:
    text = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    for name in program.commands:
        assert f"## `{name}" in text, name
    for option in options(program):
        if option.name != "help":
            assert any(f"`{name}" in text for name in option.opts), option.opts


def test_ctrl_c_while_starting_is_quiet(monkeypatch: pytest.MonkeyPatch, cli: Cli) -> None:
    def pressed(*_arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("lua_ls_persist.cli.evaluate.evaluate", pressed)
    result = cli("eval", "-e", "1")
    assert (result.status, result.out, result.err.strip()) == (130, "", "")


@pytest.mark.parametrize("arguments", [["--help"], ["eval", "--help"], ["eval"]])
def test_starting_loads_nothing_that_is_not_needed(arguments: list[str]) -> None:
    script = (
        "import sys; from lua_ls_persist.cli import main; main(sys.argv[1:])\n"
        "heavy = ['apsw', 'lsprotocol', 'platformdirs', 'prompt_toolkit', 'pygls', 'pygments',\n"
        "         'tree_sitter', 'wasmtime']\n"
        "print('loaded:', *[name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=TIMEOUT_S,
    )
    assert done.stdout.splitlines()[-1] == "loaded:"


def test_evaluating_loads_no_editor_parts() -> None:
    script = (
        "import sys; from lua_ls_persist.cli import main; main(['eval', '-e', '1'])\n"
        "heavy = ['lsprotocol', 'prompt_toolkit', 'pygls', 'pygments', 'tree_sitter']\n"
        "print('loaded:', *[name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        check=True,
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=TIMEOUT_S,
    )
    assert done.stdout.splitlines() == ["1", "loaded:"]


def test_the_module_runs_as_the_program(start: Start) -> None:
    process = start("eval", "-e", "6 * 7")
    out, err = process.communicate(timeout=TIMEOUT_S)
    assert (process.returncode, out.split(), err) == (0, [b"42"], b"")
