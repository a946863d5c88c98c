"""Virtual documents: what is stored, as texts that an editor opens like files.

Owns their URIs and what stands in them. Must not know LSP types or sessions: it is given what was
looked up. The URIs are for people, too: `lua-persist:/table/users.lua?offset=100`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit

from lua_ls_persist.jsonable import unicode_text
from lua_ls_persist.model import Preview
from lua_ls_persist.pretty import is_name, one_line, pretty, scalar_text
from lua_ls_persist.server.parameters import CommandError

if TYPE_CHECKING:
    from lua_ls_persist.model import Difference, Evaluation, Inspected, StoredFunction

SCHEME: Final = "lua-persist"
Kind: TypeAlias = Literal["table", "function", "result", "history"]
KINDS: Final = get_args(Kind)
ENDINGS: Final = {"table": ".lua", "function": ".lua", "result": ".lua", "history": ".diff"}
PAGE_ENTRIES: Final = 200
PAGE_ENTRIES_MAX: Final = 1_000
LAST: Final = "last"
FOLLOWED_MAX: Final = 50
"""So many documents are kept up to date: those that were asked for last."""


@dataclass(frozen=True, slots=True)
class Place:
    """What a virtual document is about."""

    kind: Kind
    what: str
    """The path of a table or function; the number of an evaluation; `last`."""
    offset: int = 0
    limit: int = PAGE_ENTRIES
    """Which entries of a table."""
    folder: str | None = None
    """The folder or document whose session is meant."""

    @property
    def uri(self) -> str:
        """The document's URI; the same for the same place."""
        options: dict[str, str | int] = {}
        if self.offset:
            options["offset"] = self.offset
        if self.limit != PAGE_ENTRIES:
            options["limit"] = self.limit
        if self.folder is not None:
            options["folder"] = self.folder
        name = quote(self.what, safe="") + ENDINGS[self.kind]
        query = f"?{urlencode(options)}" if options else ""
        return f"{SCHEME}:/{self.kind}/{name}{query}"

    @property
    def language(self) -> str:
        """As LSP names it."""
        return "diff" if self.kind == "history" else "lua"


def place_of(uri: str) -> Place:
    """What the document of a URI is about, however that is escaped.

    Raises:
        CommandError: there can be no such document.
    """
    parts = urlsplit(uri)
    kind, _, name = parts.path.lstrip("/").partition("/")
    if parts.scheme != SCHEME or kind not in KINDS or not name:
        raise CommandError(
            f"there is no document {uri}: they are {SCHEME}:/table/users.lua, "
            f"/function/Memory.f.lua, /result/last.lua, /history/12.diff"
        )
    options = {key: values[-1] for key, values in parse_qs(unquote_query(parts.query)).items()}
    return Place(
        kind,  # type: ignore[arg-type]  # one of them
        unquote(name).removesuffix(ENDINGS[kind]),
        offset=_number(options.get("offset"), 0, 2**53),
        limit=max(_number(options.get("limit"), PAGE_ENTRIES, PAGE_ENTRIES_MAX), 1),
        folder=options.get("folder"),
    )


def unquote_query(query: str) -> str:
    """A query as it was made: some editors escape `=` and `&` once more."""
    return query if "=" in query else unquote(query)


def _number(text: str | None, default: int, most: int) -> int:
    return min(int(text), most) if text is not None and text.isdigit() else default


class Followed:
    """The documents that a client has, as far as they are kept up to date."""

    def __init__(self) -> None:
        self.places: OrderedDict[str, Place] = OrderedDict()
        """By the URIs that the client knows them by."""
        self.files: dict[str, tuple[Place, Path]] = {}
        """Where the texts are for clients that know files only; by the places' own URIs."""

    def add(self, uri: str, place: Place) -> None:
        """The client has this one from now on."""
        self.places[uri] = place
        self.places.move_to_end(uri)
        while len(self.places) > FOLLOWED_MAX:
            self.places.popitem(last=False)

    def add_file(self, place: Place, path: Path) -> None:
        """The client has this file from now on."""
        self.files.pop(place.uri, None)
        self.files[place.uri] = (place, path)
        while len(self.files) > FOLLOWED_MAX:
            del self.files[next(iter(self.files))]


