"""Compression with zstd, where it makes something smaller: of code, images and strings.

A string that is compressed has a *method*: 1, or the number of the dictionary it was compressed
with, which is greater. Those that are kept apart are whole zstd frames. Those that lie in their
rows have the method in front and no magic number, because they are short.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Final

from lua_ls_persist.store.rows import Native, Text, as_native

if TYPE_CHECKING:
    import zstandard

PACK_BYTES_MIN: Final = 200
"""Below this nothing is won."""

UNPACKED_BYTES_MAX: Final = 256 * 1024 * 1024
"""What claims to be larger is damaged, or made to fill the memory."""

PLAIN: Final = 0
ZSTD: Final = 1
DICTIONARY_MIN: Final = 2
"""Methods; from the last one on they are numbers of dictionaries."""

_LEVEL = 3

DICTIONARY_BYTES_MIN: Final = 512
"""A smaller dictionary cannot be trained."""
_TRAIN_K: Final = 200
_TRAIN_D: Final = 8
"""How long the pieces are that a dictionary is made of; trying out more takes ten times as long."""


class DamagedStringError(Exception):
    """A compressed string that cannot be read; the message says why."""


class Packer:
    """Compresses with zstd. The library is loaded when it is first needed: that takes 10 ms."""

    def pack(self, content: bytes | memoryview) -> tuple[bytes, bool]:
        """The content, compressed if that is smaller, and whether it is."""
        if len(content) >= PACK_BYTES_MIN:
            packed = self._compressor.compress(content)
            if len(packed) < len(content):
                return packed, True
        return bytes(content), False

    def unpack(self, content: bytes, compressed: bool, size_bytes: int) -> bytes | None:
        """The content as it was; None if it is damaged."""
        if compressed:
            return self._unpacked(content, size_bytes)
        return content if len(content) == size_bytes else None

    def _unpacked(self, content: bytes, size_bytes: int) -> bytes | None:
        import zstandard

        if not 0 <= size_bytes <= UNPACKED_BYTES_MAX:
            return None
        try:
            if zstandard.frame_content_size(content) != size_bytes:
                return None
            return self._decompressor.decompress(content)
        except zstandard.ZstdError:
            return None

    @cached_property
    def _compressor(self) -> zstandard.ZstdCompressor:
        import zstandard

        return zstandard.ZstdCompressor(level=_LEVEL)

    @cached_property
    def _decompressor(self) -> zstandard.ZstdDecompressor:
        import zstandard

        return zstandard.ZstdDecompressor()


class StringPacker:
    """Compresses strings and reads them again, with one dictionary or with none."""

    def __init__(self, method: int = ZSTD, dictionary: bytes | None = None) -> None:
        self.method = method
        self._prefix = _varint(method)
        self._dictionary = dictionary

    def pack(self, plain: bytes) -> bytes | None:
        """The string compressed, to be kept apart; None if that is hardly smaller."""
        if len(plain) > UNPACKED_BYTES_MAX:
            return None
        packed = self._compressor.compress(plain)
        return packed if _is_worth_it(len(packed), len(plain)) else None

    def pack_short(self, plain: bytes) -> bytes | None:
        """The string compressed, to lie in its row; None if that is hardly smaller."""
        if len(plain) > UNPACKED_BYTES_MAX:
            return None
        packed = self._prefix + self._short_compressor.compress(plain)
        return packed if _is_worth_it(len(packed), len(plain)) else None

    def unpack(self, packed: bytes) -> Text:
        """What `pack` was given.

        Raises:
            DamagedStringError: these bytes are not what it made.
        """
        return self._unpacked(self._decompressor, packed, 0)

    def unpack_short(self, packed: bytes) -> Text:
        """What `pack_short` was given, whose result this is without the method in front."""
        import zstandard

        return self._unpacked(self._short_decompressor, packed, zstandard.FORMAT_ZSTD1_MAGICLESS)

    def _unpacked(
        self, decompressor: zstandard.ZstdDecompressor, packed: bytes, layout: int
    ) -> Text:
        import zstandard

        try:
            size = zstandard.get_frame_parameters(packed, layout).content_size
            if size > UNPACKED_BYTES_MAX:
                raise DamagedStringError("it claims to be larger than such strings are")
            return as_native(decompressor.decompress(packed))
        except zstandard.ZstdError as error:
            raise DamagedStringError(f"its bytes are damaged ({error})") from error

    @cached_property
    def _compressor(self) -> zstandard.ZstdCompressor:
        return self._new_compressor(0)

    @cached_property
    def _short_compressor(self) -> zstandard.ZstdCompressor:
        import zstandard

        return self._new_compressor(zstandard.FORMAT_ZSTD1_MAGICLESS)

    def _new_compressor(self, layout: int) -> zstandard.ZstdCompressor:
        import zstandard

        parameters = zstandard.ZstdCompressionParameters.from_level(
            _LEVEL, format=layout, write_content_size=1, write_checksum=0, write_dict_id=0
        )
        return zstandard.ZstdCompressor(
            dict_data=self._dictionary_data, compression_params=parameters
        )

    @cached_property
    def _decompressor(self) -> zstandard.ZstdDecompressor:
        import zstandard

        return zstandard.ZstdDecompressor(dict_data=self._dictionary_data)

    @cached_property
    def _short_decompressor(self) -> zstandard.ZstdDecompressor:
        import zstandard

        return zstandard.ZstdDecompressor(
            dict_data=self._dictionary_data, format=zstandard.FORMAT_ZSTD1_MAGICLESS
        )

    @cached_property
    def _dictionary_data(self) -> zstandard.ZstdCompressionDict | None:
        import zstandard

        return None if self._dictionary is None else zstandard.ZstdCompressionDict(self._dictionary)


def trained(sample: Sequence[bytes], size_bytes: int) -> bytes | None:
    """A dictionary of about this size, made of strings; None if these are too few for one."""
    import zstandard

    if size_bytes < DICTIONARY_BYTES_MIN:
        return None
    try:
        dictionary = zstandard.train_dictionary(size_bytes, list(sample), k=_TRAIN_K, d=_TRAIN_D)
    except zstandard.ZstdError:
        return None
    return dictionary.as_bytes()


def method_of(packed: bytes) -> tuple[int, bytes]:
    """The method that a string in its row has in front, and the rest.

    Raises:
        DamagedStringError: there is none.
    """
    method = 0
    for place, byte in enumerate(packed[:_METHOD_BYTES_MAX]):
        method |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return method, packed[place + 1 :]
    raise DamagedStringError("it does not say how it is compressed")


_METHOD_BYTES_MAX = 9


def as_bytes(native: Native) -> bytes:
    """A string's bytes, which SQLite keeps as text or as they are."""
    assert isinstance(native, (str, bytes))
    return native.encode() if isinstance(native, str) else native


def _is_worth_it(packed: int, plain: int) -> bool:
    """Each look at a compressed value costs some microseconds: an eighth is to be saved."""
    return packed * 8 <= plain * 7


def _varint(number: int) -> bytes:
    parts = bytearray()
    while number >= 0x80:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    parts.append(number)
    return bytes(parts)
