"""Frames are found wherever the stream is cut, and whatever stands between them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lua_ls_persist.server.framing import BODY_BYTES_MAX, HEADERS_BYTES_MAX, Frames

BODIES = st.lists(st.binary(max_size=300), max_size=5)


def frame(body: bytes, header: bytes = b"Content-Length") -> bytes:
    return b"%s: %d\r\n\r\n%s" % (header, len(body), body)


@given(bodies=BODIES, cuts=st.lists(st.integers(1, 50), max_size=40))
def test_any_cut(bodies: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(map(frame, bodies))
    frames, found = Frames(), []
    for cut in cuts:
        found += frames.feed(stream[:cut])
        stream = stream[cut:]
    found += frames.feed(stream)
    assert found == bodies


def test_spellings_of_headers() -> None:
    other = b"Content-Type: application/vscode-jsonrpc; charset=utf-8\r\n"
    stream = (
        frame(b"one", b"content-length")
        + other
        + frame(b"two", b"CONTENT-LENGTH ")
        + b"Content-Length:5\nX: y\n\nthree"
    )
    assert Frames().feed(stream) == [b"one", b"two", b"three"]


def test_what_is_no_frame_is_passed_over() -> None:
    frames = Frames()
    assert frames.feed(b"x" * (3 * HEADERS_BYTES_MAX) + b"\r\n\r\n" + frame(b"one")) == [b"one"]
    assert frames.feed(b"Content-Length: many\r\n\r\n" + frame(b"two")) == [b"two"]


def test_a_body_that_is_too_long_is_passed_over() -> None:
    frames, size = Frames(), BODY_BYTES_MAX + 10
    assert frames.feed(b"Content-Length: %d\r\n\r\n" % size) == []
    piece = bytes(1024 * 1024)
    for _ in range(size // len(piece)):
        assert frames.feed(piece) == []
    assert frames.feed(bytes(size % len(piece)) + frame(b"next")) == [b"next"]
