"""`lua-ls-persist doctor`: shows what an examination of the installation has found."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path

from lua_ls_persist import examination
from lua_ls_persist.cli import exits
from lua_ls_persist.cli.progress import waited
from lua_ls_persist.cli.terminal import Terminal
from lua_ls_persist.examination import Report, examine


def doctor(as_json: bool, db: Path | None = None) -> int:
    """Examines the installation and a session's file, shows the report, gives the exit status."""
    terminal = Terminal()
    with waited("Examining"):
        report = examine(CHECKS, _paths(), _session_file(db))
    if as_json:
        terminal.write_utf8(json.dumps(asdict(report), ensure_ascii=False, indent=2) + "\n")
    else:
        _show(report, terminal)
    return exits.SUCCESS if report.ok else exits.PROBLEM


def mend(db: Path | None, target: Path, as_json: bool) -> int:
    """Writes what can be read of a damaged file to a new one, and tells what is lost."""
    from lua_ls_persist.cli.stored import file_of
    from lua_ls_persist.store import repair

    terminal = Terminal()
    source = file_of(db)
    with waited("Reading"):
        repaired = repair(source, target)
    if as_json:
        facts = asdict(repaired) | {"path": str(target), "repaired_from": str(source)}
        terminal.write_utf8(json.dumps(facts, ensure_ascii=False) + "\n")
        return exits.SUCCESS
    terminal.write(
        f"{target} has {repaired.tables} tables with {repaired.entries} entries and "
        f"{repaired.functions} functions of {source}.\n"
    )
    for sentence in repaired.lost:
        terminal.write(f"  {sentence}\n", style="error")
    if not repaired.lost:
        terminal.write("Nothing was lost.\n", style="mark")
    return exits.SUCCESS


def _paths() -> dict[str, str]:
    from lua_ls_persist.cli.interactive import history_path
    from lua_ls_persist.store import default_path

    return {
        "program": sys.argv[0],
        "session of this folder": str(default_path(Path.cwd(), create=False)),
        "history": str(history_path()),
    }


def _session_file(db: Path | None) -> Path | None:
    """The file to check: the one that was named, or that of the current folder if there is one."""
    from lua_ls_persist.store import default_path

    if db is not None:
        return db
    path = default_path(Path.cwd(), create=False)
    return path if path.exists() else None


def _check_server() -> str:
    from lua_ls_persist.server import serve

    return f"{serve.__module__} can be loaded"


CHECKS: dict[str, Callable[[], str]] = {
    **examination.CHECKS,
    "language server": _check_server,
}


def _show(report: Report, terminal: Terminal) -> None:
    sections: dict[str, Mapping[str, str | int]] = {
        "Versions": report.versions,
        "Core": report.core,
        "Paths": report.paths,
        "Cache": report.cache,
    }
    for title, facts in sections.items():
        terminal.write(f"{title}\n", style="faint")
        width = max(map(len, facts))
        for name, fact in facts.items():
            terminal.write(f"  {name.replace('_', ' '):{width}}  {fact}\n")
    terminal.write("Checks\n", style="faint")
    width = max(len(check.name) for check in report.checks)
    for check in report.checks:
        terminal.write(
            "  ok    " if check.ok else "  FAIL  ", style="mark" if check.ok else "error"
        )
        terminal.write(f"{check.name:{width}}  {check.detail} ({check.duration_s * 1000:.1f} ms)\n")
    failed = sum(not check.ok for check in report.checks)
    if report.ok:
        terminal.write("All is well.\n", style="mark")
    else:
        what = (
            f"{failed} of {len(report.checks)} checks failed" if failed else "the core is missing"
        )
        terminal.write(f"{what[0].upper()}{what[1:]}.\n", style="error")