# Texts


def table_page(place: Place, found: Inspected) -> str:
    """A page of a table as Lua source, with the way to its neighbours in comments."""
    if not isinstance(found.value, Preview) or found.value.kind != "table":
        return f"return {unicode_text(pretty(found.value))}\n"
    lines = []
    count = len(found.entries)
    if not count and found.total:
        lines.append(f"-- {found.path} has {found.total} entries, none behind {place.offset}.")
    elif count < found.total:
        first, last = place.offset + 1, place.offset + count
        lines.append(f"-- {found.path}: entries {first} to {last} of {found.total}")
        if place.offset:
            before = replace(place, offset=max(place.offset - place.limit, 0))
            lines.append(f"-- before: {before.uri}")
        if found.next_offset is not None:
            lines.append(f"-- next: {replace(place, offset=found.next_offset).uri}")
    else:
        lines.append(f"-- {found.path}: {_counted(found.total, 'entry', 'entries')}")
    if found.metatable is not None:
        lines.append(f"-- metatable: {one_line(found.metatable)}")
    lines.append("return {")
    for entry in found.entries:
        value = pretty(entry.value, width=96).replace("\n", "\n  ")
        lines.append(f"  {_key(entry.key)} = {value},")
    return unicode_text("\n".join([*lines, "}", ""]))


def _key(key: object) -> str:
    if isinstance(key, str) and is_name(key):
        return key
    if key is None or isinstance(key, (bool, int, float, str, bytes)):
        return f"[{scalar_text(key)}]"
    assert isinstance(key, Preview)
    return f"[{one_line(key)}]"


def function_page(function: StoredFunction) -> str:
    """A stored function: its text first, so that its lines are those of the definition."""
    text = function.text.rstrip("\n") or "-- Its source is not stored."
    lines = [text, "", f"-- {function.path}, stored from {function.location}"]
    if function.problem:
        lines.append(f"-- It cannot be called: {function.problem}.")
    lines += [
        f"-- {upvalue.name} = {one_line(upvalue.value)}"
        for upvalue in function.upvalues
        if upvalue.name != "_ENV"
    ]
    return unicode_text("\n".join([*lines, ""]))


def result_page(evaluation: Evaluation | None) -> str:
    """What came of the last evaluation."""
    if evaluation is None:
        return "-- Nothing was evaluated yet.\n"
    lines = [f"-- {line}" for line in evaluation.output_text.splitlines()]
    for problem in evaluation.problems:
        lines += [f"-- {line}" for line in str(problem).splitlines()]
        lines += [
            f"--   {frame.chunk}:{frame.line}: in {frame.function}" for frame in problem.traceback
        ]
    if evaluation.text:
        lines.append(f"return {evaluation.text}")
    elif evaluation.ok:
        lines.append("-- No values.")
    return unicode_text("\n".join([*lines, ""]))


def history_page(number: int, source: str, differences: Sequence[Difference]) -> str:
    """What an evaluation changed, as a diff."""
    lines = [f"# Evaluation {number}"]
    lines += [f"# {line}" for line in source.splitlines()]
    for one in differences:
        lines.append(f"@@ {one.place} @@")
        lines += _changed("-", one.before)
        lines += _changed("+", one.after)
    if not differences:
        lines.append("# Nothing is different.")
    return unicode_text("\n".join([*lines, ""]))


def _changed(mark: str, value: object) -> list[str]:
    if value is None:
        return []
    return [f"{mark}{line}" for line in pretty(value).splitlines()]  # type: ignore[arg-type]


def _counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
