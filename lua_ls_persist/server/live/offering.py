"""Completion for what stands in no document: the input of a REPL, in an editor or a terminal.

Owns what is offered for a text: plain data, in offsets of that text. Must not know LSP types.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from lua_ls_persist.server.analysis import scopes_of
from lua_ls_persist.server.documents import Document
from lua_ls_persist.server.live.candidates import CandidateKind
from lua_ls_persist.server.live.completing import Completer
from lua_ls_persist.session.sights import Way

URI: Final = "lua-persist:/input.lua"
DESCRIBED_MAX: Final = 20
"""So many of the first items come with what there is to say about their values."""


@dataclass(frozen=True, slots=True)
class Offer:
    """One thing that could stand there."""

    label: str
    kind: CandidateKind
    parameters: str
    """Behind the label: `(x, y)`."""
    detail: str
    """A value, or a type."""
    insert: str
    documentation: str
    """Markdown."""


@dataclass(frozen=True, slots=True)
class Offered:
    """What could stand at a place of a text, best first."""

    items: tuple[Offer, ...]
    start: int
    end: int
    """What is replaced, in code points."""
    complete: bool
    """Whether typing on makes them fewer, and never brings in others."""


async def offered(
    completer: Completer,
    text: str,
    offset: int,
    describe: Callable[[Way], Awaitable[str]] | None = None,
) -> Offered:
    """What could stand at an offset of a text. Lines end with a line feed.

    Args:
        completer: of the session that the text is for.
        text: the whole input.
        offset: where somebody is typing, in code points.
        describe: says what there is to say about a value.
    """
    # A document of its own: what it declares is seen, and nothing of it stays.
    document = Document.of_text(URI, text)
    scopes = scopes_of(document)
    position = scopes.position(offset)
    found = await completer.complete(document, position)
    start, end = offset, offset
    if found.range is not None:
        start, end = scopes.offset(found.range.start), scopes.offset(found.range.end)
    items = []
    for place, one in enumerate(found.candidates):
        documentation = one.documentation
        way = one.way if place < DESCRIBED_MAX else None
        if not documentation and way is not None and describe is not None:
            documentation = await describe(way)
        inserted = one.label if one.insert is None else one.insert
        items.append(
            Offer(
                one.label,
                one.kind,
                one.parameters,
                one.detail,
                f"{found.quotes}{inserted}{found.quotes}",
                documentation,
            )
        )
    return Offered(tuple(items), start, end, found.complete)
