"""Values, tables and functions in words: what hover and the documentation of completions show.

Owns the Markdown. Must not know LSP types.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from lua_ls_persist.jsonable import Json
from lua_ls_persist.model import Preview
from lua_ls_persist.pretty import pretty, quoted
from lua_ls_persist.server.analysis import doc_comment
from lua_ls_persist.server.analysis.annotations import Note, note_above
from lua_ls_persist.server.documents import Document
from lua_ls_persist.server.drift import Drift, drift_of
from lua_ls_persist.server.live.annotated import (
    NOTHING,
    parameter_labels,
    results_label,
    words,
)
from lua_ls_persist.server.live.candidates import function_text
from lua_ls_persist.server.live.schemas import schema_fields, table_of_row, type_text
from lua_ls_persist.server.places import Place
from lua_ls_persist.server.stdlib import Documented, documentation
from lua_ls_persist.server.workspaces import Workspace
from lua_ls_persist.session.sights import (
    ANY,
    FieldSight,
    FunctionSight,
    Question,
    RecordsSight,
    Sight,
    StoredSight,
    Way,
)

if TYPE_CHECKING:
    from lua_ls_persist.model import StoredFunction

VALUE_LINES_MAX: Final = 20
FIELDS_SHOWN_MAX: Final = 15
LINE_WIDTH_MAX: Final = 100
_DRIFT_TEXTS: Final = {
    "in_sync": "stored, in sync with its source",
    "edited": "stored; its source was edited since",
    "source_gone": "stored; its source is gone",
    "unknown": "stored",
}


def way_to_json(way: Way) -> dict[str, Json]:
    """A way as plain data, for what comes back from the client."""
    return {
        "root": way.root,
        "document": way.document,
        "steps": [None if step is ANY else step for step in way.steps],
    }


def way_of_json(data: Any) -> Way | None:
    """The way that was made into plain data; None if it is none."""
    steps = member(data, "steps")
    root, document = member(data, "root"), member(data, "document")
    if not isinstance(steps, (list, tuple)):
        return None
    if not all(one is None or isinstance(one, str) for one in (root, document)):
        return None
    found = []
    for step in steps:
        if step is not None and not isinstance(step, (str, int, float, bool)):
            return None
        found.append(ANY if step is None else step)
    return Way(tuple(found), root, document)


def member(data: Any, name: str) -> Any:
    """A member of plain data, which may come as an object."""
    return data.get(name) if isinstance(data, dict) else getattr(data, name, None)


@dataclass(frozen=True, slots=True)
class Describer:
    """Describes what one workspace's VM has."""

    workspace: Workspace
    find_document: Callable[[str], Document | None]

    async def value(self, way: Way, title: str = "", *, colon: bool = False) -> str:
        """What there is at the end of a way, in Markdown; empty if there is nothing."""
        last_is_any = bool(way.steps) and way.steps[-1] is ANY
        questions = [Question(way, value=True, fields="elements", stored=True)]
        if last_is_any:
            # Some row or other: what rows have in common is of interest, not the first of them.
            above = Way(way.steps[:-1], way.root)
            questions = [Question(above, fields="elements")]
        elif ANY in way.steps:
            questions = [Question(way, value=True, fields="own")]
        sight = await self.workspace.view.see(questions[0])
        name = title or str(way)
        is_empty = sight is not None and sight.records is not None and not sight.records.records
        if sight is None or (last_is_any and is_empty):
            return await self._by_schema(way, name) if ANY in way.steps else ""
        if last_is_any:
            return self._row(name, sight, above)
        if sight.type == "function" or (sight.is_called and sight.function is not None):
            return await self.function(name, sight, way, colon=colon)
        if sight.external_id is not None:
            return _external(name, sight)
        return _plain(name, sight, sampled=ANY in way.steps)

    async def _by_schema(self, way: Way, name: str) -> str:
        """What a schema says of rows, or of a field of them, where there is none yet."""
        last = way.steps[-1]
        row = way if last is ANY else Way(way.steps[:-1], way.root, way.document)
        table = table_of_row(row)
        sight = None
        if table is not None:
            sight = await self.workspace.view.see(Question(table, stored=True))
        fields = schema_fields(sight)
        if last is not ANY and last in fields:
            return f"{_code(f'{name}: {type_text(fields[str(last)])}')}\n\nBy the schema of {table}"
        if last is not ANY or sight is None or sight.stored is None or not fields:
            return ""
        schema = f"Schema: {schema_text(sight.stored.schema)}"
        return f"{_code(f'{name}  -- a row of {table}')}\n\n{schema}"

    async def function(self, name: str, sight: Sight, way: Way, *, colon: bool = False) -> str:
        """A function: how it is called, where it stands, what its comment says."""
        function = sight.function
        assert function is not None
        if function.c:
            entry = documentation().get(function.name)
            if entry is not None:
                return documented_text(entry, method=colon)
            # Where nothing stored is loaded, there is what the store says of it.
            for one in () if function.name else await self.workspace.view.functions():
                if one.path == str(way):
                    drift = _DRIFT_TEXTS[self.drift(one).state]
                    return f"{_code(f'function {name}({one.signature})')}\n\n*{drift}*"
            return _code(f"{name}: {function_text(function) or 'function'}")
        note = self.note(function)
        names = [*function.parameters, *(["..."] if function.is_vararg else [])]
        shown = f"{', '.join(parameter_labels(names, note))}){results_label(note.returns)}"
        parts = [_code(f"function {name}({shown}"), words(self.comment(function), note)]
        parts.append(self.place_text(function))
        stored = await self.stored_function(way, function)
        if stored is not None:
            parts.append(f"*{_DRIFT_TEXTS[self.drift(stored).state]}*")
        return "\n\n".join(part for part in parts if part)

    def locate(self, function: FunctionSight) -> Place | None:
        """Where a function is defined now."""
        if function.c:
            return None
        return self.workspace.places.locate(function.source, max(function.line, 1))

    def comment(self, function: FunctionSight) -> str:
        """The comment above a function's definition, in the buffer or the file."""
        place = self.locate(function)
        document = None if place is None else self.find_document(place.uri)
        if place is None or document is None:
            return ""
        return doc_comment(document, place.row)

    def note(self, function: FunctionSight) -> Note:
        """What the comment above a function's definition says of types."""
        place = self.locate(function)
        document = None if place is None else self.find_document(place.uri)
        return NOTHING if place is None or document is None else note_above(document, place.row)

    def place_text(self, function: FunctionSight) -> str:
        """`Defined in [main.lua:3](file:///...)`."""
        name = f"{function.source}:{function.line}"
        place = self.locate(function)
        if place is None:
            return f"Defined in `{name}`"
        return f"Defined in [{name}]({place.uri}#L{place.row + 1})"

    async def stored_function(self, way: Way, function: FunctionSight) -> StoredFunction | None:
        """The stored function that a live one is, if it is one."""
        for stored in await self.workspace.view.functions():
            same_place = (stored.chunk, stored.line, stored.last_line) == (
                function.source,
                function.line,
                function.last_line,
            )
            if same_place and (stored.path == str(way) or stored.name == _last(way)):
                return stored
        return None

    def drift(self, stored: StoredFunction) -> Drift:
        """How a stored function stands to its source."""
        return drift_of(stored, self.workspace.places, self.find_document)

    def _row(self, name: str, sight: Sight, table: Way) -> str:
        if sight.records is None or not sight.records.records:
            return ""
        return "\n\n".join([_code(f"{name}  -- a row of {table}"), *_fields(sight.records)])


