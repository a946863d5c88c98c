"""What is known of an expression by the sources alone: candidates, words and suspicions of it.

Owns what inference comes to for features. Must not know LSP types.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from lua_ls_persist.pretty import is_name
from lua_ls_persist.server.analysis import ExpressionPath, doc_comment, scopes_of
from lua_ls_persist.server.documents import Document
from lua_ls_persist.server.live.candidates import Candidate, CandidateKind
from lua_ls_persist.server.live.inference import Inference
from lua_ls_persist.server.live.resolving import Target
from lua_ls_persist.server.live.shapes import (
    OF_SOURCES,
    Instance,
    ListOf,
    Member,
    Members,
    Shape,
)

FIELDS_SHOWN_MAX: Final = 15


@dataclass(frozen=True, slots=True)
class Typed:
    """What an expression is, and what it has."""

    shape: Shape | None = None
    members: Members | None = None

    @property
    def target(self) -> Target | None:
        """Where it leads in the VM, if there."""
        shape = self.shape
        return None if isinstance(shape, OF_SOURCES) else shape


Types: TypeAlias = Callable[[Document, ExpressionPath, int], Awaitable[Typed]]
"""Says what the first steps of an expression are."""


def typed_path(inference: Inference, document: Document, path: ExpressionPath, steps: int) -> Typed:
    """What the first steps of an expression are. Not for the loop's thread."""
    shape = inference.of_path(document, path, steps)
    return Typed(shape, inference.members(shape))


def typed_candidates(typed: Typed, *, colon: bool) -> Iterator[Candidate]:
    """What may follow a dot or a colon."""
    for member in () if typed.members is None else typed.members.members:
        if not is_name(member.name) or (colon and not member.is_function):
            continue
        kind: CandidateKind = "field"
        if member.is_function:
            kind = "method" if colon else "function"
        parameters = _parameters(member, colon=colon)
        detail = member.type or ("" if member.owner else member.text)
        documentation = (member.text or _comment(member)) if member.owner else ""
        yield Candidate(
            member.name,
            kind,
            120,
            parameters=parameters,
            detail=detail or member.owner,
            documentation=documentation,
        )


def typed_text(inference: Inference, document: Document, path: ExpressionPath) -> str:
    """What there is to say about an expression, in Markdown; empty if there is nothing."""
    if path.steps:
        owner = typed_path(inference, document, path, len(path.steps) - 1)
        key = path.steps[-1].key
        member = owner.members.named(key) if owner.members and isinstance(key, str) else None
        return "" if member is None else _member_text(member)
    if path.base is None or path.base.declaration is None:
        return ""
    typed = typed_path(inference, document, path, 0)
    shown = _shape_text(typed.shape)
    if not shown:
        return ""
    lines = [_code(f"{path.base.kind} {path.base.text}: {shown}")]
    members = typed.members.members if typed.members is not None else ()
    fields = [one for one in members if not one.is_function][:FIELDS_SHOWN_MAX]
    if fields:
        lines.append("\n".join(_field_line(one) for one in fields))
    return "\n\n".join(lines)


def _member_text(member: Member) -> str:
    owner = f"{member.owner}." if member.owner else ""
    head = f"(field) {owner}{member.name}"
    if member.is_function and not member.type:
        head = f"function {owner}{member.name}{_parameters(member, colon=False)}"
    elif member.type:
        head += f": {member.type}"
    elif member.text and not member.owner:
        head += f" = {member.text}"
    said = member.text if member.owner else ""
    said = said or _comment(member)
    return _code(head) + (f"\n\n{said}" if said else "")


def _parameters(member: Member, *, colon: bool) -> str:
    """`(x, y)` of a function that stands in the source."""
    value = scopes_of(member.spot.document).value_of(member.spot.range)
    function = None if value is None else value.function
    if not member.is_function or function is None:
        return ""
    names = [*function.parameters, *(["..."] if function.variadic else [])]
    if function.is_method and not colon:
        names.insert(0, "self")
    elif colon and not function.is_method:
        names = names[1:]
    return f"({', '.join(names)})"


def _comment(member: Member) -> str:
    """What is said above a function or a field, without annotations."""
    text = doc_comment(member.spot.document, member.spot.range.start.row)
    return "\n".join(line for line in text.split("\n") if not line.startswith("@")).strip()


def _field_line(member: Member) -> str:
    shown = f" {member.type}" if member.type else ""
    said = f": {member.text}" if member.text else ""
    return f"- `{member.name}`{shown}{said}"


def _shape_text(shape: Shape | None) -> str:
    if isinstance(shape, Instance):
        return shape.name
    if isinstance(shape, ListOf):
        inner = _shape_text(shape.element)
        if inner and shape.has_names:
            return f"table<any, {inner}>"
        return f"{inner}[]" if inner else ""
    return ""


def _code(text: str) -> str:
    return f"```lua\n{text}\n```"
