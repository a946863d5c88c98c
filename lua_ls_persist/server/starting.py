"""Putting the server together, and serving one client.

Owns which features there are.
"""

from __future__ import annotations

import gc
import sys
from typing import Final

from lua_ls_persist.server.collecting import THRESHOLDS, IdleCollector
from lua_ls_persist.server.features import (
    commands,  # noqa: F401 - it has commands only, as `data`
    configuration,
    data,  # noqa: F401
    evaluating,
    inlay_hints,
    language,
    lenses,
    live,
    notebooks,
    result_comments,
    saving,
    status,
    virtual_documents,
)
from lua_ls_persist.server.features.registry import COMMANDS
from lua_ls_persist.server.language_server import LuaLanguageServer
from lua_ls_persist.server.protocol import LuaProtocol
from lua_ls_persist.server.transports import serve_stdio, serve_tcp

__all__ = ["COMMANDS", "create_server", "serve"]
"""The commands are all there only where all features are loaded: here."""

SWITCH_INTERVAL_S: Final = 0.001
"""How long a thread in the background keeps a request waiting, each time that this has to wait for
anything. With Python's 5 ms, a completion beside checks of the same text took 20 ms longer."""

FEATURES = (
    configuration,
    evaluating,
    inlay_hints,
    language,
    lenses,
    live,
    result_comments,
    saving,
    status,
    virtual_documents,
)
"""Those that answer requests; others have commands only."""


def create_server() -> LuaLanguageServer:
    """A server with all features, not yet connected to anything."""
    from pygls.protocol import default_converter

    server = LuaLanguageServer(
        protocol_cls=LuaProtocol,
        converter_factory=default_converter,
        notebook_document_sync=notebooks.SYNC,
    )
    for feature in FEATURES:
        feature.register(server)
    return server


def serve(*, tcp: tuple[str, int] | None = None) -> None:
    """Serves one client, over standard input and output or a TCP connection, until it leaves.

    Whatever is printed in the meantime goes to standard error.

    Args:
        tcp: host and port to listen on; None for standard input and output.

    Raises:
        SystemExit: with status 1, when the client left without a `shutdown` request, as LSP
        demands. OSError: the port cannot be listened on.
    """
    server = create_server()
    collector = IdleCollector(lambda: server.foreground.is_busy)
    server.message_listeners.append(collector.touch)
    server.at_end.append(collector.close)
    gc.freeze()  # What has been loaded stays.
    gc.set_threshold(*THRESHOLDS)
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    try:
        if tcp is None:
            serve_stdio(server)
        else:
            serve_tcp(server, *tcp)
    except (KeyboardInterrupt, SystemExit):
        pass
    finally:
        server.stop_now()
    protocol = server.protocol
    if isinstance(protocol, LuaProtocol) and protocol.left_without_shutdown:
        sys.exit(1)
