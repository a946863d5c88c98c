"""Lua values as text, the way Lua source would write them.

Owns how a value looks wherever a person sees one: on a terminal, in a hint, in a hover. Every
function is pure and takes the values of `lua_ls_persist.model`; nothing here runs Lua, and nothing
is read from a VM.

What cannot be written as Lua source (a function, userdata, a coroutine, a table met again on the
way down) appears by the text its `Preview` carries. What was left out appears as `...`.

Widths count characters.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING

from lua_ls_persist.model import Preview
from lua_ls_persist.model.late import with_late_text

if TYPE_CHECKING:
    from lua_ls_persist.model import Evaluation, Value

LUA_KEYWORDS = frozenset(
    "and break do else elseif end false for function goto if in local nil not or repeat return "  # noqa: SIM905
    "then true until while".split()
)

WIDTH_DEFAULT = 80
WIDTH_MIN = 24
"""Narrower widths are taken as this one: no number is longer, and numbers are never cut."""

CUT_WIDTH_MIN = 12
"""With less room, an entry of a table is left out rather than cut."""

KEY_WIDTH_MAX = 40
"""A table that is a key of another one is cut to this width."""

INDENT = "  "
ELLIPSIS = "..."
CYCLE = "<cycle>"
"""The text of a table that stands further up."""
INTEGER_MIN = -(2**63)

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NEEDS_A_LOOK = re.compile(r"[^ !#-\[\]-~]")
"""Everything but the printable characters of ASCII, without the quote and the backslash."""
_ESCAPES = {
    "\a": r"\a",
    "\b": r"\b",
    "\f": r"\f",
    "\n": r"\n",
    "\r": r"\r",
    "\t": r"\t",
    "\v": r"\v",
    '"': r"\"",
    "\\": r"\\",
}


def pretty(value: Value, *, width: int = WIDTH_DEFAULT) -> str:
    """The value on one line if it fits into `width`, otherwise broken and indented by two spaces.

    Scalars and strings are never cut, so a long string makes a long line::

        {
          "the list part comes first",
          role = {"admin", since = 2019},
        }
    """
    return _laid_out(value, indent="", used=0, width=max(width, WIDTH_MIN))


def is_whole(value: Value) -> bool:
    """Whether the text of a value is Lua source that gives an equal one: nothing is left out."""
    if not isinstance(value, Preview):
        return True
    if value.kind != "table" or value.omitted or (not value.entries and value.text == CYCLE):
        return False
    return all(is_whole(part) for entry in value.entries for part in entry)


def pretty_values(values: Sequence[Value], *, width: int = WIDTH_DEFAULT) -> str:
    """What an evaluation returned: `1, "two"` if it fits into `width`, otherwise on lines."""
    width = max(width, WIDTH_MIN)
    flat = _joined_flat(values, width)
    if flat is not None:
        return flat
    last = len(values) - 1
    return ",\n".join(
        _laid_out(value, indent="", used=0 if index == last else 1, width=width)
        for index, value in enumerate(values)
    )


def with_values_text(evaluation: Evaluation) -> Evaluation:
    """The evaluation itself, whose text is that of its values: made when somebody asks for it."""
    return with_late_text(evaluation, lambda evaluated: pretty_values(evaluated.values))


def one_line(value: Value, *, width: int = WIDTH_DEFAULT) -> str:
    """The value on one line of at most `width` characters; what does not fit becomes `...`.

    A string that was cut has the dots behind its closing quote, so that they cannot be taken for
    content: `"Once upon a"...`.
    """
    return _clipped(value, max(width, WIDTH_MIN))


def table_preview(
    entries: tuple[tuple[Value, Value], ...],
    *,
    omitted: bool,
    address: int = 0,
    detail: str = "",
) -> Preview:
    """A look at a table; the entries come in display order, see `sort_entries`."""
    preview = Preview("table", "", entries, omitted, address, detail)
    return with_late_text(preview, _table_text)


def table_text(
    entries: Sequence[tuple[Value, Value]], *, omitted: bool, width: int = WIDTH_DEFAULT
) -> str:
    """The one-line text of a table whose entries come in display order."""
    width = max(width, WIDTH_MIN)
    whole = _flat_entries(entries, width, omitted=omitted) if entries else None
    if whole is not None:
        return whole
    return _clipped(Preview("table", "", tuple(entries), omitted), width)


def _table_text(preview: Preview) -> str:
    return table_text(preview.entries, omitted=preview.omitted)


def long_string_text(head: str | bytes, *, length_bytes: int, width: int = WIDTH_DEFAULT) -> str:
    """The text of a string of which only the `head` is known: `"Once upon"... (1048576 bytes)`."""
    tail = f"{ELLIPSIS} ({length_bytes} bytes)"
    return _clipped_string(head, max(width, WIDTH_MIN) - len(tail) + len(ELLIPSIS), cut=True) + (
        tail.removeprefix(ELLIPSIS)
    )


def sort_entries(entries: Iterable[tuple[Value, Value]]) -> tuple[tuple[Value, Value], ...]:
    """A table's entries in display order, the same for every run.

    First the list part, keys 1, 2, 3 and so on without a gap; then the other numbers in order,
    strings bytewise, `false`, `true`, and last the keys that are tables, functions and so on, by
    their text.
    """
    listed = list(entries)
    if all(type(key) is str for key, _ in listed):
        # The fields of a record. UTF-8 keeps the order of characters.
        return tuple(sorted(listed, key=itemgetter(0)))
    positions = {key for key, _ in listed if type(key) is int}
    border = 0
    while border + 1 in positions:
        border += 1

    def order(entry: tuple[Value, Value]) -> tuple[int, int | float, bytes, int]:
        key = entry[0]
        if isinstance(key, bool):
            return (3, key, b"", 0)
        if isinstance(key, (int, float)):
            return (0 if type(key) is int and 1 <= key <= border else 1, key, b"", 0)
        if isinstance(key, str):
            return (2, 0, key.encode("utf-8", "surrogatepass"), 0)
        if isinstance(key, bytes):
            return (2, 0, key, 0)
        if isinstance(key, Preview):
            return (4, 0, f"{key.kind} {key.text}".encode("utf-8", "surrogatepass"), key.address)
        return (5, 0, b"", 0)

    return tuple(sorted(listed, key=order))


def is_name(text: str) -> bool:
    """Whether Lua source may write this as a name: `t.text`, `{text = 1}`."""
    return _NAME.fullmatch(text) is not None and text not in LUA_KEYWORDS


def scalar_text(value: bool | int | float | str | bytes | None) -> str:  # noqa: PYI041
    """A scalar as Lua source would write it, and Lua would read it.

    Floats stay recognisable: `1.0`, `1e+15`, `-0.0`; `0.1 + 0.2` is `0.30000000000000004`.
    """
    # What there is most of comes first.
    if isinstance(value, (str, bytes)):
        return quoted(value)
    if value is None:
        return "nil"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return "math.mininteger" if value == INTEGER_MIN else str(value)
    return _float_text(value)


def quoted(value: str | bytes) -> str:
    r"""A string in double quotes, with Lua's escapes; bytes that are not UTF-8 are `\xNN`."""
    # One pass of a regular expression over what needs a look: strings may be megabytes.
    return f'"{_NEEDS_A_LOOK.sub(_escape_match, _as_text(value))}"'


