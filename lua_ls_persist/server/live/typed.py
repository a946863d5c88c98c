"""What is known of an expression by the sources alone: candidates, words and suspicions of it.

Owns what inference comes to for features. Must not know LSP types.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from lua_ls_persist.pretty import is_name
from lua_ls_persist.server.analysis import (
    ExpressionPath,
    FunctionInfo,
    Name,
    doc_comment,
    scopes_of,
)
from lua_ls_persist.server.analysis.annotations import note_above
from lua_ls_persist.server.analysis.entity import Entity, shown
from lua_ls_persist.server.analysis.walking import key_start
from lua_ls_persist.server.documents import Document
from lua_ls_persist.server.live.annotated import (
    function_text,
    results_label,
    type_labels,
    without_annotations,
    words,
)
from lua_ls_persist.server.live.candidates import Candidate, CandidateKind
from lua_ls_persist.server.live.finding import Finder
from lua_ls_persist.server.live.inference import Inference
from lua_ls_persist.server.live.labels import label
from lua_ls_persist.server.live.resolving import Target
from lua_ls_persist.server.live.shapes import (
    OF_SOURCES,
    Called,
    Instance,
    ListOf,
    Member,
    Members,
    Named,
    Shape,
)
from lua_ls_persist.server.navigation import Navigator

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
        documentation = (
            (member.text or without_annotations(_comment(member))) if member.owner else ""
        )
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
        if member is None:
            member = _defined_member(inference.navigator, document, path)
        return "" if member is None else _member_text(member)
    if path.base is None or path.base.declaration is None:
        return ""
    typed = typed_path(inference, document, path, 0)
    noted = _noted_type(document, path.base)
    kind = noted or _shape_text(typed.shape)
    if not kind:
        return ""
    lines = [_code(f"{path.base.kind} {path.base.text}: {kind}")]
    alias = next(inference.navigator.files.aliases(noted), None) if noted else None
    if alias is not None:
        lines.append(_code(f"{noted} = {alias}"))
    members = typed.members.members if typed.members is not None else ()
    fields = [one for one in members if not one.is_function][:FIELDS_SHOWN_MAX]
    if fields:
        lines.append("\n".join(_field_line(one) for one in fields))
    return "\n\n".join(lines)


def _defined_member(
    navigator: Navigator, document: Document, path: ExpressionPath
) -> Member | None:
    """A field by the one place where it gets a value, if it is certain which field it is."""
    finder = Finder(navigator)
    field = finder.field_at(document, path.range.end)
    if field is None or field.entity is None or path.steps[-1].kind == "(":
        return None
    spots = finder.definitions_of(document, field)
    if len(spots) != 1:
        return None
    value = scopes_of(spots[0].document).value_of(spots[0].range)
    is_function = value is not None and value.function is not None
    text = ""
    if value is not None and value.constant is not None:
        text = spots[0].document.text(value.range)
    owner = label(Entity(field.entity.root, field.entity.keys[:-1])) if is_function else ""
    return Member(field.text, "", text, is_function, spots[0], owner)


def _noted_type(document: Document, name: Name) -> str:
    """The type that a comment gives to a local or a parameter, as it is written."""
    if name.declaration is None:
        return ""
    scopes = scopes_of(document)
    start = scopes.offset(name.declaration.start)
    for base, statement in scopes.around(start):
        note = note_above(document, scopes.position(base).row)
        if name.kind == "parameter":
            heads = (one for block in statement.blocks for one in block.head)
            if any(base + one.offset == start for one in heads):
                return note.params.get(name.text, ("", ""))[0]
        elif statement.targets and base + key_start(statement.targets[0]) == start:
            return note.type if statement.kind == "local" else ""
    return ""


def _member_text(member: Member) -> str:
    owner = f"{member.owner}." if member.owner else ""
    head = f"(field) {owner}{member.name}"
    function = _function(member)
    note = note_above(member.spot.document, member.spot.range.start.row)
    if function is not None and not member.type:
        head = function_text(f"{owner}{member.name}", function, note)
        return "\n\n".join(part for part in (_code(head), words(_comment(member), note)) if part)
    if member.type:
        head += f": {member.type}"
    elif note.type:
        head += f": {note.type}"
    elif member.text and not member.owner:
        head += f" = {member.text}"
    said = (member.text if member.owner else "") or without_annotations(_comment(member))
    return _code(head) + (f"\n\n{said}" if said else "")


def _function(member: Member) -> FunctionInfo | None:
    """A member as it is written, if it is a function."""
    value = scopes_of(member.spot.document).value_of(member.spot.range)
    return None if value is None or not member.is_function else value.function


def _parameters(member: Member, *, colon: bool) -> str:
    """`(x, y)` of a function that stands in the source."""
    function = _function(member)
    if function is None:
        return ""
    names = [*function.parameters, *(["..."] if function.variadic else [])]
    if function.is_method and not colon:
        names.insert(0, "self")
    elif colon and not function.is_method:
        names = names[1:]
    return f"({', '.join(names)})"


def _comment(member: Member) -> str:
    """What stands above a function or a field."""
    return doc_comment(member.spot.document, member.spot.range.start.row)


def _field_line(member: Member) -> str:
    shown = f" {member.type}" if member.type else ""
    said = f": {member.text}" if member.text else ""
    return f"- `{member.name}`{shown}{said}"


def _shape_text(shape: Shape | None) -> str:
    if isinstance(shape, Instance):
        return shape.name
    if isinstance(shape, Named):
        return shown(shape.entity)
    if isinstance(shape, Called):
        labels = ", ".join(type_labels(shape.type))
        return f"fun({labels}){results_label(shape.type.returns)}"
    if isinstance(shape, ListOf):
        inner = _shape_text(shape.element)
        if inner and shape.has_names:
            return f"table<any, {inner}>"
        return f"{inner}[]" if inner else ""
    return ""


def _code(text: str) -> str:
    return f"```lua\n{text}\n```"
