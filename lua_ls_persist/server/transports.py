"""How a client reaches the server: standard input and output, or one TCP connection."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import sys
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, BinaryIO, Final

from pygls.io_ import StdoutWriter

from lua_ls_persist.server.framing import Frames

if TYPE_CHECKING:
    from lua_ls_persist.server.language_server import LuaLanguageServer

READ_BYTES: Final = 64 * 1024

logger = logging.getLogger(__name__)


def serve_stdio(server: LuaLanguageServer) -> None:
    """Serves the client at the other end of standard input and output until it leaves."""
    with guarded_stdio() as (stdin, stdout):
        server.protocol.set_writer(StdoutWriter(stdout))
        try:
            asyncio.run(_serve_stream(server, stdin))
        except BrokenPipeError:
            logger.error("The client is gone")
        finally:
            server.shutdown()  # type: ignore[no-untyped-call]


def serve_tcp(server: LuaLanguageServer, host: str, port: int) -> None:
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
        # What is not sent yet cannot be: the client has closed its end, or the transport has.
        with contextlib.suppress(OSError, ValueError):
            stdout.close()
        sys.stdout = python_stdout


async def _serve_stream(server: LuaLanguageServer, stdin: BinaryIO) -> None:
    """Handles what arrives until the stream ends.

    A thread waits for it, and not one of a pool's, so that it need not be waited for at the end.
    It reads the file itself: a buffered reader has a lock, which no thread may hold at exit.
    """
    loop = asyncio.get_running_loop()
    arrived: asyncio.Queue[bytes] = asyncio.Queue()

    server.on_leave = lambda: arrived.put_nowait(b"")

    def read() -> None:
        data = b"?"
        while data:
            try:
                data = os.read(stdin.fileno(), READ_BYTES)
            except (OSError, ValueError) as error:  # It is no more: as good as its end.
                logger.warning("The client's messages cannot be read any more: %s", error)
                data = b""
            try:
                loop.call_soon_threadsafe(arrived.put_nowait, data)
            except RuntimeError:  # The loop is closed: nobody listens.
                return

    threading.Thread(target=read, name="lua-persist-input", daemon=True).start()
    frames = Frames()
    while data := await arrived.get():
        for body in frames.feed(data):
            server.receive(body)


async def _serve_first(server: LuaLanguageServer, host: str, port: int) -> None:
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
            server.on_leave = writer.close
            frames = Frames()
            while data := await reader.read(READ_BYTES):
                for body in frames.feed(data):
                    server.receive(body)
        finally:
            left.set()

    listener = await asyncio.start_server(connected, host, port)
    async with listener:
        for socket in listener.sockets:
            shown_host, shown_port = socket.getsockname()[:2]
            sys.stderr.write(f"Listening on {shown_host}:{shown_port}\n")
        sys.stderr.flush()
        await left.wait()
