"""Entities for people and for the VM: what they are called, and how to get to them.

Knows nothing of where they come from. Must not know LSP types.
"""

from __future__ import annotations

from lua_ls_persist.server.analysis.entity import Entity, shown
from lua_ls_persist.server.live.asking import ELEMENT
from lua_ls_persist.session.sights import ANY, Way


def label(entity: Entity) -> str:
    """What a person calls it: `User.name`, `users[...].age`."""
    kind = entity.root[0]
    keys = Entity((), tuple("..." if key == ELEMENT else key for key in entity.keys))
    text = shown(keys).replace("['...']", "[...]")
    if kind in ("class", "stored"):
        inner = "".join(f"[{key}]" if key == "..." else f".{key}" for key in keys.keys)
        return entity.root[1] + inner
    return text


def way_to(entity: Entity) -> Way | None:
    """How to get in the VM to what a program can reach by a name; None for everything else."""
    steps = tuple(ANY if key == ELEMENT else key for key in entity.keys)
    if entity.is_global:
        return Way(steps)
    return Way(steps, entity.root[1]) if entity.root[0] == "stored" else None


def may_be_same(one: Entity, other: Entity) -> bool:
    """Whether some element that one of two ways leads through may be what the other one names."""
    return (
        one.root == other.root
        and len(one.keys) == len(other.keys)
        and all(
            first == second or ELEMENT in (first, second)
            for first, second in zip(one.keys, other.keys, strict=True)
        )
    )
