"""The top-level locals of a document, and sources in which a part of it sees them.

Owns what `docs/architecture.md` says under "Locals of a document": which locals a part sees, and
how it is written for the VM. Lines stay where they are; nothing is moved, only added around it and
within lines. Must not know LSP types or sessions, beyond the description that they take.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from tree_sitter import Node, Parser

from lua_ls_persist.server.documents import Document
from lua_ls_persist.server.forms import LUA, Syntax, syntax_of
from lua_ls_persist.server.positions import Position, Range
from lua_ls_persist.session.documents import CAPTURE, NOT_LOCAL, DocumentCode, Way

_FUNCTIONS: Final = frozenset({"function_declaration", "function_definition"})


@dataclass(frozen=True, slots=True)
class Declaration:
    """A name that a statement of the outermost level declares as a local."""

    name: str
    attribute: str
    """`const`, `close`, or nothing."""
    node: Node
    """The name itself."""
    statement: Node


def declarations(root: Node) -> Iterator[Declaration]:
    """The top-level locals of a chunk, in order; a name may come more than once.

    In broken code also what stands inside of what is wrong: nobody knows where that ends.
    """
    for statement in root.named_children:
        if statement.type == "ERROR":
            yield from declarations(statement)
        elif statement.type == "function_declaration" and statement.children[0].type == "local":
            name = statement.child_by_field_name("name")
            if name is not None and name.type == "identifier":
                yield Declaration(_text(name), "", name, statement)
        elif statement.type == "variable_declaration":
            yield from _variables(statement)


def _variables(statement: Node) -> Iterator[Declaration]:
    named: Node | None = None
    attribute = ""
    variables = _variable_list(statement)
    for part in () if variables is None else variables.children:
        if part.type == "identifier":
            if named is not None:
                yield Declaration(_text(named), attribute, named, statement)
            named, attribute = part, ""
        elif part.type == "attribute":
            attribute = _text(part).strip("<> \t\r\n")
    if named is not None:
        yield Declaration(_text(named), attribute, named, statement)


def _variable_list(statement: Node) -> Node | None:
    inner = _inner(statement)
    if inner is not None and inner.type == "assignment_statement":
        lists = (node for node in inner.named_children if node.type == "variable_list")
        return next(lists, None)
    return inner


def _inner(statement: Node) -> Node | None:
    """What a declaration is of: an assignment, or names."""
    return next((node for node in statement.named_children if node.type != "comment"), None)


@dataclass(frozen=True, slots=True)
class Named:
    """A top-level local in the text of a document."""

    name: str
    attribute: str
    range: Range
    """The name."""
    statement: Range
    value: str
    """The expression that it is declared with, where that is the only one; else nothing."""


def named_in(document: Document) -> tuple[Named, ...]:
    """The top-level locals of a document, in order. Found once for each state of it; any thread."""
    known = document.derived.get("locals")
    if not isinstance(known, tuple):
        syntax = syntax_of(document)
        known = document.derived["locals"] = tuple(
            Named(
                one.name,
                one.attribute,
                syntax.range_of(one.node),
                syntax.range_of(one.statement),
                _only_value(one.statement),
            )
            for one in declarations(syntax.root)
        )
    return known


def code_of(
    document: Document, range_: Range | None, key: str, *, afresh: bool = False
) -> tuple[str, DocumentCode] | None:
    """The source of a document or a range of it, and what is to be known about its locals.

    With `afresh`, or without a range, nothing of what was known of the document counts any more.
    None: the syntax is wrong, and the source is to be evaluated as it stands.
    """
    afresh = afresh or range_ is None
    place = document.range if range_ is None else range_
    source = _plain_start(document.source if range_ is None else document.text(place))
    around = None if afresh else _Around.of(named_in(document), place.start)
    # The tree is there already; but what is one expression is evaluated for its value.
    tree = syntax_of(document) if range_ is None and source == document.source else None
    if tree is not None and len(tree.forms) == 1 and tree.forms[0].kind == "function_call":
        tree = None
    return _described(source, around, key, place.start.row, whole=afresh, tree=tree)


def code_of_text(
    text: str, key: str, document: Document | None = None, *, row: int = 0
) -> tuple[str, DocumentCode] | None:
    """The same for what stands in no document, and sees all locals that are known of `document`.

    Without a document: all that texts of the same key have declared before.
    """
    around = _Around() if document is None else _Around.of(named_in(document), document.end)
    return _described(text, around, key, row, whole=False)


def _described(
    source: str,
    around: _Around | None,
    key: str,
    row: int,
    *,
    whole: bool,
    tree: Syntax | None = None,
) -> tuple[str, DocumentCode] | None:
    part = _Part.of(source, tree)
    if part is None:
        return None

    def compose(known: frozenset[str]) -> Sequence[Way]:
        return part.ways(row, around, known)

    return source, DocumentCode(key, compose, whole=whole)


def _only_value(statement: Node) -> str:
    inner = _inner(statement)
    if statement.type != "variable_declaration" or inner is None:
        return ""
    if inner.type != "assignment_statement":
        return ""
    values = [node for node in inner.named_children if node.type == "expression_list"]
    only = values[0].named_children if values else []
    return _text(only[0]) if len(only) == 1 else ""


def _plain_start(source: str) -> str:
    """Without what stands before the Lua code of a file: a byte order mark, a shell line."""
    source = source.removeprefix("\ufeff")
    if source.startswith("#!"):
        end = source.find("\n")
        source = "" if end < 0 else source[end:]
    return source


@dataclass(frozen=True, slots=True)
class _Around:
    """The locals of the document that a part of it belongs to."""

    counts: Mapping[str, int] | None = None
    """How often each is declared; None: the text is not there, and all that is known counts."""
    above: Mapping[str, str] = field(default_factory=dict)
    """Those that are declared above the part, with their attributes."""

    @classmethod
    def of(cls, named: Iterable[Named], place: Position) -> _Around:
        named = tuple(named)
        above = {one.name: one.attribute for one in named if one.statement.end <= place}
        return cls(Counter(one.name for one in named), above)

    def visible(self, known: frozenset[str]) -> dict[str, str]:
        """What the part sees of what is known."""
        if self.counts is None:
            return dict.fromkeys(sorted(known), "")
        return {name: attribute for name, attribute in self.above.items() if name in known}

    def is_single(self, name: str) -> bool:
        """Declared at most once: each mention of it in the document is about that variable."""
        return self.counts is None or self.counts.get(name, 0) <= 1


class _Part:
    """A part of a document by itself: a chunk, or an expression."""

    def __init__(self, source: bytes, root: Node, *, is_expression: bool) -> None:
        self.source = source
        self.root = root
        self.is_expression = is_expression
        self.declared = [] if is_expression else list(declarations(root))

    @classmethod
    def of(cls, source: str, whole: Syntax | None = None) -> _Part | None:
        """A source by itself; `whole` is its tree if it is all of a document."""
        content = source.encode()
        if whole is not None and not whole.root.has_error:
            return cls(content, whole.root, is_expression=False)
        parser = Parser(LUA)
        as_expression = parser.parse(b"return nil, " + content)
        if not as_expression.root_node.has_error and content.strip():
            return cls(content, as_expression.root_node, is_expression=True)
        tree = parser.parse(content)
        return (
            None if tree.root_node.has_error else cls(content, tree.root_node, is_expression=False)
        )

    def ways(self, row: int, around: _Around | None, known: frozenset[str]) -> list[Way]:
        """The sources to try, best first; none if there is nothing to add to it."""
        visible = {} if around is None else around.visible(known)
        if visible:
            # An environment of one's own is meant by every global name.
            wanted = {*_mentioned(self.root, []), "_ENV"}
            visible = {name: what for name, what in visible.items() if name in wanted}
        if self.is_expression:
            return [self._way(row, visible, self.source, is_expression=True)] if visible else []
        again = [] if around is None else self._declared_again(around, known)
        if not visible and not self.declared:
            return []
        assigned = _Edits()
        for one in again:
            assigned.declare_no_more(one)
            for declaration in one:
                visible.setdefault(declaration.name, "")
        places = self._capture(assigned, {name.node.id for names in again for name in names})
        updated, kept = self._shared(around, known, again)
        text = assigned.applied_to(self.source)
        first = self._way(row, visible, text, captures=places, updated=updated, kept=kept)
        # A label at the end is at the end no more, or there are too many locals: without capturing.
        return [first, self._way(row, visible, self.source)] if visible else [first]

    def _declared_again(self, around: _Around, known: frozenset[str]) -> list[list[Declaration]]:
        """The statements that assign variables which there are already, instead of new ones.

        So functions that share the variable see the new value: a helper that is evaluated again is
        another one for all that call it.
        """
        seen: set[str] = set()
        found: list[list[Declaration]] = []
        for statement in self.root.named_children:
            names = [one for one in self.declared if one.statement == statement]
            is_function = statement.type == "function_declaration"
            mentioned = set() if is_function else set(_mentioned(statement, names))
            if names and all(
                one.name in known
                and around.is_single(one.name)
                and not one.attribute
                and one.name not in mentioned
                and one.name not in seen
                for one in names
            ):
                found.append(names)
            seen.update(_mentioned(statement, []))
        return found

    def _capture(self, edits: _Edits, left_out: set[int]) -> tuple[tuple[str, ...], ...]:
        """Adds what hands over the locals, at the end and wherever the chunk returns."""
        captures: list[tuple[str, ...]] = []
        declared = [one for one in self.declared if one.node.id not in left_out]

        def hand_over(names: Iterable[str]) -> str:
            captures.append(tuple(dict.fromkeys(names)))
            values = ", ".join(captures[-1])
            return f"{CAPTURE}({len(captures)}, function() return {values} end)"

        last: Node | None = None
        for statement in self.root.named_children:
            if statement.type != "comment":
                last = statement
            start = statement.start_byte
            # Most statements return nothing, which costs less to see than to look for.
            if b"return" not in self.source[start : statement.end_byte]:
                continue
            nodes = tuple(_returns(statement))
            if not nodes:
                continue
            above = [one.name for one in declared if one.statement.end_byte <= start]
            for node in nodes:
                hidden = set() if node == statement else set(_locals_inside(statement))
                names = [name for name in above if name not in hidden]
                if names:
                    edits.insert(node.start_byte, hand_over(names) + " ")
        if declared and (last is None or last.type != "return_statement"):
            edits.insert(len(self.source), "\n" + hand_over(one.name for one in declared))
        return tuple(captures)

    def _shared(
        self, around: _Around | None, known: frozenset[str], again: list[list[Declaration]]
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Names whose old variables get the new values, and those of which the old one stays."""
        if around is None:
            return (), ()
        done = {one.name for names in again for one in names}
        updated = [
            one.name
            for one in self.declared
            if one.name in known and around.is_single(one.name) and one.name not in done
            if not one.attribute
        ]
        statements = [node for node in self.root.named_children if node.type != "comment"]
        alone = len(statements) == 1 and statements[0].type == "variable_declaration"
        return tuple(updated), tuple(updated) if alone else ()

    def _way(
        self,
        row: int,
        visible: dict[str, str],
        text: bytes,
        *,
        captures: tuple[tuple[str, ...], ...] = (),
        updated: tuple[str, ...] = (),
        kept: tuple[str, ...] = (),
        is_expression: bool = False,
    ) -> Way:
        names = [f"{name} <const>" if attribute else name for name, attribute in visible.items()]
        start = f"local {', '.join([f'{CAPTURE} <const>', *names])} = ... return function(...)"
        start += " return nil, " if is_expression else " "
        # On the line above if there is one, so that no line of the document is another one.
        start = start.rstrip() + "\n" if row and not is_expression else start
        return Way(
            start + text.decode() + "\nend",
            max(row - 1, 0) if start.endswith("\n") else row,
            tuple(visible),
            captures,
            updated,
            kept,
            is_expression,
        )


