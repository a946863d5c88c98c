"""What could stand at the cursor: candidates for completion, as plain data.

Owns which there are, in which order, and what each shows at once. Must not know LSP types.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final, Literal

from lua_ls_persist.pretty import is_name, quoted
from lua_ls_persist.server.analysis import KEYWORDS
from lua_ls_persist.server.live.fields import Written
from lua_ls_persist.server.stdlib import Documented, documentation
from lua_ls_persist.session.sights import (
    FieldSight,
    FunctionSight,
    KeySight,
    RecordsSight,
    Sight,
    Way,
)

CANDIDATES_MAX: Final = 200
DETAIL_WIDTH_MAX: Final = 60

CandidateKind = Literal[
    "local", "global", "field", "function", "method", "module", "table", "keyword", "snippet",
    "constant", "value", "file", "operator",
]  # fmt: skip

SNIPPETS: Final = {
    "for": ("for i = 1, n do", "for ${1:i} = ${2:1}, ${3:n} do\n\t$0\nend"),
    "forp": ("for k, v in pairs(t) do", "for ${1:k}, ${2:v} in pairs(${3:t}) do\n\t$0\nend"),
    "fori": ("for i, v in ipairs(t) do", "for ${1:i}, ${2:v} in ipairs(${3:t}) do\n\t$0\nend"),
    "while": ("while ... do", "while ${1:true} do\n\t$0\nend"),
    "repeat": ("repeat ... until", "repeat\n\t$0\nuntil ${1:true}"),
    "if": ("if ... then", "if ${1:true} then\n\t$0\nend"),
    "ifelse": ("if ... else", "if ${1:true} then\n\t$2\nelse\n\t$0\nend"),
    "function": ("function name(...)", "function ${1:name}($2)\n\t$0\nend"),
    "localf": ("local function name(...)", "local function ${1:name}($2)\n\t$0\nend"),
    "transaction": (
        "ext.transaction(function() ...)",
        "ext.transaction(function()\n\t$0\nend)",
    ),
    "query": (
        "ext.query(table, { where = ... })",
        'ext.query("${1:table}", { where = { "${2:field}", "${3:=}", ${4:value} }, limit = 50 })',
    ),
}

QUERY_PARTS: Final = {
    "query": ("where", "order_by", "descending", "limit", "after", "select"),
    "explain": ("where", "order_by", "descending", "limit", "after", "select"),
    "count": ("where",),
    "aggregate": ("where", "group_by", "count", "sum", "min", "max", "avg"),
}
"""What a question may have, by the function of `ext`."""

QUERY_PART_TEXTS: Final = {
    "where": 'a condition such as `{ "age", ">", 30 }`, or a list of them, all of which hold',
    "order_by": "a field, or a list of fields",
    "descending": "true turns the order round",
    "limit": "how many rows a page has",
    "after": "the `next` of the page before",
    "select": "the fields that are wanted",
    "group_by": "a field, or a list of them: one result for each group",
    "count": "true: how many rows",
    "sum": "the field whose values are added",
    "min": "the field whose least value is wanted",
    "max": "the field whose greatest value is wanted",
    "avg": "the field whose mean is wanted",
}
OPERATORS: Final = {
    "=": "is the value", "!=": "is not the value, or is missing", "<": "is less",
    "<=": "is less or equal", ">": "is greater", ">=": "is greater or equal",
    "in": "is one of a list", "not in": "is none of a list, or is missing",
    "between": "lies between two values, both included", "startsWith": "begins with a text",
    "endsWith": "ends with a text", "contains": "has this part, or this element",
    "exists": "is there", "missing": "is not there", "matches": "has these words (a text index)",
}  # fmt: skip
BATCH_OPERATIONS: Final = ("set", "get", "delete", "query", "count", "insert", "update")
BATCH_PARTS: Final = {
    "op": "what is done",
    "table": "the path of the table",
    "key": "the key of the row",
    "value": "the row, or what is put into it",
    **{name: QUERY_PART_TEXTS[name] for name in QUERY_PARTS["query"]},
}
"""What an operation of a batch may have."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """One thing that could stand there."""

    label: str
    kind: CandidateKind
    rank: int
    """Smaller ones come first."""
    insert: str | None = None
    """What to insert instead of the label."""
    is_snippet: bool = False
    parameters: str = ""
    """Behind the label: `(x, y)`."""
    detail: str = ""
    """A value, or a type."""
    documentation: str = ""
    way: Way | None = None
    """Where its value is, for what is looked up when it is selected."""


def locals_of(names: Iterable[tuple[str, str]]) -> Iterator[Candidate]:
    """Locals in scope, inner ones first, each with its kind."""
    seen: set[str] = set()
    for place, (text, kind) in enumerate(names):
        if text not in seen and text != "_":
            seen.add(text)
            yield Candidate(text, "local", 100 + min(place, 99), detail=kind)


def global_candidates(sight: Sight | None, prefix: str, written: set[str]) -> Iterator[Candidate]:
    """Globals of the VM, then of the source."""
    library = documentation()
    seen: list[frozenset[str]] = []
    if sight is not None:
        seen = [part.names.known for part in sight.chain]
        # One more than is shown, so that it is known that there are more.
        for key in sight.fitting(prefix, CANDIDATES_MAX + 1):
            if isinstance(key.key, str) and is_name(key.key):
                known = library.get(key.key)
                if known is not None and (key.shown == known.path or known.kind != "function"):
                    yield documented(known, 300)
                else:
                    yield _of_key(key, Way((key.key,)), 200)
    else:
        listed = [known for known in library.values() if not known.library]
        seen = [frozenset(known.name for known in listed)]
        for known in listed:
            yield documented(known, 300)
    for name in written.difference(*seen):
        yield Candidate(name, "global", 210, detail="in this document")


def keywords(*, with_snippets: bool) -> Iterator[Candidate]:
    """The words of the language, and patterns of code."""
    for word in sorted(KEYWORDS):
        yield Candidate(word, "keyword", 400)
    if with_snippets:
        for label, (detail, text) in SNIPPETS.items():
            yield Candidate(label, "snippet", 500, insert=text, is_snippet=True, detail=detail)


def member_candidates(
    way: Way | None,
    sight: Sight | None,
    records: RecordsSight | None,
    written: Iterable[Written],
    *,
    colon: bool,
    prefix: str = "",
) -> Iterator[Candidate]:
    """What may follow a dot or a colon."""
    seen: set[str] = set()
    library = _library_of(way)
    if records is not None and not colon:
        for field in fields_of(records, 100):
            if is_name(field.label):
                seen.add(field.label)
                yield field
    if sight is not None:
        for key in sight.listed(prefix):
            if not isinstance(key.key, str) or not is_name(key.key) or key.key in seen:
                continue
            if colon and (key.type not in ("function", "table") or key.key[:2] == "__"):
                continue
            seen.add(key.key)
            known = library.get(key.key) or _string_method(key)
            if known is not None and (key.shown in (known.path, None) or key.type != "function"):
                yield documented(known, 200 + key.depth, method=colon)
            else:
                inside = None if way is None else way / key.key
                yield _of_key(key, inside, 200 + key.depth + 100 * key.key.startswith("__"), colon)
    for one in written:
        if one.name not in seen and is_name(one.name):
            if colon and not one.is_function:
                continue
            seen.add(one.name)
            kind: CandidateKind = "field"
            if one.is_function:
                kind = "method" if one.is_called_with_colon else "function"
            yield Candidate(one.name, kind, 260, detail="in this document")


def key_candidates(
    sight: Sight | None, records: RecordsSight | None, prefix: str, way: Way | None
) -> Iterator[Candidate]:
    """Keys for brackets: of any text, as the content of a string."""
    if sight is not None:
        for key in sight.listed(prefix):
            if isinstance(key.key, str):
                yield _of_key(key, None if way is None else way / key.key, 200 + key.depth)
    if records is not None:
        yield from fields_of(records, 100)


def fields_of(records: RecordsSight, rank: int) -> Iterator[Candidate]:
    """Fields of rows, the most frequent first."""
    for place, field in enumerate(records.fields):
        yield _of_field(field, records, rank + min(place, 99))


def _of_field(field: FieldSight, records: RecordsSight, rank: int) -> Candidate:
    types = "|".join(field.types)
    share = "" if field.count == records.records else f" in {field.count} of {records.records}"
    shown = _value_text(next(iter(field.types), ""), field.shown)
    example = f", such as {shown}" if shown else ""
    return Candidate(field.name, "field", rank, detail=f"{types}{share}{example}")


def documented(entry: Documented, rank: int, *, method: bool = False) -> Candidate:
    """Something of the libraries."""
    kinds: dict[str, CandidateKind] = {"table": "module", "value": "constant"}
    kind: CandidateKind = kinds.get(entry.kind, "method" if method else "function")
    parameters = entry.shown_parameters[1:] if method else entry.shown_parameters
    return Candidate(
        entry.name,
        kind,
        rank,
        parameters=f"({', '.join(parameters)})" if entry.kind == "function" else "",
        detail=entry.library or ("function" if entry.kind == "function" else entry.kind),
        documentation=entry.text,
    )


def function_text(function: FunctionSight) -> str:
    """`function(x, y)`, or the name of a function of the core."""
    return function.name if function.c else f"function({function.signature})"


def limited(candidates: Iterable[Candidate], prefix: str) -> tuple[list[Candidate], bool]:
    """The candidates that fit to what is typed, best first, at most so many; and whether all.

    Those that begin so come first, then those that have it inside.
    """
    folded = prefix.lower()
    ranked: list[tuple[int, bool, str, Candidate]] = []
    seen: set[tuple[str, str]] = set()
    for one in candidates:
        label = one.label.lower()
        if folded and not label.startswith(folded):
            if not _fits(label, folded):
                continue
            place = 1
        else:
            place = 0
        identity = (one.label, "snippet" if one.kind == "snippet" else "")
        if identity not in seen:
            seen.add(identity)
            ranked.append((place * 1000 + one.rank, one.label.startswith("_"), label, one))
    ranked.sort(key=lambda entry: entry[:3])
    return [one for *_, one in ranked[:CANDIDATES_MAX]], len(ranked) <= CANDIDATES_MAX


def _fits(label: str, folded: str) -> bool:
    """Whether all that was typed occurs in a label, in this order."""
    at = 0
    for character in folded:
        at = label.find(character, at) + 1
        if at == 0:
            return False
    return True


def _library_of(way: Way | None) -> dict[str, Documented]:
    if way is None or not way.is_global or len(way.steps) != 1:
        return {}
    prefix = f"{way.steps[0]}."
    return {
        entry.name: entry
        for entry in documentation().values()
        if entry.path.startswith(prefix) and entry.library == way.steps[0]
    }


def _string_method(key: KeySight) -> Documented | None:
    if isinstance(key.shown, str) and key.shown == f"string.{key.key}":
        return documentation().get(key.shown)
    return None


def _of_key(key: KeySight, way: Way | None, rank: int, colon: bool = False) -> Candidate:
    label = str(key.key)
    if key.type == "function":
        parameters = ""
        detail = "function"
        if isinstance(key.shown, list):
            names = key.shown[1:] if colon and key.shown else key.shown
            parameters = f"({', '.join(names)})"
        elif isinstance(key.shown, str):
            detail = key.shown
        kind: CandidateKind = "method" if colon else "function"
        return Candidate(label, kind, rank, parameters=parameters, detail=detail, way=way)
    detail = _value_text(key.type, key.shown) or key.type
    kinds: dict[str, CandidateKind] = {"table": "table"}
    default: CandidateKind = "global" if way is not None and len(way.steps) == 1 else "field"
    return Candidate(label, kinds.get(key.type, default), rank, detail=detail, way=way)


def _value_text(kind: str, shown: object) -> str:
    if kind == "string" and isinstance(shown, str):
        text = quoted(shown)
        return text if len(text) <= DETAIL_WIDTH_MAX else f"{text[: DETAIL_WIDTH_MAX - 4]}..."
    if isinstance(shown, str):
        return shown[:DETAIL_WIDTH_MAX]
    if isinstance(shown, int) and not isinstance(shown, bool):
        return f"table, {shown} in its list" if shown else "table"
    return ""
