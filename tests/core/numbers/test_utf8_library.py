"""The utf8 library against Python's codec."""

from __future__ import annotations

import random

from lua_ls_persist.session import Session
from tests.core.numbers.values import check_same, evaluate, lines, texts_of


def test_every_code_point(session: Session) -> None:
    """utf8.char, codepoint, len and codes over all of Unicode, without the surrogates."""
    source = """
        local out, n = {}, 0
        for c = 0, 0x10FFFF do
          if c < 0xD800 or c > 0xDFFF then n = n + 1; out[n] = utf8.char(c) end
        end
        local all = table.concat(out)
        assert(utf8.len(all) == n)
        local i = 0
        for _, c in utf8.codes(all) do
          i = i + 1
          assert(out[i] == utf8.char(c) and utf8.codepoint(out[i]) == c)
        end
        assert(i == n)
        return all
    """
    everything = "".join(chr(c) for c in range(0x110000) if not 0xD800 <= c <= 0xDFFF)
    assert evaluate(session, source) == everything.encode()


def test_len_finds_what_is_not_utf8(session: Session, rng: random.Random) -> None:
    """The same sequences are refused as Python refuses, at the same place."""
    alphabet = [
        "a",
        "\x00",
        "\x7f",
        "\x80",
        "é",
        "\u07ff",
        "\u0800",
        "€",
        "\uffff",
        "😀",
        "\U0010ffff",
    ]
    contents = []
    for _ in range(20_000):
        text = "".join(rng.choices(alphabet, k=rng.randint(0, 8)))
        changed = bytearray(text.encode())
        for _ in range(rng.choice((0, 0, 1, 1, 2))):
            if changed:
                changed[rng.randrange(len(changed))] = rng.choice(
                    (0x80, 0xBF, 0xC0, 0xC1, 0xE0, 0xED, 0xF0, 0xF4, 0xF5, 0xFF, rng.getrandbits(8))
                )
        contents.append(bytes(changed))
    source = lines("xs", [content.hex() or "-" for content in contents])
    unhex = "x == '-' and '' or x:gsub('%x%x', function(h) return string.char(tonumber(h, 16)) end)"
    got = texts_of(
        session,
        source,
        f"""(function(s)
            local n, at = utf8.len(s)
            return n and "ok " .. n or "bad " .. at
        end)(({unhex}))""",
    )
    expected = []
    for content in contents:
        try:
            expected.append(f"ok {len(content.decode())}")
        except UnicodeDecodeError as error:
            expected.append(f"bad {error.start + 1}")
    check_same(contents, got, expected)


def test_offsets(session: Session, rng: random.Random) -> None:
    text = "".join(rng.choices("aé€😀", k=1000))
    starts = [len(text[:index].encode()) + 1 for index in range(len(text) + 1)]
    source = f"""
        local s = "{text}"
        local out = {{}}
        local n = utf8.len(s)
        for i = 1, n + 1 do
          out[i] = utf8.offset(s, i)
          assert(i > n or utf8.offset(s, i - n - 1) == out[i])
        end
        return table.concat(out, "\\n")
    """
    assert [int(line) for line in evaluate(session, source).split()] == starts
