"""docs/performance.md names every part of the benchmarks and every bar, and no other."""

from __future__ import annotations

import math
import re
from pathlib import Path

from benchmarks import bars
from benchmarks.__main__ import PARTS
from benchmarks.bars import Bar


def text(project_root: Path) -> str:
    return (project_root / "docs" / "performance.md").read_text(encoding="utf-8")


def test_every_part_is_described(project_root: Path) -> None:
    described = re.findall(r"^\| `(\w+)` \|", text(project_root), re.MULTILINE)
    assert sorted(described) == sorted(PARTS)


def test_the_limits_are_those_of_the_code(project_root: Path) -> None:
    section = text(project_root).partition("## Bars")[2].partition("\n## ")[0]
    table = [line for line in section.splitlines() if line.startswith("| ")][1:]
    documented = [
        tuple(re.findall(r"[\d.]+", cell) for cell in line.strip("|").split("|")[1:])
        for line in table
    ]
    defined = [
        (
            [] if bar.limit == math.inf else [f"{bar.limit:g}"],
            [] if bar.aim is None else [f"{bar.aim:g}"],
        )
        for bar in vars(bars).values()
        if isinstance(bar, Bar)
    ]
    assert sorted(documented) == sorted(defined)
