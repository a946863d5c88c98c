"""Lua's patterns outside of a VM: `string.find`, as far as whether something is found.

After lstrlib.c of Lua 5.4: the same meaning, byte by byte, in the C locale.
"""

from __future__ import annotations

from typing import Final

DEPTH_MAX: Final = 200
"""Lua's limit for how deep matching recurses; deeper, it is an error there and no match here."""
CAPTURES_MAX: Final = 32
STEPS_MAX: Final = 200_000
"""A pattern that takes more tries finds nothing: some would take longer than one lives."""

_OPEN, _POSITION = -1, -2
_SPECIALS: Final = frozenset(b"^$*+?.([%-")


def _in_class(byte: int, name: int) -> bool:
    """Whether a byte is of the class `%name`."""
    lower = name | 0x20
    char = bytes((byte,))
    ascii_char = byte < 0x80
    if lower == ord("a"):
        found = ascii_char and char.isalpha()
    elif lower == ord("c"):
        found = byte < 0x20 or byte == 0x7F
    elif lower == ord("d"):
        found = char.isdigit()
    elif lower == ord("g"):
        found = 0x20 < byte < 0x7F
    elif lower == ord("l"):
        found = ord("a") <= byte <= ord("z")
    elif lower == ord("p"):
        found = 0x20 < byte < 0x7F and not char.isalnum()
    elif lower == ord("s"):
        found = byte == 0x20 or 0x09 <= byte <= 0x0D
    elif lower == ord("u"):
        found = ord("A") <= byte <= ord("Z")
    elif lower == ord("w"):
        found = ascii_char and char.isalnum()
    elif lower == ord("x"):
        found = byte in b"0123456789abcdefABCDEF"
    else:
        return name == byte
    return found != (ord("A") <= name <= ord("Z"))


class LuaPattern:
    """A pattern that is well formed."""

    def __init__(self, pattern: bytes) -> None:
        """Raises `ValueError`, which says why, for one that Lua would refuse."""
        self._anchored = pattern[:1] == b"^"
        self._pattern = pattern[1:] if self._anchored else pattern
        self._check()

    def found_in(self, text: bytes) -> bool:
        """Whether `string.find(text, pattern)` finds it."""
        starts = range(1) if self._anchored else range(len(text) + 1)
        attempt = _Match(self._pattern, text)
        try:
            return any(attempt.match(start, 0) is not None for start in starts)
        except RecursionError:
            return False

    def _check(self) -> None:
        pattern, at, end = self._pattern, 0, len(self._pattern)
        opened: list[int] = []
        closed: set[int] = set()
        count = 0
        while at < end:
            byte = pattern[at]
            if byte == ord("("):
                if count == CAPTURES_MAX:
                    raise ValueError("it has too many captures")
                if pattern[at + 1 : at + 2] == b")":
                    closed.add(count)
                    at += 1
                else:
                    opened.append(count)
                count += 1
                at += 1
            elif byte == ord(")"):
                if not opened:
                    raise ValueError("a ) closes no capture")
                closed.add(opened.pop())
                at += 1
            elif byte == ord("%") and pattern[at + 1 : at + 2].isdigit():
                if pattern[at + 1] - ord("1") not in closed:
                    raise ValueError(f"%{chr(pattern[at + 1])} refers to no finished capture")
                at += 2
            elif pattern[at : at + 2] == b"%b":
                if at + 3 >= end:
                    raise ValueError("%b lacks its two characters")
                at += 4
            elif pattern[at : at + 2] == b"%f":
                if pattern[at + 2 : at + 3] != b"[":
                    raise ValueError("%f is not followed by a set")
                at = self._class_end(at + 2)
            else:
                at = self._class_end(at)
                if at < end and pattern[at] in b"*+?-":
                    at += 1
        if opened:
            raise ValueError("a capture is not closed")

    def _class_end(self, at: int) -> int:
        pattern, end = self._pattern, len(self._pattern)
        byte = pattern[at]
        at += 1
        if byte == ord("%"):
            if at >= end:
                raise ValueError("it ends with %")
            return at + 1
        if byte == ord("["):
            if pattern[at : at + 1] == b"^":
                at += 1
            first = True
            while first or pattern[at : at + 1] != b"]":
                if at >= end:
                    raise ValueError("a [ is not closed by ]")
                first = False
                at += 2 if pattern[at] == ord("%") else 1
            return at + 1
        return at


