"""What a program prints: the core's records become pieces with their line, up to a limit."""

from __future__ import annotations

import codecs
from collections.abc import Callable
from typing import TypeAlias, final

from lua_ls_persist.errors import WireError
from lua_ls_persist.model import OutputPiece, Stream
from lua_ls_persist.wire import Decoder

_STREAMS: tuple[Stream, ...] = ("stdout", "stderr", "warning")
_make_decoder = codecs.getincrementaldecoder("utf-8")

OnOutput: TypeAlias = Callable[[OutputPiece], object]
_Place: TypeAlias = tuple[int, int, bytes]


@final
class ToldOnce:
    """Passes on what an evaluation prints, once, however often it runs.

    An evaluation that lost a race runs again, and mostly prints the same. From the first piece on
    that is another one, it is told again.
    """

    def __init__(self, on_output: OnOutput) -> None:
        self._on_output = on_output
        self._told: list[OutputPiece] = []
        self._position = 0

    def again(self) -> None:
        """The evaluation begins, or begins again."""
        self._position = 0

    def __call__(self, piece: OutputPiece) -> None:
        """The evaluation printed this."""
        told, position = self._told, self._position
        self._position += 1
        if position < len(told) and told[position] == piece:
            return
        told[position:] = [piece]
        self._on_output(piece)


class OutputCollector:
    """Gathers the output of one evaluation.

    Text from one place is one piece, however many writes it took and however the core cut it.
    `on_output` hears of text as it arrives, in pieces that need not be whole.
    """

    def __init__(
        self,
        limit_bytes: int,
        name_of: Callable[[bytes], str],
        on_output: OnOutput | None,
    ) -> None:
        self._left_bytes = limit_bytes
        self._limit_bytes = limit_bytes
        self._name_of = name_of
        self._on_output = on_output
        self._pieces: list[OutputPiece] = []
        self._place: _Place | None = None
        self._texts: list[str] = []
        self._decoder = _make_decoder("backslashreplace")
        self._truncated = False

    def take(self, records: bytes) -> bool:
        """Take records as the core hands them out; False when no more are wanted."""
        decoder = Decoder(records)
        while decoder.position < len(records) and not self._truncated:
            stream, line, source = decoder.u8(), decoder.u32(), decoder.text()
            if stream >= len(_STREAMS):
                raise WireError(f"output to unknown stream {stream}")
            self._add((stream, line, source), decoder.text())
        return not self._truncated

    def _add(self, place: _Place, content: bytes) -> None:
        if place != self._place:
            self._finish_piece()
            self._place = place
        text = self._decoder.decode(content[: self._left_bytes])
        if text:
            self._texts.append(text)
            self._tell(text)
        if len(content) > self._left_bytes:
            self._truncate()
        else:
            self._left_bytes -= len(content)

    def _tell(self, text: str) -> None:
        if self._on_output is not None and self._place is not None:
            self._on_output(self._piece(self._place, text))

    def _piece(self, place: _Place, text: str) -> OutputPiece:
        stream, line, source = place
        return OutputPiece(text, _STREAMS[stream], self._name_of(source), line or None)

    def _finish_piece(self) -> None:
        if self._place is None:
            return
        rest = self._decoder.decode(b"", final=True)
        if rest:
            self._texts.append(rest)
            self._tell(rest)
        if self._texts:
            self._pieces.append(self._piece(self._place, "".join(self._texts)))
        self._texts = []
        self._place = None

    def _truncate(self) -> None:
        self._truncated = True
        self._decoder.reset()  # a character that the limit cuts through is left out
        self._finish_piece()
        mark = OutputPiece(
            f"\n[output truncated after {self._limit_bytes} bytes]\n", "warning", "", None
        )
        self._pieces.append(mark)
        if self._on_output is not None:
            self._on_output(mark)

    def finish(self) -> tuple[OutputPiece, ...]:
        """All pieces, in the order they were printed."""
        self._finish_piece()
        return tuple(self._pieces)
