"""A parser of Lua that never fails and forgets nothing that is still right.

Owns the grammar of statements and what is taken over from the parse before an edit. Half-typed code
gives what is there of it; everything around is found all the same.

A statement depends on its own text and the token behind it, on nothing before it. So after an edit
every statement that the edit does not touch is taken as it is, at whatever depth, and a key press
in a long text costs about as much as the statement around it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lua_ls_persist.server.analysis.lexer import END, KEYWORD, NAME, STRING
from lua_ls_persist.server.analysis.naming import is_part, words_in
from lua_ls_persist.server.analysis.nodes import (
    FUNCTION,
    GOTO,
    LABEL,
    LOCAL,
    LOOP,
    READ,
    WRITE,
    Block,
    Chain,
    Chunk,
    Event,
    Name,
    Statement,
)
from lua_ls_persist.server.analysis.reading import BINARY, DEPTH_MAX, UNARY, Reader
from lua_ls_persist.server.analysis.reuse import NEVER_REUSED, Reuse

_BLOCK_ENDS = frozenset(("end", "else", "elseif", "until"))
_ENDS_OF = {
    "chunk": frozenset[str](),
    "if": frozenset(("end", "else", "elseif")),
    "repeat": frozenset(("until",)),
}
_END = frozenset(("end",))
_STARTS_EXPRESSION = frozenset(("(", "{", "...", "function", "nil", "true", "false"))


def parse(source: str, previous: Chunk | None = None) -> Chunk:
    """Parses a text; quickly where most of it was parsed before. Any thread."""
    if previous is not None and previous.source == source:
        return previous
    parser, chunk = _pass(source, None if previous is None else Reuse(previous, source))
    if parser.unclosed:
        # Somebody types a function above others, and its `end` is still to come.
        _, chunk = _pass(source, Reuse(chunk, source), by_margin=True)
    return chunk


def _pass(source: str, reuse: Reuse | None, *, by_margin: bool = False) -> tuple[Parser, Chunk]:
    start = 0
    if source.startswith("#"):
        start = source.find("\n") if "\n" in source else len(source)
    parser = Parser(source, start)
    parser.reuse, parser.by_margin = reuse, by_margin
    root = Statement("chunk")
    block = Block("chunk", 0)
    parser.mentions = root.mentions
    parser.advance()
    parser.body(block, "chunk")
    block.end = root.end = len(source)
    root.events.append(block)
    root.blocks = (block,)
    return parser, Chunk(source, root)


def _blocks(events: Sequence[Event]) -> list[Block]:
    found: list[Block] = []
    for event in events:
        if isinstance(event, Block):
            found.append(event)
            if event.tail:
                found += _blocks(event.tail)
    return found


class Parser(Reader):
    """One pass over a text."""

    def __init__(self, source: str, start: int) -> None:
        super().__init__(source, start)
        self.reuse: Reuse | None = None
        self.by_margin = False
        """Whether a function at the margin ends what is open since the margin."""
        self.unclosed = False
        """Whether the text ended in a block."""
        self._open_at_margin = 0
        self._open = {"end": 0, "else": 0, "elseif": 0, "until": 0}
        """How many blocks each keyword could end."""
        self._context_at = -1
        """The last place where it mattered in what the text lies."""

    def body(self, block: Block, opener: str) -> None:
        ends = _ENDS_OF.get(opener, _END)
        for end in ends:
            self._open[end] += 1
        at_margin = opener != "chunk" and self._at_margin(self.base)
        self._open_at_margin += at_margin
        while self.kind != END:
            if self.kind == KEYWORD and self.text in _BLOCK_ENDS:
                if self.text in ends:
                    break
                # The block is not ended; another one around it may be.
                self._context_at = self.start
                if self._open[self.text]:
                    block.closed = False
                    break
                self.advance()
            elif self._ends_by_margin():
                self._context_at = self.start
                block.closed = False
                break
            elif self._starts_statement():
                self.item(block, self._statement, field=False)
            else:
                self.advance()
        if self.kind == END and opener != "chunk":
            self.unclosed = True
        self._open_at_margin -= at_margin
        for end in ends:
            self._open[end] -= 1

    def _at_margin(self, offset: int) -> bool:
        return offset == 0 or self.source[offset - 1] == "\n"

    def _ends_by_margin(self) -> bool:
        """Whether a function begins that is not meant to be in what is open."""
        if not self.by_margin or not self._open_at_margin or not self._at_margin(self.start):
            return False
        return self.text == "function" or (self.text == "local" and self._next() == "function")

    def _starts_statement(self) -> bool:
        kind, text = self.kind, self.text
        if kind == KEYWORD:
            return text not in ("in", "then", "and", "or")
        return (
            NAME <= kind <= STRING + 1
            or text == "::"
            or text in _STARTS_EXPRESSION
            or text in UNARY
        )

    def item(self, block: Block, read: Callable[[Statement], None], *, field: bool) -> None:
        here = self.start
        if self.depth >= DEPTH_MAX:
            self.advance()
            return
        found = None if self.reuse is None else self.reuse.find(here)
        if found is not None and (found[1].kind == "field") == field:
            assert self.reuse is not None
            if self.reuse.untouched(here, found[1]):
                statement = found[1]
                self.end = here + statement.end
                self.advance()
            else:
                self.reuse.enter(*found)
                statement = self._read(read, field=field)
        else:
            statement = self._read(read, field=field)
        if not statement.end:
            return  # Nothing that a table may hold.
        self.mentions |= statement.mentions
        block.offsets.append(here - self.base)
        block.statements.append(statement)

    def _read(self, read: Callable[[Statement], None], *, field: bool) -> Statement:
        statement = Statement("field" if field else "expression")
        saved = self.base, self.events, self.chains, self.mentions
        here = self.base = self.start
        self.events, self.chains = statement.events, statement.chains
        self.mentions = statement.mentions
        self.depth += 1
        read(statement)
        if self.start == here and not field:
            self.advance()
        statement.blocks = _blocks(statement.events) or ()
        self.depth -= 1
        statement.end = self.before - here if self.start != here else 0
        # That a block is open at the end of the text is to be noticed each time.
        in_context = self._context_at >= here or (self.unclosed and self.kind == END)
        statement.reach = NEVER_REUSED if in_context else max(self.end, self.seen) + 1 - here
        self.base, self.events, self.chains, self.mentions = saved
        return statement

    def _statement(self, statement: Statement) -> None:
        if self.kind == KEYWORD:
            read = _STATEMENTS.get(self.text)
            if read is not None:
                statement.kind = self.text
                read(self, statement)
                return
        elif self.text == "::":
            self._label(statement)
            return
        self._expression_statement(statement)

    def _expression_statement(self, statement: Statement) -> None:
        """An assignment or a call; or the bare expression that people write in scratch files."""
        first = self.operand()
        if isinstance(first, Chain) and self.text in ("=", ","):
            targets = [first]
            while self.accept(","):
                target = self.operand()
                if isinstance(target, Chain):
                    targets.append(target)
            if self.accept("="):
                statement.kind = "assign"
                for target in targets:
                    _written(target)
                statement.targets.extend(targets)
                start = self.start
                statement.values = self.expressions()
                if any(map(is_part, targets)):
                    self.mentions.update(words_in(self.source, start, self.before))
                return
        if self.text in BINARY:
            first = None
            while self.text in BINARY:
                self.advance()
                self.operand()
        statement.values.append(first)

    def _local(self, statement: Statement) -> None:
        self.advance()
        if self.text == "function":
            start = self.start
            self.advance()
            statement.kind = "local function"
            owner = None
            if self.kind == NAME:
                owner = Chain(self.start - self.base, self.name(FUNCTION))
                owner.end = self.before - self.base
                assert owner.base is not None
                self.events.append(owner.base)
                statement.targets.append(owner.base)
            statement.values.append(self.function(start, owner))
            return
        names: list[Name] = []
        while self.kind == NAME:
            name = self.name(LOCAL)
            names.append(name)
            if self.accept("<"):
                if self.kind == NAME:
                    name.attribute = self.text
                    self.advance()
                self.accept(">")
            if not self.accept(","):
                break
        if self.accept("="):
            statement.values = self.expressions()
        # They are visible only behind their values.
        self.events.extend(names)
        statement.targets.extend(names)

    def _function(self, statement: Statement) -> None:
        start = self.start
        self.advance()
        owner = None
        if self.kind == NAME:
            owner = Chain(self.start - self.base, self.name(READ))
            assert owner.base is not None
            self.events.append(owner.base)
            while self.text in (".", ":"):
                owner.steps.append(self.field_step())
            owner.end = self.before - self.base
            _written(owner)
            if owner.steps:
                self.chains.append(owner)
            statement.targets.append(owner)
        else:
            statement.kind = "expression"
        block = self.function(start, owner)
        if owner is None and self.text == "(":
            self.advance()  # The call of a function without brackets around it is no Lua.
        statement.values.append(block)

    def _if(self, statement: Statement) -> None:
        while self.text in ("if", "elseif"):
            self.advance()
            self.expression()
            if self.text != "then":
                return
            self._block("then", "if")
        if self.text == "else":
            self._block("else", "if")
        self._close(statement)

    def _while(self, statement: Statement) -> None:
        self.advance()
        self.expression()
        if self.text == "do":
            self._block("while")
            self._close(statement)

    def _do(self, statement: Statement) -> None:
        self._block("do")
        self._close(statement)

    def _for(self, statement: Statement) -> None:
        self.advance()
        names: list[Name] = []
        while self.kind == NAME:
            names.append(self.name(LOOP))
            if not self.accept(","):
                break
        if self.text in ("=", "in"):
            self.advance()
            statement.values = self.expressions()
        statement.targets.extend(names)
        if self.text == "do":
            self._block("for", head=names)
            self._close(statement)
        else:
            self.events.append(self._opened("for", names))

    def _repeat(self, _: Statement) -> None:
        block = self._block("repeat")
        block.closed = self.text == "until"
        if block.closed:
            events, self.events = self.events, block.tail
            self.advance()
            until = self.before
            self.expression()
            self.events = events
            block.end = (self.start if self.before == until else self.before) - self.base

    def _return(self, statement: Statement) -> None:
        self.advance()
        kind, text = self.kind, self.text
        if NAME <= kind <= STRING + 1 or text in _STARTS_EXPRESSION or text in UNARY:
            statement.values = self.expressions()

    def _break(self, _: Statement) -> None:
        self.advance()

    def _goto(self, _: Statement) -> None:
        self.advance()
        if self.kind == NAME:
            self.events.append(self.name(GOTO))

    def _label(self, statement: Statement) -> None:
        statement.kind = "label"
        self.advance()
        if self.kind == NAME:
            name = self.name(LABEL)
            self.events.append(name)
            statement.targets.append(name)
        self.accept("::")

    def _opened(self, kind: str, head: list[Name]) -> Block:
        block = Block(kind, self.before - self.base)
        block.head = head
        block.end = self.before - self.base
        block.closed = False
        return block

    def _block(
        self, kind: str, opener: str | None = None, *, head: list[Name] | None = None
    ) -> Block:
        """A block from behind the keyword under the eye up to the one that ends it."""
        self.advance()
        block = self._opened(kind, head or [])
        block.closed = True
        self.events.append(block)
        self.body(block, opener or kind)
        block.end = self.start - self.base
        return block

    def _close(self, statement: Statement) -> None:
        """The `end` of the last block."""
        block = statement.events[-1]
        assert isinstance(block, Block)
        block.closed = self.accept("end")


_STATEMENTS: dict[str, Callable[[Parser, Statement], None]] = {
    "break": Parser._break,
    "do": Parser._do,
    "for": Parser._for,
    "function": Parser._function,
    "goto": Parser._goto,
    "if": Parser._if,
    "local": Parser._local,
    "repeat": Parser._repeat,
    "return": Parser._return,
    "while": Parser._while,
}


def _written(target: Chain) -> None:
    if target.steps:
        target.steps[-1].write = target.steps[-1].kind != "("
    elif target.base is not None:
        target.base.role = WRITE