def _float_text(value: float) -> str:
    if math.isnan(value):
        return "0/0"
    if math.isinf(value):
        return "math.huge" if value > 0 else "-math.huge"
    text = f"{value:.14g}"  # what Lua's tostring does: LUAI_NUMFFORMAT
    if float(text) != value:
        # It would be read as another number: by an editor of cells, a path, a program. As Lua 5.5
        # does, so many digits more as it takes.
        text = f"{value:.16g}"
        if float(text) != value:
            text = f"{value:.17g}"
    return text if "." in text or "e" in text else f"{text}.0"


def _as_text(value: str | bytes) -> str:
    """The string's characters; a byte that is not UTF-8 is a lone surrogate."""
    return value.decode("utf-8", "surrogateescape") if isinstance(value, bytes) else value


def _escaped(value: str | bytes) -> Iterator[str]:
    """The string's characters, each as Lua source would write it inside double quotes."""
    return map(_escape, _as_text(value))


def _escape_match(match: re.Match[str]) -> str:
    return _escape(match[0])


def _escape(character: str) -> str:
    code = ord(character)
    if character in _ESCAPES:
        return _ESCAPES[character]
    if character.isprintable():
        return character
    if code < 0x80:
        return f"\\x{code:02X}"
    if 0xDC80 <= code <= 0xDCFF:  # how surrogateescape keeps a byte that is not UTF-8
        return f"\\x{code - 0xDC00:02X}"
    return f"\\u{{{code:X}}}"


def _labelled(entries: Iterable[tuple[Value, Value]]) -> Iterator[tuple[str, Value]]:
    """Each value with what stands before it: nothing in the list part, else the key and ` = `."""
    position: int | None = 1
    for key, value in entries:
        if position is not None and type(key) is int and key == position:
            position += 1
            yield "", value
            continue
        position = None
        if isinstance(key, str) and is_name(key):
            yield f"{key} = ", value
        else:
            text = _clipped(key, KEY_WIDTH_MAX) if _has_entries(key) else _atom(key)
            yield f"[{text}] = ", value


