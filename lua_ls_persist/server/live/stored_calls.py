"""What stored functions call, as far as their stored sources and what is stored say.

Owns the way from a call in such a source to the function that is called: through the variables that
the function has, through named tables, through what it declares itself, and through the globals of
the VM. Nothing is run. Must not know LSP types.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypeAlias

from lua_ls_persist.errors import SessionError
from lua_ls_persist.paths import Key, keys_of
from lua_ls_persist.server.analysis import Scopes, scopes_of
from lua_ls_persist.server.analysis.library import LIBRARY
from lua_ls_persist.server.analysis.nodes import Statement
from lua_ls_persist.server.analysis.symbols import Symbol, symbols_of
from lua_ls_persist.server.documents import Document
from lua_ls_persist.server.live.resolving import Resolver
from lua_ls_persist.server.live.view import View
from lua_ls_persist.server.positions import Range
from lua_ls_persist.server.virtual import function_page
from lua_ls_persist.session.sights import ANY, FunctionSight, Question, StoredWay, Way

if TYPE_CHECKING:
    from lua_ls_persist.model import StoredFunction

FUNCTIONS_MAX: Final = 2_000
"""Of so many stored functions the calls are known."""
LOOKED_AT_ONCE_MAX: Final = 200
"""So many globals: a look at the VM is given up when it takes long."""
CALLS_MAX: Final = 500
"""Of one function."""


@dataclass(frozen=True, slots=True)
class StoredCall:
    """A call in the source of a stored function."""

    range: Range
    """The name of what is called."""
    way: Way | None
    """Where the source says that it is; None: it is the function itself."""
    instead: StoredWay | None = None
    """Where it may be, too: beside the function, for what is called of `self`."""


@dataclass(frozen=True, slots=True)
class StoredSource:
    """The source of a stored function, read: its document is what a virtual document shows."""

    function: StoredFunction
    document: Document
    range: Range
    name_range: Range
    calls: tuple[StoredCall, ...]


Callee: TypeAlias = str | FunctionSight
"""The path of a stored function, or a function of the VM that is not stored."""


def source_of(function: StoredFunction, uri: str) -> StoredSource:
    """Reads the source of a stored function. Any thread."""
    document = Document.of_text(uri, function_page(function))
    scopes = scopes_of(document)
    range_ = _own_range(function, scopes)
    symbol = _own_symbol(function, document, scopes)
    name_range = Range(range_.start, range_.start)
    if symbol is not None:
        name_range = scopes.range(symbol.name_start, symbol.name_end)
        range_ = scopes.range(symbol.start, symbol.end)
    calls = _calls(function, scopes, range_, name_range)
    return StoredSource(function, document, range_, name_range, tuple(calls))


async def callees(
    view: View, sources: Sequence[StoredSource], functions: Sequence[StoredFunction]
) -> list[list[tuple[Callee, Range]]]:
    """What each of some stored functions calls, as far as that is known."""
    stored: dict[StoredWay, None] = {}
    live: dict[Way, None] = {}
    for source in sources:
        for call in source.calls:
            for way in _stored_ways(source.function, call):
                stored[way] = None
            if call.way is not None and _is_of_program(source.function, call.way):
                live[call.way] = None
    paths = dict(zip(stored, await view.reached(list(stored)), strict=True))
    seen: dict[Way, FunctionSight] = {}
    for start in range(0, len(live), LOOKED_AT_ONCE_MAX):
        some = list(live)[start : start + LOOKED_AT_ONCE_MAX]
        sights = await view.look([Question(one) for one in some])
        for one, sight in zip(some, sights, strict=True):
            if sight is not None and sight.function is not None and not sight.function.c:
                seen[one] = sight.function
    return [list(_found(source, paths, seen, functions)) for source in sources]


def stored_at(
    way: Way, sight: FunctionSight, functions: Sequence[StoredFunction]
) -> StoredFunction | None:
    """The stored function that one of the VM is, if it is one: of several the one of this name."""
    same = [
        one
        for one in functions
        if (one.chunk, one.line, one.last_line) == (sight.source, sight.line, sight.last_line)
    ]
    text, last = str(way), str(way.steps[-1]) if way.steps else ""
    same.sort(key=lambda one: (one.path != text, one.name != last))
    return same[0] if same else None


def is_at(function: StoredFunction, way: Way) -> bool:
    """Whether a way leads through the named tables to where a stored function is."""
    keys = _path_keys(function)
    if way.root is not None:
        return keys == [way.root, *way.steps]
    return way.is_global and way.steps[:1] == ("Memory",) and keys == list(way.steps)


def _found(
    source: StoredSource,
    paths: Mapping[StoredWay, str | None],
    seen: Mapping[Way, FunctionSight],
    functions: Sequence[StoredFunction],
) -> Iterator[tuple[Callee, Range]]:
    function = source.function
    for call in source.calls:
        if call.way is None:
            yield function.path, call.range
            continue
        path = next((paths[way] for way in _stored_ways(function, call) if paths.get(way)), None)
        if path is not None:
            yield path, call.range
        elif call.way in seen and _is_of_program(function, call.way):
            sight = seen[call.way]
            stored = stored_at(call.way, sight, functions)
            yield (sight if stored is None else stored.path), call.range


def _stored_ways(function: StoredFunction, call: StoredCall) -> Iterator[StoredWay]:
    """The ways through the store that a call may take, best first."""
    way = call.way
    if way is None:
        return
    if way.root is not None:
        yield StoredWay(_keys(way.steps), way.root)
    elif _is_upvalue(function, way):
        yield StoredWay(_keys(way.steps[1:]), function=function.path, upvalue=str(way.steps[0]))
    elif way.steps[:1] == ("Memory",):
        yield StoredWay(_keys(way.steps[1:]), "Memory")
    if call.instead is not None:
        yield call.instead


def _is_upvalue(function: StoredFunction, way: Way) -> bool:
    names = {upvalue.name for upvalue in function.upvalues}
    return way.is_global and bool(way.steps) and way.steps[0] in names


def _is_of_program(function: StoredFunction, way: Way) -> bool:
    """Whether a way begins with a global that only the VM has."""
    if not way.is_global or not way.steps or _is_upvalue(function, way):
        return False
    return way.steps[0] != "Memory" and way.steps[0] not in LIBRARY


def _keys(steps: Sequence[object]) -> tuple[Key, ...]:
    return tuple(step for step in steps if isinstance(step, (str, int, float, bool)))


def _calls(
    function: StoredFunction, scopes: Scopes, range_: Range, name_range: Range
) -> Iterator[StoredCall]:
    resolver = Resolver(scopes)
    own = _path_keys(function)
    count = 0
    for place in scopes.called():
        inside = range_.start <= place.start and place.end <= range_.end
        if not inside or place == name_range:
            continue
        count += 1
        if count > CALLS_MAX:
            return
        path = scopes.path_at(place.start)
        if path is None or path.base is None:
            continue
        if not path.steps and path.base.declaration == name_range:
            yield StoredCall(place, None)
            continue
        target = resolver.target(path)
        instead = None
        if path.base.text == "self" and len(own) > 1 and path.is_constant:
            keys = (*own[1:-1], *_keys(path.keys))
            instead = StoredWay(keys, str(own[0]))
        if isinstance(target, Way) and ANY not in target.steps:
            yield StoredCall(place, replace(target, document=None), instead)
        elif instead is not None:
            yield StoredCall(place, Way(("self", *_keys(path.keys))), instead)


def _own_symbol(function: StoredFunction, document: Document, scopes: Scopes) -> Symbol | None:
    """What defines the function by a name; of several on its row the one of its name."""
    last_row = function.last_line - function.line
    found = [
        inner
        for symbol in symbols_of(document)
        for inner, _ in symbol.walk()
        if inner.kind in ("function", "method")
        and scopes.position(inner.name_start).row == 0
        and scopes.position(inner.end).row == last_row
    ]
    named = [one for one in found if function.name and one.name.endswith(function.name)]
    return next(iter(named or found), None)


def _own_range(function: StoredFunction, scopes: Scopes) -> Range:
    """The function without a name that begins in the first row; else everything."""
    last_row = function.last_line - function.line
    stack: list[tuple[int, Statement]] = [(0, scopes.chunk.root)]
    found: list[Range] = []
    while stack:
        base, statement = stack.pop()
        for block in statement.blocks:
            range_ = scopes.range(base + block.start, base + block.end)
            rows = (range_.start.row, range_.end.row)
            if block.kind == "function" and rows == (0, last_row):
                found.append(range_)
            stack += [
                (base + offset, inner)
                for offset, inner in zip(block.offsets, block.statements, strict=True)
            ]
    end = scopes.position(len(scopes.chunk.source))
    return min(found, default=scopes.range(0, scopes.offset(end)), key=lambda one: one.start)


def _path_keys(function: StoredFunction) -> list[Key]:
    """The keys of its path; none where words tell it."""
    try:
        return keys_of(function.path)
    except SessionError:
        return []