def documented_text(entry: Documented, *, method: bool = False) -> str:
    """Something of the libraries."""
    if entry.kind != "function":
        return f"{_code(entry.path)}\n\n{entry.text}"
    signature = entry.signature
    if method:
        signature = f"{entry.shown_parameters[0]}:{entry.name}"
        signature += f"({', '.join(entry.shown_parameters[1:])})"
    return f"{_code(f'function {signature}')}\n\n{entry.text}"


def _plain(name: str, sight: Sight, *, sampled: bool) -> str:
    text = pretty(sight.value)
    lines = text.split("\n")
    if len(lines) > VALUE_LINES_MAX:
        lines = [*lines[:VALUE_LINES_MAX], "..."]
    lines = [
        line if len(line) <= LINE_WIDTH_MAX else f"{line[:LINE_WIDTH_MAX]}..." for line in lines
    ]
    parts = [_code(f"{name} = " + "\n".join(lines))]
    about = [sight.name or sight.type]
    if sight.length:
        about.append(f"{sight.length:,} in its list")
    if isinstance(sight.value, (str, bytes)):
        size = len(sight.value.encode() if isinstance(sight.value, str) else sight.value)
        about.append(f"{size:,} bytes")
    if isinstance(sight.value, Preview) and sight.value.length_bytes:
        about.append(f"{sight.value.length_bytes:,} bytes")
    if sampled:
        about.append("an example")
    parts.append(", ".join(about))
    if sight.records is not None and sight.records.records > 1:
        parts += _fields(sight.records)
    return "\n\n".join(parts)


