"""Expressions of Lua: the lower half of the parser.

Owns the token under the eye and what is gathered for the statement that is read. Never fails: what
is missing is left out, and what nobody expects is left for the caller.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from lua_ls_persist.server.analysis.lexer import (
    END,
    KEYWORD,
    KEYWORDS,
    LONG_STRING,
    NAME,
    NUMBER,
    STRING,
    TOKEN,
    string_value,
)
from lua_ls_persist.server.analysis.naming import FIELD_CALLS, FIELD_PARTS, words_in
from lua_ls_persist.server.analysis.nodes import (
    PARAMETER,
    READ,
    SELF,
    Argument,
    Block,
    Chain,
    Either,
    Event,
    Expression,
    Literal,
    Name,
    Statement,
    Step,
)

DEPTH_MAX: Final = 120
"""Deeper nesting is read as if it began anew; Lua itself refuses it beyond 200."""

_ARITHMETIC = ("+", "-", "*", "/", "//", "%", "^", "&", "|", "~", "<<", ">>", "..")
BINARY = frozenset((*_ARITHMETIC, "==", "~=", "<", "<=", ">", ">=", "and", "or"))
UNARY = frozenset(("-", "not", "#", "~"))
_CONSTANTS = {"nil": None, "true": True, "false": False}
_GO_ON = frozenset((".", ":", "[", "(", "{"))
"""What makes more of what stands in brackets; a string does, too."""
_STOPS_TABLE = KEYWORDS - frozenset({"and", "or", "not", "nil", "true", "false", "function"})
_match = TOKEN.match


class Reader:
    """Reads tokens and expressions; `Parser` adds statements."""

    def __init__(self, source: str, start: int) -> None:
        self.source = source
        self.kind = END
        self.text = ""
        self.start = 0
        self.end = start
        self.before = start
        """Where the token before this one ends."""
        self.seen = start
        """How far it looked ahead."""
        self.depth = 0
        # Of the statement that is read:
        self.base = 0
        self.events: list[Event] = []
        self.chains: list[Chain] = []
        self.mentions: set[str] = set()

    def advance(self) -> None:
        """Goes to the next token."""
        match = _match(self.source, self.end)
        assert match is not None
        kind = match.lastindex
        assert kind is not None
        self.before = self.end
        self.start, self.end = match.span(kind)
        self.text = text = match[kind]
        self.kind = KEYWORD if kind == NAME and text in KEYWORDS else kind

    def accept(self, text: str) -> bool:
        """Goes on if this is the token."""
        if self.text != text:
            return False
        self.advance()
        return True

    def expressions(self) -> list[Expression]:
        """One or more expressions with commas."""
        values = [self.expression()]
        while self.accept(","):
            values.append(self.expression())
        return values

    def expression(self) -> Expression:
        """An expression; of precedence only that nothing binds less than `or`."""
        if self.depth >= DEPTH_MAX:
            return None
        self.depth += 1
        start = self.start
        value = self.operand()
        if self.text in BINARY:
            value = self._either(start, value)
        self.depth -= 1
        return value

    def _either(self, start: int, value: Expression) -> Expression:
        """What an expression may be that has operators, where it is one of its operands."""
        operands: list[Expression] = []
        is_choice = False
        while self.text in BINARY:
            operator = self.text
            self.advance()
            if operator == "or":
                is_choice = True
                operands.append(value)
                value = self.operand()
            else:
                after = self.operand()
                # Of `a and b`, b; what else is computed is none of both.
                value = after if operator == "and" else None
        operands.append(value)
        if not is_choice:
            return None
        return Either(start - self.base, self.before - self.base, tuple(operands))

    def operand(self) -> Expression:
        """One operand with the operators before it."""
        computed = False
        while self.text in UNARY:
            computed = True
            self.advance()
        value = self._simple()
        return None if computed else value

    def _simple(self) -> Expression:
        kind, text = self.kind, self.text
        if kind == NAME or text == "(":
            return self.chain()
        if text == "{":
            return self.table()
        if kind in (STRING, LONG_STRING):
            return self._literal(string_value(text))
        if kind == NUMBER:
            return self._literal(_number(text))
        if kind == KEYWORD:
            if text in _CONSTANTS:
                return self._literal(_CONSTANTS[text])
            # A function without a name: one with a name begins the next statement.
            if text == "function" and self._next() == "(":
                start = self.start
                self.advance()
                return self.function(start, None)
        elif text == "...":
            self.advance()
        return None

    def _literal(self, value: str | float | None) -> Literal:
        literal = Literal(self.start - self.base, self.end - self.base, value)
        self.advance()
        return literal

    def name(self, role: int) -> Name:
        """The name under the eye, and goes on."""
        text = self.text
        name = Name(self.start - self.base, self.end - self.base, text, role)
        self.mentions.add(text)
        self.advance()
        return name

    def chain(self) -> Chain:
        """A name or brackets, and the fields and calls behind."""
        base = self.base
        if self.kind == NAME:
            chain = Chain(self.start - base, self.name(READ))
            self.events.append(chain.base)  # type: ignore[arg-type]
        else:
            chain = self._bracketed()
        steps = chain.steps
        while True:
            text = self.text
            if text in (".", ":"):
                steps.append(self.field_step())
            elif text == "(":
                steps.append(self._call())
            elif text == "[":
                steps.append(self._index())
            elif text == "{" or self.kind in (STRING, LONG_STRING):
                step = Step("(", self.start - base)
                start = self.start
                value = self.table() if text == "{" else self._literal(string_value(text))
                step.arguments.append(Argument(start - base, self.before - base, value))
                step.end = self.before - base
                steps.append(step)
            else:
                break
        chain.end = self.before - base
        if steps:
            self.chains.append(chain)
            if steps[0].key in FIELD_CALLS or (
                chain.base is not None and chain.base.text in FIELD_CALLS
            ):
                # `ext` may have another name, and its functions may be locals.
                start = base + steps[0].start
                self.mentions.update(words_in(self.source, start, self.before))
        return chain

    def _bracketed(self) -> Chain:
        """What stands in brackets; with a field or a call behind, a chain in them goes on there."""
        chain = Chain(self.start - self.base, None)
        self.advance()
        inner = self.expression()
        goes_on = self.accept(")") and (self.text in _GO_ON or self.kind in (STRING, LONG_STRING))
        if goes_on and isinstance(inner, Chain) and inner.base is not None:
            chain.base = inner.base
            if inner.steps:
                chain.steps += inner.steps
                assert self.chains[-1] is inner
                self.chains.pop()  # It is a part of the longer one now.
        return chain

    def field_step(self) -> Step:
        """`.name` or `:name`; the name may not be typed yet."""
        step = Step(self.text, self.start - self.base)
        self.advance()
        if self.kind == NAME:
            step.key = self.text
            self.mentions.add(self.text)
            step.key_start, step.key_end = self.start - self.base, self.end - self.base
            self.advance()
        else:
            step.key = ""
            step.key_start = step.key_end = self.before - self.base
        step.end = self.before - self.base
        return step

    def _index(self) -> Step:
        step = Step("[", self.start - self.base)
        self.advance()
        step.key_start = self.start - self.base
        value = self.expression()
        step.key_end = self.before - self.base
        if isinstance(value, Literal):
            step.key = value.value
            if isinstance(value.value, str):
                self.mentions.add(value.value)
                quote = self.source[self.base + step.key_start]
                if quote != "[":
                    step.key_start += 1
                    closed = self.source[self.base + step.key_end - 1] == quote
                    step.key_end = max(step.key_end - closed, step.key_start)
        step.closed = self.accept("]")
        step.end = self.before - self.base
        return step

    def _call(self) -> Step:
        base = self.base
        step = Step("(", self.start - base)
        self.advance()
        if self.text != ")":
            while True:
                start = self.before
                value = self.expression()
                step.arguments.append(Argument(start - base, self.start - base, value))
                if not self.accept(","):
                    break
        if self.accept(")"):
            step.end = self.before - base
        else:
            step.closed = False
            step.end = self.start - base  # What is typed next still is an argument.
        return step

    def function(self, start: int, owner: Chain | None) -> Block:
        """Parameters and body of a function whose keyword and name were read."""
        block = Block("function", start - self.base)
        block.owner = owner
        self.events.append(block)
        if owner is not None and owner.steps and owner.steps[-1].kind == ":":
            block.head.append(Name(owner.start, owner.steps[-1].start, "self", SELF))
            self.mentions.add("self")
        if self.accept("("):
            while True:
                if self.kind == NAME:
                    block.head.append(self.name(PARAMETER))
                elif self.accept("..."):
                    block.variadic = True
                if not self.accept(","):
                    break
            self.accept(")")
            block.parameters_end = self.before - self.base
            self.body(block, "function")
            block.closed = self.accept("end")
        else:
            block.parameters_end = self.before - self.base
            block.closed = False
        block.end = (self.before if block.closed else self.start) - self.base
        return block

    def table(self) -> Block:
        """A table constructor."""
        block = Block("table", self.start - self.base)
        self.events.append(block)
        self.depth += 1
        self.advance()
        while self.text != "}" and self.kind != END and self.depth <= DEPTH_MAX:
            here = self.start
            if self.text == "[" or (self.kind == NAME and self._next() == "="):
                self.item(block, self._keyed_field, field=True)
            elif "\n" in self.source[self.before : here]:
                self.item(block, self._positional_field, field=True)
            else:
                self.expression()
            if self.text in (",", ";"):
                self.advance()
            elif self.kind == KEYWORD and self.text in _STOPS_TABLE:
                break
            elif self.start == here:
                if self.text == "function":
                    break
                self.advance()  # Nothing that a table may hold.
        self.depth -= 1
        block.closed = self.accept("}")
        block.end = (self.before if block.closed else self.start) - self.base
        return block

    def _next(self) -> str:
        """The text of the token behind the one under the eye."""
        match = _match(self.source, self.end)
        assert match is not None
        self.seen = max(self.seen, match.end())
        return match[match.lastindex or 0]

    def _keyed_field(self, statement: Statement) -> None:
        step = Step(".", self.start - self.base)
        if self.kind == NAME:
            step.key = self.text
            self.mentions.add(self.text)
            step.key_start, step.key_end = self.start - self.base, self.end - self.base
            self.advance()
            step.end = self.before - self.base
        else:
            step = self._index()
        step.write = True
        statement.targets.append(step)
        if self.accept("="):
            start = self.start
            statement.values.append(self.expression())
            if step.key in FIELD_PARTS:
                self.mentions.update(words_in(self.source, start, self.before))

    def _positional_field(self, statement: Statement) -> None:
        statement.values.append(self.expression())

    def body(self, block: Block, opener: str) -> None:
        """The statements of a block, up to the keyword that ends it."""
        raise NotImplementedError

    def item(self, block: Block, read: Callable[[Statement], None], *, field: bool) -> None:
        """One statement, or one field of a table."""
        raise NotImplementedError


def _number(text: str) -> int | float | None:
    try:
        if text[:2] in ("0x", "0X"):
            return float.fromhex(text) if set(text) & set(".pP") else int(text, 16)
        return int(text) if text.isdecimal() else float(text)
    except (ValueError, OverflowError):
        return None