class _Match:
    """Attempts at one text; the names are those of lstrlib.c."""

    def __init__(self, pattern: bytes, text: bytes) -> None:
        self._pattern = pattern
        self._text = text
        self._captures: list[list[int]] = []
        self._depth = 0
        self._steps = 0

    def match(self, s: int, p: int) -> int | None:
        """Where the match of the pattern's rest ends that begins at `s`."""
        self._depth += 1
        self._steps += 1
        try:
            if self._depth > DEPTH_MAX or self._steps > STEPS_MAX:
                raise RecursionError
            return self._match(s, p)
        finally:
            self._depth -= 1

    def _match(self, s: int, p: int) -> int | None:
        pattern, text = self._pattern, self._text
        while p < len(pattern):
            byte = pattern[p]
            if byte == ord("("):
                return self._start_capture(s, p)
            if byte == ord(")"):
                return self._end_capture(s, p)
            if byte == ord("$") and p + 1 == len(pattern):
                return s if s == len(text) else None
            if byte == ord("%") and p + 1 < len(pattern):
                after = pattern[p + 1]
                if after == ord("b"):
                    balanced = self._balance(s, p + 2)
                    if balanced is None:
                        return None
                    s, p = balanced, p + 4
                    continue
                if after == ord("f"):
                    end = self._class_end(p + 2)
                    before = text[s - 1] if s > 0 else 0
                    here = text[s] if s < len(text) else 0
                    if self._in_set(before, p + 2, end) or not self._in_set(here, p + 2, end):
                        return None
                    p = end
                    continue
                if ord("0") <= after <= ord("9"):
                    start, length = self._captures[after - ord("1")]
                    captured = text[start : start + length]
                    if length < 0 or not text.startswith(captured, s):
                        return None
                    s, p = s + len(captured), p + 2
                    continue
            end = self._class_end(p)
            suffix = pattern[end] if end < len(pattern) else 0
            if suffix == ord("?"):
                if self._single(s, p, end):
                    found = self.match(s + 1, end + 1)
                    if found is not None:
                        return found
                p = end + 1
            elif suffix in b"*+":
                start = s + 1 if suffix == ord("+") else s
                if suffix == ord("+") and not self._single(s, p, end):
                    return None
                return self._max_expand(start, p, end)
            elif suffix == ord("-"):
                return self._min_expand(s, p, end)
            elif self._single(s, p, end):
                s, p = s + 1, end
            else:
                return None
        return s

    def _max_expand(self, s: int, p: int, end: int) -> int | None:
        last = s
        while self._single(last, p, end):
            last += 1
        while last >= s:
            found = self.match(last, end + 1)
            if found is not None:
                return found
            last -= 1
        return None

    def _min_expand(self, s: int, p: int, end: int) -> int | None:
        while True:
            found = self.match(s, end + 1)
            if found is not None:
                return found
            if not self._single(s, p, end):
                return None
            s += 1

    def _start_capture(self, s: int, p: int) -> int | None:
        is_position = self._pattern[p + 1 : p + 2] == b")"
        self._captures.append([s, _POSITION if is_position else _OPEN])
        found = self.match(s, p + 2 if is_position else p + 1)
        if found is None:
            self._captures.pop()
        return found

    def _end_capture(self, s: int, p: int) -> int | None:
        number = max(n for n, capture in enumerate(self._captures) if capture[1] == _OPEN)
        self._captures[number][1] = s - self._captures[number][0]
        found = self.match(s, p + 1)
        if found is None:
            self._captures[number][1] = _OPEN
        return found

    def _balance(self, s: int, p: int) -> int | None:
        text = self._text
        if s >= len(text) or text[s] != self._pattern[p]:
            return None
        opening, closing, depth = self._pattern[p], self._pattern[p + 1], 1
        for at in range(s + 1, len(text)):
            if text[at] == closing:
                depth -= 1
                if depth == 0:
                    return at + 1
            elif text[at] == opening:
                depth += 1
        return None

    def _single(self, s: int, p: int, end: int) -> bool:
        if s >= len(self._text):
            return False
        byte, what = self._text[s], self._pattern[p]
        if what == ord("."):
            return True
        if what == ord("%"):
            return _in_class(byte, self._pattern[p + 1])
        if what == ord("["):
            return self._in_set(byte, p, end)
        return what == byte

    def _in_set(self, byte: int, p: int, end: int) -> bool:
        pattern, last, at = self._pattern, end - 1, p + 1
        wanted = True
        if pattern[at] == ord("^"):
            wanted = False
            at += 1
        while at < last:
            if pattern[at] == ord("%"):
                if _in_class(byte, pattern[at + 1]):
                    return wanted
                at += 2
            elif pattern[at + 1] == ord("-") and at + 2 < last:
                if pattern[at] <= byte <= pattern[at + 2]:
                    return wanted
                at += 3
            else:
                if pattern[at] == byte:
                    return wanted
                at += 1
        return not wanted

    def _class_end(self, p: int) -> int:
        pattern = self._pattern
        byte = pattern[p]
        p += 1
        if byte == ord("%"):
            return p + 1
        if byte == ord("["):
            if pattern[p] == ord("^"):
                p += 1
            first = True
            while first or pattern[p] != ord("]"):
                first = False
                p += 2 if pattern[p] == ord("%") else 1
            return p + 1
        return p
