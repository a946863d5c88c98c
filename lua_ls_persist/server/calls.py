"""Who calls whom in the file set, as far as the sources say.

Must not know LSP types. Not for the loop's thread.
"""

from __future__ import annotations

from dataclasses import dataclass

from lua_ls_persist.server import uris
from lua_ls_persist.server.analysis import Scopes, scopes_of
from lua_ls_persist.server.analysis.symbols import Symbol, symbols_of
from lua_ls_persist.server.documents import Document
from lua_ls_persist.server.live.finding import Finder
from lua_ls_persist.server.positions import Position, Range

CALLS_MAX = 1000


@dataclass(frozen=True, slots=True)
class Function:
    """A function with a name, or the outermost level of a file."""

    document: Document
    name: str
    detail: str
    is_method: bool
    range: Range
    name_range: Range
    is_file: bool = False


@dataclass(frozen=True, slots=True)
class Calls:
    """A function, and the places where it is called or calls."""

    function: Function
    places: tuple[Range, ...]


def function_at(finder: Finder, document: Document, position: Position) -> Function | None:
    """The function that the name at a place means, or else the one around the place."""
    if scopes_of(document).name_at(position) is not None:
        for spot in finder.definitions(document, position):
            named = _named_at(spot.document, spot.range.start)
            if named is not None:
                return named
        return None
    found = around(document, position)
    return None if found.is_file else found


def incoming(finder: Finder, function: Function) -> list[Calls]:
    """From where a function is called."""
    found: dict[tuple[str, Range], tuple[Function, list[Range]]] = {}
    called: dict[str, frozenset[Range]] = {}
    start = function.name_range.end if not function.is_file else function.name_range.start
    for spot in finder.references(function.document, start)[:CALLS_MAX]:
        key = uris.key_of(spot.document.uri)
        if key not in called:
            called[key] = frozenset(scopes_of(spot.document).called())
        if spot.range in called[key]:
            caller = around(spot.document, spot.range.start)
            entry = found.setdefault((key, caller.name_range), (caller, []))
            entry[1].append(spot.range)
    return [Calls(caller, tuple(places)) for caller, places in found.values()]


def outgoing(finder: Finder, function: Function) -> list[Calls]:
    """What a function calls."""
    document = function.document
    found: dict[tuple[str, Range], tuple[Function, list[Range]]] = {}
    for place in called_in(function):
        for spot in finder.definitions(document, place.start):
            target = _named_at(spot.document, spot.range.start)
            if target is not None:
                key = (uris.key_of(target.document.uri), target.name_range)
                found.setdefault(key, (target, []))[1].append(place)
                break
    return [Calls(target, tuple(at)) for target, at in found.values()]


def called_in(function: Function) -> list[Range]:
    """The names of what is called in a function."""
    called = scopes_of(function.document).called()
    places = [one for one in called if _holds(function.range, one) and one != function.name_range]
    return places[:CALLS_MAX]


def in_row(document: Document, row: int, name: str = "") -> Function | None:
    """The function whose definition begins in a row; of several the one whose name ends so."""
    scopes = scopes_of(document)
    found = [one for one in _functions(document) if scopes.position(one.name_start).row == row]
    named = [one for one in found if name and one.name.endswith(name)]
    return _function(document, scopes, (named or found)[0]) if found else None


def _named_at(document: Document, position: Position) -> Function | None:
    """The function whose name stands at a place."""
    scopes = scopes_of(document)
    offset = scopes.offset(position)
    for symbol in _functions(document):
        if symbol.name_start <= offset <= symbol.name_end:
            return _function(document, scopes, symbol)
    return None


def around(document: Document, position: Position) -> Function:
    """The innermost named function around a place, or the file."""
    scopes = scopes_of(document)
    offset = scopes.offset(position)
    inner = [symbol for symbol in _functions(document) if symbol.start <= offset < symbol.end]
    if inner:
        return _function(document, scopes, max(inner, key=lambda symbol: symbol.start))
    name = document.uri.rpartition("/")[2]
    start = Range.of(0, 0, 0, 0)
    return Function(document, name, "", False, document.range, start, is_file=True)


def _functions(document: Document) -> list[Symbol]:
    """The functions with names, found once: each call in the document is looked for among them."""
    found = document.derived.get("functions")
    if not isinstance(found, list):
        found = [
            inner
            for symbol in symbols_of(document)
            for inner, _ in symbol.walk()
            if inner.kind in ("function", "method")
        ]
        document.derived["functions"] = found
    return found


def _function(document: Document, scopes: Scopes, symbol: Symbol) -> Function:
    return Function(
        document,
        symbol.name,
        symbol.detail,
        symbol.kind == "method",
        scopes.range(symbol.start, symbol.end),
        scopes.range(symbol.name_start, symbol.name_end),
    )


def _holds(outer: Range, inner: Range) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end
