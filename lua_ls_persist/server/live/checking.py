"""What looks wrong in a document to somebody who can see the VM: before it is run.

Owns the three checks: globals that nobody sets, fields that no row has and that are nearly one that
rows have, and calls with more arguments than the function takes. Each says nothing where it is not
sure. Must not know LSP types.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

from lua_ls_persist.server.analysis.library import LIBRARY
from lua_ls_persist.server.live.reading import Reading
from lua_ls_persist.server.live.schemas import fields_of_rows, is_closed
from lua_ls_persist.server.live.spelling import nearest
from lua_ls_persist.server.live.view import View
from lua_ls_persist.server.positions import Range
from lua_ls_persist.server.stdlib import documentation
from lua_ls_persist.session.sights import ANY, Question, Sight, Way

ASKED_MAX: Final = 300
"""So many values are looked up in the VM."""
FOUND_MAX: Final = 100

UNDEFINED_GLOBAL: Final = "undefined-global"
MISSPELT_FIELD: Final = "misspelt-field"
TOO_MANY_ARGUMENTS: Final = "too-many-arguments"


Meant: TypeAlias = dict[str, str | None]
"""By a name that nobody knows, the one that was probably meant."""
Aside: TypeAlias = Callable[[Callable[[], Meant]], Awaitable[Meant]]


@dataclass(frozen=True, slots=True)
class Checks:
    """Which are wanted."""

    undefined_globals: bool = True
    misspelt_fields: bool = True
    too_many_arguments: bool = True

    @property
    def any(self) -> bool:
        """Whether there is anything to do."""
        return self.undefined_globals or self.misspelt_fields or self.too_many_arguments


@dataclass(frozen=True, slots=True)
class Suspicion:
    """Something that looks wrong."""

    code: str
    text: str
    range: Range
    replacement: str | None = None
    """What was probably meant."""
    called: Range | None = None
    """Of a call: the function's name."""
    count: int = 0
    """Of a call: how many arguments there are, without what stands before a colon."""


async def suspicions(
    reading: Reading,
    view: View,
    checks: Checks,
    set_elsewhere: Callable[[str], bool],
    aside: Aside | None = None,
) -> list[Suspicion] | None:
    """Compares with the VM what was read of a document; None while the VM cannot be looked at.

    Args:
        reading: of the document.
        view: of the VM.
        checks: which are wanted.
        set_elsewhere: whether another document of the workspace sets a global.
        aside: does outside of the loop what takes long: to compare names with 10,000 others.
    """
    found: list[Suspicion] = []
    view.is_behind = False
    if checks.undefined_globals:
        found += await _undefined(reading, view, set_elsewhere, aside or _at_once)
    if checks.misspelt_fields:
        found += await _misspelt(reading, view)
        found += [
            Suspicion(MISSPELT_FIELD, one.text, one.range, one.meant)
            for one in reading.declared
            if one.name not in reading.written_fields
        ]
    if checks.too_many_arguments:
        found += await _too_many(reading, view)
    return None if view.is_behind else found[:FOUND_MAX]


async def _at_once(work: Callable[[], Meant]) -> Meant:
    return work()


async def _undefined(
    reading: Reading, view: View, set_elsewhere: Callable[[str], bool], aside: Aside
) -> list[Suspicion]:
    names = [name for name in reading.globals if name not in LIBRARY]
    if not names:
        return []
    everything = await view.see(Question(Way(), keys=True))
    if everything is None:
        return []
    known = frozenset[str]().union(*(part.names.known for part in everything.chain))
    missing = [name for name in names if name not in known][:ASKED_MAX]
    if not everything.complete:
        answers = await view.look([Question(Way((name,))) for name in missing])
        missing = [name for name, answer in zip(missing, answers, strict=True) if answer is None]
    missing = [name for name in missing if name not in documentation() and not set_elsewhere(name)]
    candidates = known | reading.written
    likely = await aside(lambda: {name: nearest(name, candidates) for name in missing[:FOUND_MAX]})
    found = []
    for name, meant in likely.items():
        text = f"undefined global '{name}': neither the VM has it nor is it set anywhere"
        if meant is not None:
            text = f"undefined global '{name}'; did you mean '{meant}'?"
        found += [
            Suspicion(UNDEFINED_GLOBAL, text, reading.at(start, name), meant)
            for start in reading.globals[name]
        ]
    return found


async def _misspelt(reading: Reading, view: View) -> list[Suspicion]:
    containers = list(dict.fromkeys(one.container for one in reading.fields))[:ASKED_MAX]
    own = [Question(container, keys=True) for container in containers]
    rows = [
        Question(_table_of(container), fields="elements", stored=True) for container in containers
    ]
    answers = await view.look([*own, *rows])
    known: dict[Way, tuple[Sight | None, Sight | None]] = {
        container: (answers[place], answers[place + len(own)])
        for place, container in enumerate(containers)
    }
    found = []
    for one in reading.fields:
        names = _known_fields(one.container, *known.get(one.container, (None, None)))
        if names is None or one.name in names or one.name in reading.written_fields:
            continue
        meant = nearest(one.name, names)
        if meant is not None:
            table = _table_of(one.container)
            text = f"no row of {table} has a field '{one.name}'; did you mean '{meant}'?"
            range_ = reading.at(one.start, one.name)
            found.append(Suspicion(MISSPELT_FIELD, text, range_, meant))
    return found


def _known_fields(container: Way, row: Sight | None, table: Sight | None) -> set[str] | None:
    """The fields that rows have; None where nobody knows."""
    if table is None or table.external_id is None or table.records is None:
        return None
    if not table.records.records and not is_closed(table):
        return None
    names = fields_of_rows(table)
    if row is not None and ANY not in container.steps:
        if row.type != "table" or not row.complete:
            return None
        names |= {key.key for key in row.listed() if isinstance(key.key, str)}
    return names


async def _too_many(reading: Reading, view: View) -> list[Suspicion]:
    ways = list(dict.fromkeys(one.function for one in reading.calls))[:ASKED_MAX]
    answers = dict(zip(ways, await view.look([Question(way) for way in ways]), strict=True))
    found = []
    for call in reading.calls:
        sight = answers.get(call.function)
        function = None if sight is None else sight.function
        if sight is None or function is None or function.c or function.is_vararg or sight.is_called:
            continue
        allowed = len(function.parameters) - call.is_method
        if call.count <= max(allowed, 0):
            continue
        extra = Range(
            reading.trimmed(call.arguments[max(allowed, 0)]).start,
            reading.trimmed(call.arguments[-1]).end,
        )
        takes = f"{max(allowed, 0)} argument{'' if allowed == 1 else 's'}"
        text = f"'{call.function}' takes {takes}, {call.count} are given"
        name = reading.scopes.range(*call.name)
        found.append(Suspicion(TOO_MANY_ARGUMENTS, text, extra, called=name, count=call.count))
    return found


def _table_of(row: Way) -> Way:
    return Way(row.steps[:-1], row.root, row.document)