class _Edits:
    """Changes to a source that leave its lines as they are."""

    def __init__(self) -> None:
        self._edits: list[tuple[int, int, str]] = []

    def insert(self, at: int, text: str) -> None:
        """Puts a text in front of what stands at a place."""
        self._edits.append((at, at, text))

    def declare_no_more(self, names: Sequence[Declaration]) -> None:
        """Makes an assignment of a declaration."""
        statement = names[0].statement
        start = statement.children[0]
        self._edits.append((start.start_byte, start.end_byte, NOT_LOCAL))
        inner = _inner(statement)
        if statement.type != "variable_declaration" or inner is None:
            return
        if inner.type == "variable_list":
            self._edits.append((inner.end_byte, inner.end_byte, " = nil"))

    def applied_to(self, source: bytes) -> bytes:
        """The source with all changes."""
        parts: list[bytes] = []
        done = 0
        for start, end, text in sorted(self._edits, key=lambda edit: edit[0]):
            parts += [source[done:start], text.encode()]
            done = end
        return b"".join([*parts, source[done:]])


def _text(node: Node) -> str:
    text = node.text
    assert text is not None
    return text.decode(errors="replace")


def _returns(statement: Node) -> Iterator[Node]:
    """The `return`s of a chunk in one of its statements, not those of functions inside."""
    stack = [statement]
    while stack:
        node = stack.pop()
        if node.type == "return_statement":
            yield node
        elif node.type not in _FUNCTIONS:
            stack.extend(reversed(node.named_children))


def _locals_inside(statement: Node) -> Iterator[str]:
    """All names that are declared somewhere in a statement."""
    stack = list(statement.named_children)
    while stack:
        node = stack.pop()
        if node.type in ("variable_list", "for_numeric_clause", "parameters"):
            yield from (_text(part) for part in node.named_children if part.type == "identifier")
        elif node.type == "function_declaration":
            name = node.child_by_field_name("name")
            if name is not None:
                yield _text(name)
        stack.extend(node.named_children)


def _mentioned(node: Node, besides: Sequence[Declaration]) -> Iterator[str]:
    """All identifiers below a node, the names that it declares left out."""
    left_out = {one.node.id for one in besides}
    stack = [node]
    while stack:
        part = stack.pop()
        if part.type == "identifier" and part.id not in left_out:
            yield _text(part)
        stack.extend(part.named_children)
