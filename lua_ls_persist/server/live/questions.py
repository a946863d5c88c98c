"""The tables and questions that a document speaks of: `ext.table("users")`, `ext.query(...)`.

Owns what is read from the source: which table, and which question, as far as it is written out. A
value that is computed is replaced by some value: which index leads to the rows does not depend on
it. Must not know LSP types.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import zip_longest
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from lua_ls_persist.errors import LuaPersistError
from lua_ls_persist.literals import parse_literal
from lua_ls_persist.query import parse_field, parse_query
from lua_ls_persist.query.advice import Advice, advice_for
from lua_ls_persist.server.analysis import Scopes
from lua_ls_persist.server.analysis.ext_names import EXT, ExtNames, names_of_ext
from lua_ls_persist.server.analysis.facts import fact, outermost
from lua_ls_persist.server.analysis.nodes import Chain, Name, Statement
from lua_ls_persist.server.analysis.resolving import free_names
from lua_ls_persist.server.live.candidates import OPERATORS, QUERY_PARTS
from lua_ls_persist.server.live.fields import mentioning
from lua_ls_persist.server.live.resolving import Resolver, table_at, table_named
from lua_ls_persist.server.live.schemas import fields_of_rows
from lua_ls_persist.server.live.spelling import nearest
from lua_ls_persist.server.positions import Range
from lua_ls_persist.session.sights import ANY, Question, Way

if TYPE_CHECKING:
    from lua_ls_persist.model import IndexInfo
    from lua_ls_persist.session import Session

MENTIONS_MAX: Final = 200

_OPERATOR: Final = "|".join(map(re.escape, OPERATORS))
_COMPUTED = re.compile(
    r"""(\{\s*(?:"[^"\n]*"|'[^'\n]*')\s*,\s*["'](?:""" + _OPERATOR + r""")["']\s*,)[^{}]*\}"""
)
_PLACEHOLDER: Final = r"\1 0 }"
_PAGE = re.compile(r"\b(?:limit|after)\s*=\s*[^,{}]+")


@dataclass(frozen=True, slots=True)
class Mention:
    """A call of `ext` that is about a table."""

    function: str
    """`table`, `query`, `count` ..."""
    table: Way
    range: Range
    """The call."""
    question: str = ""
    """The source of the question's table; empty where there is none."""


@dataclass(frozen=True, slots=True)
class Plan:
    """How the rows of a question are found."""

    index: str | None
    rows: int
    """How many the table has."""
    advice: Advice | None = None
    """An index that would help."""


class _Call(NamedTuple):
    """What may be a call of `ext` in a statement of the outermost level; offsets count from it."""

    chain: Chain
    base: int
    """What the chain's offsets count from."""
    place: int
    """Which step of the chain calls."""
    function: str
    """Of `ext`, if the variable is that; empty where only the variable may tell."""
    table: Way | None
    """None where it is no constant: then it depends on what stands above."""
    is_ext: bool
    """Whether the variable is `ext`, if nothing that stands above declares it."""


def mentions_in(scopes: Scopes, key: str | None, rows: Range | None = None) -> list[Mention]:
    """The tables and questions of a document, in the order of the text; those on some rows."""
    found = list(_mentions(scopes, Resolver(scopes, key), rows))
    found.sort(key=lambda one: one.range.start)
    return found[:MENTIONS_MAX]


def _mentions(scopes: Scopes, resolver: Resolver, rows: Range | None) -> Iterator[Mention]:
    starts = scopes.chunk.block.offsets
    names, known = names_of_ext(scopes), ExtNames(scopes)
    is_global = True
    # What is not closed yet goes on up to the next statement.
    for (base, statement), end in zip_longest(outermost(scopes.chunk), starts[1:]):
        if not names.isdisjoint(statement.mentions):
            if end is None:
                end = len(scopes.chunk.source)
            if rows is None or share_row(scopes.range(base, end), rows):
                for name in names & statement.mentions:
                    for call in fact(statement, (_calls, name), partial(_calls, statement, name)):
                        function = call.function
                        if not (call.is_ext and is_global):
                            function = _function(known, call, base)
                        mention = function and _mention(scopes, resolver, base, call, function)
                        if mention and (rows is None or share_row(mention.range, rows)):
                            yield mention
        if statement.kind in ("local", "local function") and any(
            isinstance(target, Name) and target.text in (EXT, "_ENV")
            for target in statement.targets
        ):
            is_global = False  # Below it, `ext` may be another thing.


