"""What a look at the VM asks of the host: what is wanted, and ids of tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from lua_ls_persist.errors import WireError
from lua_ls_persist.session.services import DataOperation, DataServices
from lua_ls_persist.session.trees import Stored, Tree
from lua_ls_persist.store.rows import PERMANENT, TABLE

_Arguments = Mapping[Any, Tree]

LIBRARIES: Final = {
    "": "assert collectgarbage dofile error getmetatable ipairs load loadfile next pairs pcall "
    "print rawequal rawget rawlen rawset require select setmetatable tonumber tostring type warn "
    "xpcall",
    "coroutine": "close create isyieldable resume running status wrap yield",
    "debug": "debug gethook getinfo getlocal getmetatable getregistry getupvalue getuservalue "
    "setcstacklimit sethook setlocal setmetatable setupvalue setuservalue traceback upvalueid "
    "upvaluejoin",
    "ext": "aggregate batch check_schemas collect compress count derive_schema drop drop_index "
    "explain functions history index indexes info memory migrate permanent query rebuild_index "
    "schema schema_annotations schemas set_schema_annotations table tables transaction",
    "io": "close flush input lines open output popen read tmpfile type write",
    "math": "abs acos asin atan atan2 ceil cos cosh deg exp floor fmod frexp ldexp log log10 max "
    "min modf pow rad random randomseed sin sinh sqrt tan tanh tointeger type ult",
    "os": "clock date difftime execute exit getenv remove rename setlocale time tmpname",
    "package": "loadlib searchpath",
    "string": "byte char dump find format gmatch gsub len lower match pack packsize rep reverse "
    "sub unpack upper",
    "table": "concat insert move pack remove sort unpack",
    "utf8": "char codepoint codes len offset",
}
"""The functions of the core, which tell nothing of themselves, by the library that has them."""

_NAMED: Final = {
    name: Stored(PERMANENT, name)
    for library, names in LIBRARIES.items()
    for name in (f"{library}.{name}" if library else name for name in names.split())
}
_GIVEN: Final = {
    name: Stored(PERMANENT, name) for name in ("_G", *LIBRARIES[""].split(), *LIBRARIES) if name
}


def _look(services: DataServices, _arguments: _Arguments) -> Tree:
    return {"questions": services.arguments, "globals": Stored(PERMANENT, "_G")}


def _named(_services: DataServices, _arguments: _Arguments) -> Tree:
    return _NAMED


def _given(_services: DataServices, _arguments: _Arguments) -> Tree:
    """The globals that every session begins with."""
    return _GIVEN


def _id(_services: DataServices, arguments: _Arguments) -> Tree:
    table = arguments.get("table")
    if not isinstance(table, Stored) or table.kind != TABLE:
        raise WireError("this is no external table")
    return table.native


OPERATIONS: Final = {
    "look": DataOperation(_look),
    "look_given": DataOperation(_given),
    "look_id": DataOperation(_id),
    "look_named": DataOperation(_named),
}
"""By name, for `data`."""