def _has_entries(value: Value) -> bool:
    return isinstance(value, Preview) and value.kind == "table" and bool(value.entries)


def _atom(value: Value) -> str:
    """The text of whatever has no entries to show."""
    if not isinstance(value, Preview):
        return scalar_text(value)
    if value.text:
        return value.text
    return f"{{{ELLIPSIS}}}" if value.omitted else "{}"


def _flat(value: Value, room: int) -> str | None:
    """The whole value on one line, or None if that takes more than `room` characters."""
    if not isinstance(value, Preview):
        if isinstance(value, (str, bytes)) and len(value) // 4 > room:
            return None  # four bytes may be one character; spare the escaping of what cannot fit
        text = scalar_text(value)
        return text if len(text) <= room else None
    if not _has_entries(value):
        text = _atom(value)
        return text if len(text) <= room else None
    if value.text and ELLIPSIS not in value.text:  # the whole value, as it was made
        return value.text if len(value.text) <= room else None
    return _flat_entries(value.entries, room, omitted=value.omitted)


def _flat_entries(
    entries: Sequence[tuple[Value, Value]], room: int, *, omitted: bool
) -> str | None:
    """A table of these entries on one line, or None."""
    parts: list[str] = []
    left = room - 2
    for label, item in _labelled(entries):
        left -= len(label) + (2 if parts else 0)
        text_or_none = _flat(item, left) if left > 0 else None
        if text_or_none is None:
            return None
        left -= len(text_or_none)
        parts.append(label + text_or_none)
    if omitted:
        left -= len(ELLIPSIS) + 2
        parts.append(ELLIPSIS)
    return f"{{{', '.join(parts)}}}" if left >= 0 else None


def _joined_flat(values: Iterable[Value], room: int) -> str | None:
    parts: list[str] = []
    for value in values:
        room -= 2 if parts else 0
        text = _flat(value, room)
        if text is None:
            return None
        room -= len(text)
        parts.append(text)
    return ", ".join(parts)


def _clipped(value: Value, room: int) -> str:
    """The value on one line, cut to `room` characters. Numbers are never cut."""
    whole = _flat(value, room)
    if whole is not None:
        return whole
    if isinstance(value, (str, bytes)):
        return _clipped_string(value, room)
    if isinstance(value, Preview) and _has_entries(value):
        return _clipped_table(value, room)
    # Not a number: each fits into WIDTH_MIN, and inside of tables only other values come here.
    return _atom(value)[: room - len(ELLIPSIS)] + ELLIPSIS


def _clipped_string(value: str | bytes, room: int, *, cut: bool = False) -> str:
    """As much of the string as fits, whole escapes only; dots behind the quote if it was cut."""
    left = room - 2 - len(ELLIPSIS)
    parts: list[str] = []
    for part in _escaped(value):
        if len(part) > left:
            cut = True
            break
        left -= len(part)
        parts.append(part)
    return f'"{"".join(parts)}"' + (ELLIPSIS if cut else "")


def _clipped_table(value: Preview, room: int) -> str:
    """The first entries that fit, the last of them perhaps cut itself, then `...`."""
    parts: list[str] = []
    left = room - 2
    complete = False
    for index, (label, item) in enumerate(_labelled(value.entries)):
        last = index == len(value.entries) - 1 and not value.omitted
        left -= len(label) + (2 if parts else 0)
        here = left if last else left - len(ELLIPSIS) - 2
        text = _flat(item, here)
        if text is None:
            if here >= CUT_WIDTH_MIN and isinstance(item, (str, bytes, Preview)):
                parts.append(label + _clipped(item, here))
                complete = last
            break
        left -= len(text)
        parts.append(label + text)
    if not complete:
        parts.append(ELLIPSIS)
    return f"{{{', '.join(parts)}}}"


def _laid_out(value: Value, *, indent: str, used: int, width: int) -> str:
    """The value on one line if it fits beside the `used` characters of its line, or on several."""
    if not isinstance(value, Preview) or not _has_entries(value):
        return _atom(value)
    whole = _flat(value, width - len(indent) - used)
    if whole is not None:
        return whole
    inner = indent + INDENT
    lines: list[str] = []
    filling = False
    for label, item in _labelled(value.entries):
        # A comma follows every entry, hence the 1.
        text = label + _laid_out(item, indent=inner, used=len(label) + 1, width=width) + ","
        fills = not label and not isinstance(item, (str, bytes, Preview))
        if filling and fills and len(lines[-1]) + 1 + len(text) <= width:
            lines[-1] += f" {text}"  # a long list of numbers takes few lines, not one line each
        else:
            lines.append(inner + text)
        filling = fills
    if value.omitted:
        lines.append(inner + ELLIPSIS)
    return "\n".join(["{", *lines, indent + "}"])
