"""How annotations are shown: parameters with their types, results, overloads."""

from __future__ import annotations

from collections.abc import Sequence

from lua_ls_persist.schema.type_texts import FunctionType
from lua_ls_persist.server.analysis import FunctionInfo
from lua_ls_persist.server.analysis.annotations import Note
from lua_ls_persist.server.live.meaning import function_type

NOTHING = Note()


def parameter_labels(names: Sequence[str], note: Note) -> tuple[str, ...]:
    """`name: string`, `count?: integer`; the bare name where nothing is said of it."""
    found = []
    for name in names:
        type_ = note.params.get(name, ("", ""))[0]
        mark = "?" if name in note.optional else ""
        found.append(f"{name}{mark}: {type_}" if type_ else f"{name}{mark}")
    return tuple(found)


def parameter_texts(names: Sequence[str], note: Note) -> tuple[str, ...]:
    """What is said of each parameter; empty where nothing is."""
    return tuple(note.params.get(name, ("", ""))[1] for name in names)


def results_label(returns: Sequence[str]) -> str:
    """`: integer, string`; empty where nothing is said of them."""
    return f": {', '.join(one or 'any' for one in returns)}" if any(returns) else ""


def type_labels(type_: FunctionType) -> tuple[str, ...]:
    """The parameters of a type of functions, as they would be written above one."""
    found = []
    for name, inner in type_.parameters:
        is_optional = inner.endswith("|nil")
        mark = "?" if is_optional else ""
        inner = inner.removesuffix("|nil")
        found.append(f"{name}{mark}: {inner}" if inner else name)
    return tuple(found)


def overloads(note: Note, *, drops_self: bool) -> list[FunctionType]:
    """The other ways to call a function, without `self` where that is not written."""
    found = []
    for text in note.overloads:
        type_ = function_type(text)
        if type_ is not None:
            has_self = bool(type_.parameters) and type_.parameters[0][0] == "self"
            skipped = 1 if drops_self and has_self else 0
            found.append(FunctionType(type_.parameters[skipped:], type_.returns))
    return found


def without_annotations(comment: str) -> str:
    """What a comment says in words."""
    lines = (line for line in comment.split("\n") if not line.lstrip().startswith("@"))
    return "\n".join(lines).strip()


def words(comment: str, note: Note) -> str:
    """What a comment says of a function and of its parameters, in Markdown."""
    said = [
        f"- `{name}`: {text}" for name, (_, text) in note.params.items() if text and name != "self"
    ]
    return "\n\n".join(part for part in (without_annotations(comment), "\n".join(said)) if part)


def function_text(name: str, function: FunctionInfo, note: Note, *, with_self: bool = True) -> str:
    """How a function is called that is written, its overloads below."""
    names = [*function.parameters, *(["..."] if function.variadic else [])]
    if function.is_method and with_self:
        names.insert(0, "self")
    lines = [
        f"function {name}({', '.join(parameter_labels(names, note))}){results_label(note.returns)}"
    ]
    lines += [
        f"function {name}({', '.join(type_labels(type_))}){results_label(type_.returns)}"
        for type_ in overloads(note, drops_self=function.is_method and not with_self)
    ]
    return "\n".join(lines)
