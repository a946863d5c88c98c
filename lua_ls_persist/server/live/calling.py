"""How a function is called that stands before a bracket: what signature help shows.

Owns the choice between the source and the VM: a function that is written in the workspace is what
its author means, whether or not it was evaluated; all others are as they are in the VM.
"""

from __future__ import annotations

from dataclasses import dataclass

from lua_ls_persist.schema.type_texts import FunctionType
from lua_ls_persist.server.analysis import CallSite, FunctionInfo
from lua_ls_persist.server.analysis.annotations import Note
from lua_ls_persist.server.live.annotated import (
    overloads,
    parameter_labels,
    parameter_texts,
    results_label,
    type_labels,
    without_annotations,
)
from lua_ls_persist.server.live.describing import Describer
from lua_ls_persist.server.live.resolving import Literally, Resolver
from lua_ls_persist.server.stdlib import documentation
from lua_ls_persist.session.sights import Question, Way


@dataclass(frozen=True, slots=True)
class Signature:
    """How a function is called."""

    name: str
    parameters: tuple[str, ...]
    """Those that are written between the brackets: of a method without `self`."""
    text: str = ""
    """What it does."""
    results: str = ""
    """`: boolean`; empty where nothing is said of them."""
    texts: tuple[str, ...] = ()
    """What is said of each parameter."""

    @property
    def label(self) -> str:
        """`greet(whom: User, ...): boolean`."""
        return f"{self.name}({', '.join(self.parameters)}){self.results}"

    def spans(self) -> list[tuple[int, int]]:
        """Where each parameter stands in the label."""
        found = []
        at = len(self.name) + 1
        for parameter in self.parameters:
            found.append((at, at + len(parameter)))
            at += len(parameter) + 2
        return found

    def active(self, argument: int) -> int | None:
        """Which parameter an argument is for; None beyond the last one."""
        if argument < len(self.parameters):
            return argument
        variadic = bool(self.parameters) and self.parameters[-1].startswith("...")
        return len(self.parameters) - 1 if variadic else None


def written_signatures(
    call: CallSite, function: FunctionInfo, note: Note, comment: str
) -> list[Signature]:
    """Of a function as it is written and annotated, its overloads behind."""
    names = (*function.parameters, *(("...",) if function.variadic else ()))
    if function.is_method and not call.is_method:
        names = ("self", *names)
    elif call.is_method and not function.is_method:
        names = names[1:]
    text = without_annotations(comment)
    own = Signature(
        call.function.text,
        parameter_labels(names, note),
        text,
        results_label(note.returns),
        parameter_texts(names, note),
    )
    others = overloads(note, drops_self=call.is_method)
    return [own, *(_of_type(call, type_, text) for type_ in others)]


def typed_signature(call: CallSite, type_: FunctionType) -> Signature:
    """Of a function of which only the type is known."""
    drops_self = call.is_method and bool(type_.parameters)
    return _of_type(call, FunctionType(type_.parameters[drops_self:], type_.returns), "")


def _of_type(call: CallSite, type_: FunctionType, text: str) -> Signature:
    return Signature(call.function.text, type_labels(type_), text, results_label(type_.returns))


async def live_signature(
    describer: Describer, resolver: Resolver, call: CallSite, *, static: bool
) -> Signature | None:
    """Of the function that is there in the VM, or that the libraries have."""
    target = resolver.target(call.function)
    if isinstance(target, Literally) or not isinstance(target, Way):
        return None
    sight = await describer.workspace.view.see(Question(target))
    if sight is None or sight.function is None:
        entry = documentation().get(str(target))
        if entry is None or entry.kind != "function" or not static:
            return None
        names = entry.shown_parameters[call.is_method :]
        return Signature(call.function.text, names, entry.text)
    function = sight.function
    if function.c:
        entry = documentation().get(function.name)
        if entry is None or not (static or function.name.startswith("ext.")):
            return None
        return Signature(call.function.text, entry.shown_parameters[call.is_method :], entry.text)
    names = (*function.parameters, *(("...",) if function.is_vararg else ()))
    if call.is_method or sight.is_called:
        names = names[1:] if names[:1] != ("...",) else names
    note = describer.note(function)
    return Signature(
        call.function.text,
        parameter_labels(names, note),
        without_annotations(describer.comment(function)),
        results_label(note.returns),
        parameter_texts(names, note),
    )