def _external(name: str, sight: Sight) -> str:
    stored = sight.stored
    rows = "" if stored is None else f", {stored.rows:,} {_plural('row', stored.rows)}"
    parts = [_code(f"{name}  -- external table{rows}")]
    if sight.records is not None:
        parts += _fields(sight.records)
        if not sight.records.records and sight.value is not None:
            parts.append(_code(pretty(sight.value)))
    if stored is not None:
        parts += _stored(stored)
    return "\n\n".join(parts)


def _stored(stored: StoredSight) -> list[str]:
    parts = []
    if stored.indexes:
        names = (
            f"`{index.name}`{' unique' if index.unique else ''}"
            f"{'' if index.kind == 'btree' else ' ' + index.kind}"
            for index in stored.indexes
        )
        parts.append(f"Indexes: {', '.join(names)}")
    if stored.schema is not None:
        parts.append(f"Schema: {schema_text(stored.schema)}")
    return parts


def schema_text(schema: Any) -> str:
    """A schema on one line: `name string, age integer; nothing else`."""
    fields = schema.get("fields") if isinstance(schema, dict) else None
    if not isinstance(fields, dict):
        return "its rows follow one"
    shown = []
    for name, definition in list(fields.items())[:FIELDS_SHOWN_MAX]:
        shown.append(f"`{name}` {type_text(definition)}".rstrip())
    more = ", ..." if len(fields) > FIELDS_SHOWN_MAX else ""
    closed = "; nothing else" if schema.get("extra") is False else ""
    return f"{', '.join(shown)}{more}{closed}"


def _fields(records: RecordsSight) -> list[str]:
    if not records.fields:
        return []
    lines = [_field_line(field, records) for field in records.fields[:FIELDS_SHOWN_MAX]]
    if len(records.fields) > FIELDS_SHOWN_MAX:
        lines.append(f"- ... {len(records.fields) - FIELDS_SHOWN_MAX} more")
    of = f"Fields of {records.records} {_plural('record', records.records)}"
    return [f"{of}:\n\n" + "\n".join(lines)]


def _field_line(field: FieldSight, records: RecordsSight) -> str:
    types = "|".join(field.types)
    share = "" if field.count == records.records else f" ({field.count} of {records.records})"
    example = ""
    if isinstance(field.shown, str) and next(iter(field.types), "") != "function":
        text = quoted(field.shown) if "string" in list(field.types)[:1] else field.shown
        if "`" not in text:
            example = f", such as `{text[:60]}`"
    return f"- `{field.name}` {types}{share}{example}"


def _last(way: Way) -> str:
    return str(way.steps[-1]) if way.steps else ""


def _plural(word: str, count: int) -> str:
    return word if count == 1 else f"{word}s"


def _code(text: str) -> str:
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}lua\n{text}\n{fence}"
