"""The Lua programs to be timed: where they are and what each must return."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent
PROGRAMS_FOLDER = FOLDER / "programs"
OPERATIONS_FOLDER = FOLDER / "operations"
COROUTINE_PROGRAM = "coroutines"

_EXPECT = re.compile(r"^-- expect: (.*)$", re.MULTILINE)
_COUNT = re.compile(r"^-- count: (\d+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Program:
    """A Lua file that computes something and returns it as one string or number."""

    name: str
    path: Path
    source: str
    expect: str
    """What `tostring` of the result must be, in every VM."""
    count: int
    """How often the file does the one operation it is about; 1 for a whole program."""


def read_program(path: Path) -> Program:
    """Return the program in `path`, whose opening comment states the result.

    Raises:
        ValueError: the file has no `-- expect:` line.
    """
    source = path.read_text(encoding="utf-8")
    expect = _EXPECT.search(source)
    if expect is None:
        raise ValueError(f"{path.name} has no `-- expect:` line that states its result.")
    count = _COUNT.search(source)
    return Program(path.stem, path, source, expect[1], int(count[1]) if count else 1)


def read_programs(folder: Path = PROGRAMS_FOLDER) -> tuple[Program, ...]:
    """Return all programs of a folder, by name."""
    return tuple(read_program(path) for path in sorted(folder.glob("*.lua")))
