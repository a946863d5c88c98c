"""The names of Lua's standard library, as a session has them."""

from __future__ import annotations

from typing import Final

_FUNCTIONS = """
    assert collectgarbage dofile error getmetatable ipairs load loadfile next pairs pcall print
    rawequal rawget rawlen rawset require select setmetatable tonumber tostring type warn xpcall
"""
_TABLES = {
    "coroutine": "close create isyieldable resume running status wrap yield",
    "debug": """
        debug gethook getinfo getlocal getmetatable getregistry getupvalue getuservalue
        setcstacklimit sethook setlocal setmetatable setupvalue setuservalue traceback
        upvalueid upvaluejoin
    """,
    "io": """
        close flush input lines open output popen read stderr stdin stdout tmpfile type write
    """,
    "math": """
        abs acos asin atan atan2 ceil cos cosh deg exp floor fmod frexp huge ldexp log log10 max
        maxinteger min mininteger modf pi pow rad random randomseed sin sinh sqrt tan tanh tointeger
        type ult
    """,
    "os": "clock date difftime execute exit getenv remove rename setlocale time tmpname",
    "package": "config cpath loaded loadlib path preload searchers searchpath",
    "string": """
        byte char dump find format gmatch gsub len lower match pack packsize rep reverse sub unpack
        upper
    """,
    "table": "concat insert move pack remove sort unpack",
    "utf8": "char charpattern codepoint codes len offset",
}

LIBRARY_FUNCTIONS: Final = frozenset(_FUNCTIONS.split())
LIBRARY_TABLES: Final = {name: frozenset(fields.split()) for name, fields in _TABLES.items()}
"""By global: the names of its fields."""
GLOBAL_TABLES: Final = ("_G", "_ENV")
"""The names by which the table of all globals is reached."""
LIBRARY: Final = LIBRARY_FUNCTIONS | LIBRARY_TABLES.keys() | {"_G", "_VERSION", "ext"}
"""The globals that every program has, without `Memory`, whose fields are the program's own."""
