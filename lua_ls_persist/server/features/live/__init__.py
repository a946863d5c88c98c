"""What the VM knows of the code in a buffer: features that look at live values."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lua_ls_persist.server.features.live import (
    call_hierarchy,
    checks,
    complete_text,  # noqa: F401 - it has a command only
    completion,
    hover,
    insights,
    signature_help,
    stored,
)

if TYPE_CHECKING:
    from lua_ls_persist.server.language_server import LuaLanguageServer


def register(server: LuaLanguageServer) -> None:
    """Answers all of them."""
    for feature in (
        call_hierarchy,
        checks,
        completion,
        hover,
        insights,
        signature_help,
        stored,
    ):
        feature.register(server)
