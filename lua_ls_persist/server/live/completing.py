"""Completion: what could stand at a position of a document, from the source and from the VM.

Owns the decision what is asked for. Must not know LSP types.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from lua_ls_persist.pretty import is_name
from lua_ls_persist.server.analysis import CallSite, ExpressionPath, Scopes, scopes_of
from lua_ls_persist.server.analysis.naming import FIELD_CALLS, FIELD_PARTS
from lua_ls_persist.server.documents import Document
from lua_ls_persist.server.live.candidates import (
    OPERATORS,
    QUERY_PART_TEXTS,
    QUERY_PARTS,
    Candidate,
    fields_of,
    global_candidates,
    key_candidates,
    keywords,
    limited,
    locals_of,
    member_candidates,
)
from lua_ls_persist.server.live.constructors import (
    as_keys,
    attributes,
    definition_parts,
    definition_types,
    elements_like,
    inside,
    labels,
    named_fields,
    operation_parts,
    operations,
    row_at,
)
from lua_ls_persist.server.live.cursor import InTable, Typed, in_table, typed_at
from lua_ls_persist.server.live.fields import Written, global_names, written_fields
from lua_ls_persist.server.live.looks import Looks
from lua_ls_persist.server.live.resolving import (
    QUERIES,
    Group,
    Groups,
    QueryRow,
    QueryRows,
    Resolver,
    Target,
    function_called,
)
from lua_ls_persist.server.live.schemas import schema_fields, table_of_row, type_text
from lua_ls_persist.server.live.typed import Types, typed_candidates
from lua_ls_persist.server.positions import Position, Range
from lua_ls_persist.session.sights import ANY, Question, RecordsSight, Sight, Way

_PARAMETERS: Final = re.compile(r"\bfunction\s*[\w.:]*\s*\([\w\s,]*\Z", re.ASCII)
"""The parameters of a function are being named."""
_ROW_PARTS: Final = (
    ("key", "the row's key in the table"),
    ("value", "the row: a live external table"),
)
_GROUP_PARTS: Final = (
    ("group", "the fields of `group_by`, which the rows agree in"),
    ("count", "how many rows"),
    ("sum", "of the field that was asked for"),
    ("min", "of the field that was asked for"),
    ("max", "of the field that was asked for"),
    ("avg", "of the field that was asked for"),
)


@dataclass(frozen=True, slots=True)
class Options:
    """What the client wants."""

    static: bool = True
    """Also what the source alone tells, words and libraries; not beside another Lua server."""
    snippets: bool = False


@dataclass(frozen=True, slots=True)
class Completions:
    """What could stand there."""

    candidates: Sequence[Candidate] = ()
    complete: bool = True
    """Whether typing on makes them fewer, and never brings in others."""
    range: Range | None = None
    """What is replaced."""
    quotes: str = ""
    """What goes around a candidate that stands for a key in brackets."""


@dataclass(frozen=True, slots=True)
class Completer:
    """Completes in one document."""

    view: Looks
    modules: Callable[[], Awaitable[Iterable[str]]]
    options: Options = Options()
    key: str | None = None
    """What the session calls the document, whose locals it may have kept."""
    types: Types | None = None
    """What the sources say of expressions; None: nothing more than the document itself."""

    async def complete(self, document: Document, position: Position) -> Completions:
        """What could stand at a position; nothing in comments and numbers."""
        self.view.is_behind = False
        found = await self._completions(document, position)
        # What the VM could not say in time it may say when somebody types on.
        return replace(found, complete=False) if self.view.is_behind else found

    async def _completions(self, document: Document, position: Position) -> Completions:
        scopes = scopes_of(document)
        typed = typed_at(scopes, position)
        if typed.kind in ("comment", "number", "long string"):
            return Completions()
        if typed.kind == "string":
            return await self._in_string(scopes, position, typed)
        start = scopes.position(typed.start)
        word = Range(start, position)
        prefix = typed.text
        if typed.before in (".", ":"):
            found = await self._members(document, position, typed)
            return Completions() if found is None else _made(found, prefix, word)
        if typed.kind == "other" and typed.before == "[":
            opening = scopes.chunk.source.rfind("[", 0, typed.offset)
            listed, complete = limited(await self._bracketed(scopes, opening, ""), "")
            return Completions(listed, complete, word, '"')
        if typed.before == "goto":
            return _made(labels(scopes, typed.offset), prefix, word)
        if typed.before in ("local", "::", "..."):
            return Completions()
        if typed.kind == "other" and scopes.chunk.source.endswith("..", 0, typed.offset):
            return Completions()  # A third dot may come.
        if typed.before == "<":
            found = attributes(scopes, typed.start)
            if found:
                return _made(found, prefix, word)
        if typed.before == "function" or (typed.before == "for" and typed.kind == "name"):
            return Completions()
        if typed.kind == "other" and typed.before in (")", "]", "}"):
            return Completions()
        if typed.before in ("(", ",") and _PARAMETERS.search(
            scopes.chunk.source[max(0, typed.start - 300) : typed.start]
        ):
            return Completions()
        return _made(await self._names(scopes, position, prefix), prefix, word)

    # -- after a dot, a colon, an opening bracket

    async def _members(
        self, document: Document, position: Position, typed: Typed
    ) -> list[Candidate] | None:
        scopes = scopes_of(document)
        path = scopes.path_at(position)
        if path is None or not path.steps:
            return None
        target = Resolver(scopes, self.key).target(path, len(path.steps) - 1)
        colon = typed.before == ":"
        known: list[Candidate] = []
        if self.types is not None and not (isinstance(target, Way) and target.root is not None):
            inferred = await self.types(document, path, len(path.steps) - 1)
            if inferred.target is not None and not await self._is_there(target):
                target = inferred.target
            known += typed_candidates(inferred, colon=colon) if self.options.static else ()
        return [*known, *await self._live_members(scopes, path, target, typed)]

    async def _is_there(self, target: Target | None) -> bool:
        """Whether something is known of what is there; of a local only once it was evaluated."""
        if not isinstance(target, Way) or target.document is None:
            return target is not None
        return await self.view.see(Question(target)) is not None

    async def _live_members(
        self, scopes: Scopes, path: ExpressionPath, target: Target | None, typed: Typed
    ) -> list[Candidate]:
        colon = typed.before == ":"
        written = self._written(scopes, path, target) if self.options.static else []
        if isinstance(target, (QueryRow, Group)):
            parts = _ROW_PARTS if isinstance(target, QueryRow) else _GROUP_PARTS
            return [
                Candidate(name, "field", 100 + rank, detail=text)
                for rank, (name, text) in enumerate(parts)
            ]
        if isinstance(target, Groups):
            return []
        if isinstance(target, QueryRows):
            return [Candidate("next", "field", 100, detail="the cursor of the page that follows")]
        way = target if isinstance(target, Way) else Way(("string",)) if target else None
        if way is None:
            return list(member_candidates(None, None, None, written, colon=colon))
        if not self.options.static and _is_library(way):
            return []
        sight, records = await self._contents(way, typed.text)
        found = list(member_candidates(way, sight, records, written, colon=colon))
        if not colon and (sight is None or ANY in way.steps):
            found += await self._by_schema(way)
        return found

    async def _by_schema(self, way: Way) -> list[Candidate]:
        """The fields of a row, also of one that is not there yet."""
        table = table_of_row(way)
        sight = None if table is None else await self.view.see(Question(table, stored=True))
        return [
            Candidate(name, "field", 150, detail=type_text(definition) or "of its schema")
            for name, definition in schema_fields(sight).items()
            if is_name(name)
        ]

    def _written(
        self, scopes: Scopes, path: ExpressionPath, target: Target | None
    ) -> list[Written]:
        """Fields that the document itself gives to what stands before the dot."""
        here = scopes.offset(path.range.start)
        found: list[Written] = []
        keys = path.keys[:-1]
        if path.base is not None and None not in keys:
            found += written_fields(scopes, path.base.text, keys, here)
        if isinstance(target, Way) and target.is_global and ANY not in target.steps:
            base, *rest = target.steps or ("_G",)
            if not (path.base is not None and base == path.base.text):
                # By another name: `self` for `Account`.
                found += written_fields(scopes, str(base), rest, here)
        return found

    async def _bracketed(self, scopes: Scopes, opening: int, prefix: str) -> list[Candidate]:
        """Keys of what stands before the bracket at an offset."""
        path = scopes.path_at(scopes.position(opening))
        if path is None:
            return []
        way = Resolver(scopes, self.key).target(path)
        if not isinstance(way, Way):
            return []
        return list(key_candidates(*await self._contents(way, prefix), "", way))

    async def _contents(self, way: Way, prefix: str) -> tuple[Sight | None, RecordsSight | None]:
        """The keys at the end of a way; behind `ANY` the fields that such elements have."""
        questions = [Question(way, keys=True)]
        if ANY in way.steps:
            last = way.steps[-1] is ANY
            above = Way(way.steps[:-1], way.root) if last else way
            questions.append(Question(above, fields="elements" if last else "own"))
        answers = await self.view.look(questions)
        sight = answers[0]
        if sight is not None and not sight.complete and prefix:
            # Too many to list: those that begin so.
            sight = await self.view.see(Question(way, keys=True, prefix=prefix)) or sight
        of_rows = answers[1] if len(answers) > 1 else None
        return sight, None if of_rows is None else of_rows.records

    # -- names

    async def _names(self, scopes: Scopes, position: Position, prefix: str) -> list[Candidate]:
        found: list[Candidate] = []
        call = scopes.call_at(position)
        if call is not None:
            found += await self._parts(scopes, call, in_table(scopes, position, call.range))
        row = row_at(scopes, position, self.key)
        if row is not None:
            found += as_keys(await self._fields_at(elements_like(row)))
        if self.options.static:
            visible = ((name.text, name.kind) for name in scopes.visible_at(position))
            found += locals_of(visible)
            found += keywords(with_snippets=self.options.snippets)
        sight = await self.view.see(Question(Way(), keys=True))
        if sight is not None and not sight.complete and prefix:
            sight = await self.view.see(Question(Way(), keys=True, prefix=prefix)) or sight
        written: set[str] = set()
        if self.options.static:
            # What is being typed just now is no name that there is.
            typed = scopes.name_at(position)
            own = None if typed is None else typed.text
            written = {name for name in global_names(scopes) if name != own}
        globals_ = global_candidates(sight, prefix, written)
        if not self.options.static:
            globals_ = (one for one in globals_ if one.rank != 300)
        return [*found, *globals_]

    async def _parts(self, scopes: Scopes, call: CallSite, place: InTable) -> list[Candidate]:
        """What a table that is an argument of `ext` may have."""
        name = _ext_function(scopes, call)
        if name == "batch":
            return operation_parts(place)
        if name == "schema" and call.argument == 1:
            fields = named_fields(place)
            if fields is None:
                return definition_parts(place)
            way = self._asked_table(scopes, call)
            return [] if way is None else as_keys(await self._fields_at(inside(way, fields)))
        parts = QUERY_PARTS.get(name, ())
        if call.argument != 1 or len(place.keys) != 1 or place.is_value:
            return []
        return [
            Candidate(part, "field", rank, detail=QUERY_PART_TEXTS[part], insert=f"{part} = ")
            for rank, part in enumerate(parts)
        ]

    # -- in strings

    async def _in_string(self, scopes: Scopes, position: Position, typed: Typed) -> Completions:
        content = Range(scopes.position(typed.start), position)
        found = await self._string_candidates(scopes, position, typed)
        return _made(found, typed.text, content)

    async def _string_candidates(
        self, scopes: Scopes, position: Position, typed: Typed
    ) -> list[Candidate]:
        if typed.before == "[":
            opening = scopes.chunk.source.rfind("[", 0, typed.start)
            return await self._bracketed(scopes, opening, typed.text)
        call = scopes.call_at(position)
        if call is None:
            return []
        if call.function.text == "require" and call.argument == 0:
            names = await self.modules()
            return [Candidate(name, "file", 200) for name in names]
        name = _ext_function(scopes, call)
        place = in_table(scopes, position, call.range)
        if name in QUERIES and call.argument == 0 and not place.keys:
            return await self._tables()
        if name == "batch":
            if place.keys[-1:] == ("op",):
                return operations()
            return await self._tables() if place.keys[-1:] == ("table",) else []
        if name == "schema" and call.argument == 1:
            return definition_types(place)
        if name in FIELD_CALLS and call.argument == 1:
            return await self._fields(scopes, call, typed.text)
        if name in QUERY_PARTS and call.argument == 1 and place.keys:
            return await self._in_question(scopes, call, place, typed.text)
        return []

    async def _in_question(
        self, scopes: Scopes, call: CallSite, place: InTable, text: str
    ) -> list[Candidate]:
        part, last = place.keys[0], place.keys[-1]
        if part in FIELD_PARTS and part != "where":
            return await self._fields(scopes, call, text)
        if part != "where" or place.is_value:
            return []
        if last == 1:
            return await self._fields(scopes, call, text)
        if last == 2:
            return [
                Candidate(one, "operator", 200 + rank, detail=text)
                for rank, (one, text) in enumerate(OPERATORS.items())
            ]
        return []

    def _asked_table(self, scopes: Scopes, call: CallSite) -> Way | None:
        """The table that a call of `ext` is about."""
        resolver = Resolver(scopes, self.key)
        found = resolver.chain_of(call.function)
        if found is None:
            return None
        return resolver.table(found[1], found[0], len(call.function.steps))

    async def _fields(self, scopes: Scopes, call: CallSite, text: str) -> list[Candidate]:
        """The fields of the rows that a call is about; behind a dot, those of the table there."""
        way = self._asked_table(scopes, call)
        if way is None:
            return []
        *outer, _ = text.split(".")
        if not outer:
            return await self._fields_at(way / ANY)
        path = ".".join(outer)
        return [
            replace(one, label=f"{path}.{one.label}")
            for one in await self._fields_at(inside(way, outer))
        ]

    async def _fields_at(self, way: Way) -> list[Candidate]:
        """The fields that values behind a way have: rows, or what is in them."""
        last = way.steps[-1] is ANY
        question = Question(way, fields="own")
        if last:
            above = Way(way.steps[:-1], way.root, way.document)
            question = Question(above, fields="elements", stored=True)
        sight = await self.view.see(question)
        if sight is None or (sight.records is None and not last):
            return []
        fields = [] if sight.records is None else list(fields_of(sight.records, 100))
        known = {field.label for field in fields}
        return fields + [
            Candidate(name, "field", 220, detail="of its schema")
            for name in schema_fields(sight)
            if last and name not in known
        ]

    async def _tables(self) -> list[Candidate]:
        return [
            Candidate(table.name, "table", 200, detail=f"{table.entries} rows")
            for table in await self.view.tables()
        ]


def _made(found: Iterable[Candidate], prefix: str, range_: Range) -> Completions:
    listed, complete = limited(found, prefix)
    return Completions(listed, complete, range_)


def _ext_function(scopes: Scopes, call: CallSite) -> str:
    """The function of `ext` that is called there, by whatever name; empty for other calls."""
    found = function_called(Resolver(scopes), call)
    return "" if found is None else found[0]


def _is_library(way: Way) -> bool:
    from lua_ls_persist.server.stdlib import documentation

    if not way.is_global or len(way.steps) != 1 or way.steps == ("ext",):
        return False
    entry = documentation().get(str(way.steps[0]))
    return entry is not None and entry.kind == "table" and entry.path != "Memory"