def share_row(one: Range, other: Range) -> bool:
    """Whether two ranges have a row in common."""
    return one.start.row <= other.end.row and other.start.row <= one.end.row


def _calls(statement: Statement, name: str) -> list[_Call]:
    """The calls by a name that may be about a table. Reads nothing but the statement."""
    free = {shift + one.offset for shift, one in free_names(statement) if one.text == name}
    found = []
    for base, inner in mentioning(statement, 0, name):
        for chain in inner.chains:
            if chain.base is None or chain.base.text != name:
                continue
            place = 0 if chain.steps[0].kind == "(" else 1
            function = str(chain.steps[0].key) if place else ""
            step = chain.steps[place] if len(chain.steps) > place else None
            if step is None or step.kind != "(" or not step.arguments:
                continue
            if not place or _is_about_table(function):
                table = table_named(step.arguments[0].expression)
                is_ext = name == EXT and place == 1 and base + chain.base.offset in free
                found.append(_Call(chain, base, place, function, table, is_ext))
    return found


def _is_about_table(function: str) -> bool:
    return function == "table" or function in QUERY_PARTS


def _function(known: ExtNames, call: _Call, base: int) -> str:
    """The function of `ext` that is called by another name; empty if it is none about a table."""
    called = known.function(call.chain, base + call.base)
    is_it = called is not None and called[1] == call.place and _is_about_table(called[0])
    return called[0] if called and is_it else ""


def _mention(
    scopes: Scopes, resolver: Resolver, base: int, call: _Call, function: str
) -> Mention | None:
    chain, base = call.chain, base + call.base
    table = call.table or resolver.table(chain, base, call.place)
    if table is None:
        return None
    step = chain.steps[call.place]
    question = ""
    if function != "table" and len(step.arguments) > 1:
        argument = step.arguments[1]
        question = scopes.chunk.source[base + argument.start : base + argument.end]
    range_ = scopes.range(base + chain.start, base + step.end)
    return Mention(function, table, range_, question.strip())


def path_of(way: Way) -> str | None:
    """The path of a table, as commands take it; None if nobody can name it."""
    if ANY in way.steps or way.document is not None:
        return None
    if way.root is None and way.steps[:1] != ("Memory",):
        return None
    return str(way)


def question_of(text: str) -> Mapping[str, Any] | None:
    """A question as data; None where it is not written out, or makes no sense."""
    for source in (text, _PAGE.sub("limit = 1", _COMPUTED.sub(_PLACEHOLDER, text))):
        try:
            data = parse_literal(source)
        except LuaPersistError:
            continue
        if isinstance(data, Mapping):
            wanted = ("where", "order_by", "descending")
            return {name: data[name] for name in wanted if name in data}
    return None


def plan(session: Session, path: str, question: Mapping[str, Any]) -> Plan | None:
    """How a question would be answered; None where there is nothing to tell.

    Asks the store for a plan only where an index may lead to the rows: it looks at rows for that.
    """
    try:
        query = parse_query(question)
        indexes = session.indexes(path)
        wanted = _fields_of(question)
        info = session.inspect(path, limit=1)
    except LuaPersistError:
        return None
    if not wanted:
        return None
    if any(_may_help(index, wanted) for index in indexes):
        index = session.explain(path, limit=1, **question).index
    else:
        index = None
    advice = None if index is not None else advice_for(query)
    if advice is not None and _is_misspelt(session, path, advice):
        advice = None
    return Plan(index, info.total, advice)


def _is_misspelt(session: Session, path: str, advice: Advice) -> bool:
    """Whether a field of an index is one that no row seems to have, and nearly one that rows have.

    The checks tell that; an index would be of no use.
    """
    (rows,) = session.look([Question(table_at(path), fields="elements", stored=True)])
    known = fields_of_rows(rows)
    firsts = {key for text in advice.fields for key in parse_field(text).steps[:1]}
    return any(
        isinstance(first, str) and first not in known and nearest(first, known) is not None
        for first in firsts
    )


def _may_help(index: IndexInfo, wanted: set[str]) -> bool:
    return bool(wanted & set(index.fields))


def _fields_of(question: Mapping[str, Any]) -> set[str]:
    """All texts in a question's conditions and order: fields are among them."""
    found: set[str] = set()
    stack: list[Any] = [question.get("where"), question.get("order_by")]
    while stack:
        part = stack.pop()
        if isinstance(part, str):
            found.add(part)
        elif isinstance(part, Mapping):
            stack.extend(part.values())
        elif isinstance(part, (list, tuple)):
            stack.extend(part)
    return found
