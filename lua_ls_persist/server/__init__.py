"""The language server: evaluates Lua from any editor that speaks LSP.

`serve` runs it until the client leaves. The features are in `features/`, one module each; the
modules beside this one hold what they share and know nothing of LSP, except `convert`, `protocol`,
`starting` and `language_server`.

Both names are loaded when they are asked for: the terminal completes by `live/` and `analysis/`,
and shall not wait for all of LSP at the first key.
"""

from __future__ import annotations

import gc
import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lua_ls_persist.server.starting import create_server, serve

__all__ = ["create_server", "serve"]


if not TYPE_CHECKING:  # a type checker that saw it would accept any name

    def __getattr__(name: str) -> object:
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        # Thousands of classes are made, and nothing of it is garbage: to look for some time and
        # again takes 8% of the start.
        was_enabled = gc.isenabled()
        gc.disable()
        try:
            value = getattr(importlib.import_module(f"{__name__}.starting"), name)
        finally:
            if was_enabled:
                gc.enable()
        globals()[name] = value
        return value
