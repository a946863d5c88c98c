"""Source texts by number, and functions found in the code of a whole source."""

from __future__ import annotations

import threading

import pytest

from lua_ls_persist.errors import WireError
from lua_ls_persist.session import Session
from lua_ls_persist.session.bytecode import function_of
from lua_ls_persist.session.sources import LINES_BEFORE_MAX, UNKNOWN, SourceTexts
from tests.session.helpers import value

# Texts


def test_a_text_has_one_number() -> None:
    texts = SourceTexts()
    one, two = texts.number_of(b"one"), texts.number_of(b"two")
    assert len({one, two, UNKNOWN}) == 3
    assert texts.number_of(b"one") == one
    assert texts.text(one) == "one"
    assert texts.text(99) is None


def test_lines_before_a_source_count() -> None:
    texts = SourceTexts()
    number = texts.number_of(b"x", 3)
    assert number != texts.number_of(b"x")
    assert texts.text(number) == "\n\n\nx"
    assert texts.number_of(b"x", LINES_BEFORE_MAX + 1) == UNKNOWN


def test_bytes_stay_bytes() -> None:
    texts = SourceTexts()
    assert texts.text(texts.number_of(b"\xff")) == b"\xff"
    assert texts.text(texts.number_of("ü".encode())) == "ü"


def test_the_oldest_are_forgotten() -> None:
    texts = SourceTexts(limit_bytes=100)
    numbers = [texts.number_of(b"%d" % digit * 30) for digit in range(3)]
    texts.number_of(b"0" * 30)  # used again
    new = texts.number_of(b"9" * 30)
    assert [texts.text(number) is not None for number in (*numbers, new)] == [
        True, False, True, True,
    ]  # fmt: skip
    assert texts.number_of(b"1" * 30) not in numbers, "a number is used once"
    assert texts.number_of(b"x" * 101) == UNKNOWN


def test_texts_go_with_an_image() -> None:
    texts = SourceTexts()
    numbers = [texts.number_of(b"text %d" % number, number) for number in range(3)]
    kept, free = texts.kept()
    others = SourceTexts()
    others.take_over(kept, free)
    for number, text_number in enumerate(numbers):
        assert others.text(text_number) == "\n" * number + f"text {number}"
    assert others.number_of(b"new") == free
    assert others.number_of(b"text 0") == numbers[0]


def test_only_the_newest_go_with_an_image(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lua_ls_persist.session.sources.KEPT_BYTES_MAX", 25)
    texts = SourceTexts()
    numbers = [texts.number_of(b"%d" % digit * 10) for digit in range(4)]
    kept, free = texts.kept()
    assert set(kept) == set(numbers[2:])
    others = SourceTexts()
    others.take_over(kept, free)
    assert others.number_of(b"new") == free > max(numbers)


def test_several_threads() -> None:
    texts = SourceTexts()
    found: list[set[int]] = []

    def work() -> None:
        found.append({texts.number_of(b"%d" % (number % 50)) for number in range(2000)})

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(numbers == found[0] for numbers in found)
    assert len(found[0]) == 50


# Bytecode

SOURCE = """
local up, text = 1, "x" .. ("y"):rep(100)
local function first(a, b, ...)
  local function inner(c) return up + a + c + 1.5 + 1e300 + (1 << 62) end
  return inner, text, ..., nil, true, false
end
local t = { second = function() return text end }
for i = 1, 3 do t[i] = function() return i, up, print end end
return first, first(1), t.second, t[1]
"""


@pytest.mark.parametrize(
    ("ordinal", "expression"),
    [(1, "first"), (2, "(first(1))"), (3, "t.second"), (4, "t[1]")],
)
def test_each_function_is_found(session: Session, ordinal: int, expression: str) -> None:
    source = SOURCE.replace(
        "return first,", f"do return string.dump({expression}) end return first,"
    )
    wanted = session.evaluate(source, name="same.lua", mode="chunk").values[0]
    quoted = f"[==[{source}]==]"
    whole = value(session, f"string.dump(load({quoted}, '@same.lua'))")
    assert isinstance(whole, bytes)
    found = function_of(whole, ordinal)
    # (A long bracket drops the newline that it begins with.)
    assert len(found.bytecode) == len(wanted)  # type: ignore[arg-type]
    with Session.open(allow_bytecode=True) as other:
        count = other.evaluate(
            "local c = ... local f = load(c) return debug.getinfo(f, 'u').nups",
            arguments=[found.bytecode],
        )
        assert count.values == (len(found.upvalues),)


def test_what_is_told_of_a_function(session: Session) -> None:
    whole = value(session, f"string.dump(load([==[{SOURCE}]==]))")
    assert isinstance(whole, bytes)
    found = function_of(whole, 1)
    assert (found.line_defined, found.last_line) == (2, 5)
    assert (found.parameters, found.is_vararg, found.upvalues) == (2, True, ("up", "text"))
    assert function_of(whole, 2).upvalues == ("up", "a")
    assert function_of(whole, 0).upvalues == ("_ENV",)


def test_there_is_no_such_function(session: Session) -> None:
    whole = value(session, "string.dump(load('return 1'))")
    assert isinstance(whole, (str, bytes))
    content = whole.encode() if isinstance(whole, str) else whole
    with pytest.raises(WireError, match="fewer functions than it had"):
        function_of(content, 1)
    for length in range(len(content)):
        with pytest.raises(WireError):
            function_of(content[:length], 0)
