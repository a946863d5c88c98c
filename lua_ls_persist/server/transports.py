"""How a client reaches the server: standard input and output, or one TCP connection."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
import threading
from collections.abc import Iterator
from typing import BinaryIO

from pygls.io_ import run_async
from pygls.lsp.server import LanguageServer

logger = logging.getLogger(__name__)


def serve_stdio(server: LanguageServer) -> None:
    """Serves the client at the other end of standard input and output until it leaves."""
    with guarded_stdio() as (stdin, stdout):
        server.start_io(stdin, stdout)


def serve_tcp(server: LanguageServer, host: str, port: int) -> None:
    """Listens, and serves the first client that connects until it leaves.

    Standard error says where it listens, which matters for port 0: then the system chooses one.

    Raises:
        OSError: it cannot be listened on.
    """
    asyncio.run(_serve_first(server, host, port))


@contextlib.contextmanager
def guarded_stdio() -> Iterator[tuple[BinaryIO, BinaryIO]]:
    """The streams of the connection, which belong to the protocol alone.

    A single stray byte on standard output, from a print left in or from a library in C, breaks the
    connection; so inside the block standard output is standard error for everybody else.
    """
    sys.stdout.flush()
    private = os.dup(1)
    os.dup2(2, 1)
    python_stdout, sys.stdout = sys.stdout, sys.stderr
    stdout = os.fdopen(private, "wb")
    try:
        yield sys.stdin.buffer, stdout
    finally:
        with contextlib.suppress(OSError, ValueError):
            stdout.close()
        sys.stdout = python_stdout


async def _serve_first(server: LanguageServer, host: str, port: int) -> None:
    left = asyncio.Event()
    taken = False

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal taken
        if taken:  # A second client would get the first one's documents and answers.
            writer.close()
            return
        taken = True
        server.protocol.set_writer(writer)
        try:
            await run_async(
                stop_event=threading.Event(),
                reader=reader,
                protocol=server.protocol,
                logger=logger,
                error_handler=server.report_server_error,
            )
        finally:
            left.set()

    listener = await asyncio.start_server(connected, host, port)
    async with listener:
        for socket in listener.sockets:
            shown_host, shown_port = socket.getsockname()[:2]
            sys.stderr.write(f"Listening on {shown_host}:{shown_port}\n")
        sys.stderr.flush()
        await left.wait()
