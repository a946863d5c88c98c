"""What the documents say is there, is there; what there is, is in the documents."""

from __future__ import annotations

import doctest
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import click
import pytest

from lua_ls_persist.cli.program import program
from tests.project.files import ROOT, project_files

DOCUMENTS = [path for path in project_files() if path.suffix == ".md"]
README = (ROOT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


def code_blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


# Documents.


@pytest.mark.parametrize(
    "name",
    ["README.md", "CHANGELOG.md", "LICENSE", "docs/architecture.md", "docs/cli.md",
     "docs/development.md"],
)  # fmt: skip
def test_the_document_exists(name: str) -> None:
    assert (ROOT / name).read_text(encoding="utf-8").strip() != ""


def anchors(text: str) -> set[str]:
    """The anchors that a renderer makes of a document's headings."""
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_links_lead_somewhere(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    prose = re.sub(r"^```.*?^```$|`[^`\n]*`", "", text, flags=re.MULTILINE | re.DOTALL)
    dead = []
    for target in re.findall(r"\]\(([^)\s]+)\)", prose):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = unquote(target).partition("#")
        place = path.parent / name if name else path
        if not place.exists() or (anchor and anchor not in anchors(place.read_text("utf-8"))):
            dead.append(target)
    assert dead == []


# The command line.


def commands(command: click.Command, name: str = "") -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        for child_name, child in command.commands.items():
            if not child.hidden:
                yield from commands(child, f"{name} {child_name}".strip())


COMMANDS = dict(commands(program))


def section_of(document: str, command: str) -> str:
    """The part of the document under the heading that names the command."""
    pattern = rf"^## `{re.escape(command)}`\n(.*?)(?=^## |\Z)"
    match = re.search(pattern, document, re.MULTILINE | re.DOTALL)
    assert match is not None, f"docs/cli.md has no heading `{command}`"
    return match[1]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_is_documented(name: str) -> None:
    document = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    section = section_of(document, name) if name else document
    missing = [
        option
        for parameter in COMMANDS[name].params
        if isinstance(parameter, click.Option) and not parameter.hidden
        for option in (*parameter.opts, *parameter.secondary_opts)
        if not re.search(rf"(?<![\w-]){re.escape(option)}(?![\w-])", section)
    ]
    assert missing == []


def test_no_option_is_documented_that_is_not_there() -> None:
    document = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    known = {
        option
        for command in COMMANDS.values()
        for parameter in command.params
        for option in (*parameter.opts, *parameter.secondary_opts)
    } | {"--help", "--version"}
    documented = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", document))
    assert documented - known == set()


# Examples.


def console_examples(text: str) -> Iterator[tuple[str, str]]:
    """Each `$` line, with what stands below it."""
    for block in code_blocks(text, "console"):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, printed = part.partition("\n")
            yield command, printed


def without_times(text: str) -> str:
    return re.sub(r'("duration_s": )[-0-9.e]+', r"\1...", text)


@pytest.mark.parametrize("name", ["README.md", "docs/cli.md", "docs/interchange.md"])
def test_console_examples_print_what_is_shown(name: str, tmp_path: Path) -> None:
    """`cat` shows a file that is there, or that the next examples use.

    A pipe to another program is not followed.
    """
    bin_folder = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{bin_folder}{os.pathsep}{os.environ['PATH']}"}
    tried = 0
    for command, printed in console_examples((ROOT / name).read_text(encoding="utf-8")):
        if command.startswith("cat "):
            file = tmp_path / command.removeprefix("cat ")
            if file.exists():
                assert file.read_text(encoding="utf-8") == printed
            file.write_text(printed, encoding="utf-8")
        elif " | jq " not in command:
            run = subprocess.run(
                ["/bin/sh", "-c", command],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                check=False,
                env=environment,
                cwd=tmp_path,
            )
            assert without_times(run.stdout) == without_times(printed), command
            tried += 1
    assert tried >= 2


def test_the_readme_s_python_examples() -> None:
    examples = code_blocks(README, "pycon")
    assert examples != []
    for number, block in enumerate(examples):
        test = doctest.DocTestParser().get_doctest(block, {}, f"README {number}", "README.md", 0)
        result = doctest.DocTestRunner(verbose=False).run(test)
        assert result.failed == 0
        assert result.attempted > 0


@pytest.mark.parametrize("path", DOCUMENTS, ids=name_of)
def test_every_make_target_that_is_named_exists(path: Path) -> None:
    targets = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE))
    text = path.read_text(encoding="utf-8")
    named = set(re.findall(r"(?:^|`)make (?:[A-Z]+=\S+ )?([a-z-]+)", text, re.MULTILINE))
    assert named - targets == set()


def test_every_make_target_is_documented() -> None:
    document = (ROOT / "docs" / "development.md").read_text(encoding="utf-8")
    targets = set(re.findall(r"^\.PHONY: ([a-z-]+)$", MAKEFILE, re.MULTILINE)) - {"help"}
    assert {target for target in targets if f"`make {target}`" not in document} == set()


def test_make_and_hand_install_the_same_way() -> None:
    """The commands for people without make are those that make runs."""
    recipes = [line.replace("$(BIN)/python -m pip", "pip") for line in MAKEFILE.splitlines()]
    by_make = {normal(line) for line in recipes if line.startswith("\tpip install")}
    by_hand = {
        normal(line.replace(".venv/bin/pip", "pip"))
        for block in code_blocks(README, "sh")
        for line in block.splitlines()
        if "pip install" in line
    }
    assert by_hand == by_make


def normal(command: str) -> frozenset[str]:
    """A command without the order of its words and without what only concerns the display."""
    return frozenset(command.split()) - {"--quiet", "--disable-pip-version-check"}
