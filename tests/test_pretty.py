"""How values look as Lua source: exact texts, widths, and order."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lua_ls_persist.model import Preview, Value
from lua_ls_persist.pretty import (
    LUA_KEYWORDS,
    WIDTH_MIN,
    is_name,
    long_string_text,
    one_line,
    pretty,
    pretty_values,
    sort_entries,
    table_text,
)
from lua_ls_persist.session import Session


def table(*entries: tuple[Value, Value], omitted: bool = False) -> Preview:
    return Preview("table", table_text(entries, omitted=omitted), entries, omitted)


def listing(*values: Value, omitted: bool = False) -> Preview:
    return table(*((index, value) for index, value in enumerate(values, 1)), omitted=omitted)


ADD = Preview("function", "function: demo.lua:12", address=0x1234, detail="demo.lua:12")
CYCLE = Preview("table", "<cycle>", address=0x77)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "nil"),
        (True, "true"),
        (False, "false"),
        (0, "0"),
        (-7, "-7"),
        (2**63 - 1, "9223372036854775807"),
        (-(2**63), "math.mininteger"),
        (-(2**63) + 1, "-9223372036854775807"),
        (1.0, "1.0"),
        (-0.0, "-0.0"),
        (0.1, "0.1"),
        (0.1 + 0.2, "0.30000000000000004"),
        (1e13, "10000000000000.0"),
        (1e14, "1e+14"),
        (1e15, "1e+15"),
        (1e100, "1e+100"),
        (5e-324, "4.9406564584125e-324"),
        (2.0**63, "9.223372036854776e+18"),
        (math.inf, "math.huge"),
        (-math.inf, "-math.huge"),
        (math.nan, "0/0"),
        ("", '""'),
        ("plain 'quotes'", "\"plain 'quotes'\""),
        ('say "hi"\\\n', r'"say \"hi\"\\\n"'),
        ("\a\b\f\n\r\t\v", r'"\a\b\f\n\r\t\v"'),
        ("\0001\x7f", r'"\x001\x7F"'),
        ("Grüße 🎉", '"Grüße 🎉"'),
        ("a\u200bb\u202e\x85", r'"a\u{200B}b\u{202E}\u{85}"'),
        (b"\xff\x00ok", r'"\xFF\x00ok"'),
        ("ü".encode() + b"\xc3", r'"ü\xC3"'),
        (b"\xed\xa0\x80", r'"\xED\xA0\x80"'),
        (ADD, "function: demo.lua:12"),
        (Preview("userdata", "userdata: 0x10"), "userdata: 0x10"),
        (Preview("thread", "thread: 0x10"), "thread: 0x10"),
        (CYCLE, "<cycle>"),
        (Preview("string", '"aaa"... (99 bytes)', length_bytes=99), '"aaa"... (99 bytes)'),
        (table(), "{}"),
        (table(omitted=True), "{...}"),
        (Preview("table", ""), "{}"),
        (Preview("table", "", omitted=True), "{...}"),
        (listing(1, 2, 3), "{1, 2, 3}"),
        (listing(1, omitted=True), "{1, ...}"),
        (
            table((1, 1), (2, 2), ("name", "Ann"), ("two words", True), (1.5, "x")),
            '{1, 2, name = "Ann", ["two words"] = true, [1.5] = "x"}',
        ),
        (table((1, "a"), (3, "c")), '{"a", [3] = "c"}'),
        (table((2, "b")), '{[2] = "b"}'),
        (table((1.0, "a")), '{[1.0] = "a"}'),
        (table((True, 1), (False, 0)), "{[true] = 1, [false] = 0}"),
        (table(("end", 1), ("_end", 2), ("2nd", 3)), '{["end"] = 1, _end = 2, ["2nd"] = 3}'),
        (table(("naïve", 1), (b"\xff", 2)), r'{["naïve"] = 1, ["\xFF"] = 2}'),
        (table((-(2**63), 1), (-math.inf, 2)), "{[math.mininteger] = 1, [-math.huge] = 2}"),
        (table((listing(1, 2), "p"), (ADD, 1)), '{[{1, 2}] = "p", [function: demo.lua:12] = 1}'),
        (table(("self", CYCLE), ("f", ADD)), "{self = <cycle>, f = function: demo.lua:12}"),
        (listing(listing(), listing(listing(1))), "{{}, {{1}}}"),
    ],
)
def test_short_values_look_the_same_on_one_line_and_pretty(value: Value, text: str) -> None:
    assert one_line(value) == text
    assert pretty(value) == text
    assert pretty_values([value]) == text


def test_a_true_key_is_not_taken_for_position_one() -> None:
    assert one_line(table((True, "x"))) == '{[true] = "x"}'


def test_a_table_that_does_not_fit_is_broken_and_indented_by_two() -> None:
    ann = table(("name", "Ann"), ("tags", listing("admin", "ops")), ("age", 41))
    people = table((1, 1), ("ann", ann), ("bob", table(omitted=True)))
    assert pretty(people, width=40).splitlines() == [
        "{",
        "  1,",
        "  ann = {",
        '    name = "Ann",',
        '    tags = {"admin", "ops"},',
        "    age = 41,",
        "  },",
        "  bob = {...},",
        "}",
    ]


def test_omitted_entries_are_marked_on_a_line_of_their_own() -> None:
    assert pretty(listing("a" * 20, "b" * 20, omitted=True), width=30) == "\n".join(
        ["{", f'  "{"a" * 20}",', f'  "{"b" * 20}",', "  ...", "}"]
    )


def test_long_lists_of_numbers_fill_their_lines() -> None:
    lines = pretty(table(*listing(*range(100)).entries, ("n", 100)), width=40).splitlines()
    assert lines[:2] == ["{", "  0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11,"]
    assert lines[-2:] == ["  n = 100,", "}"]
    assert len(lines) == 14
    assert max(map(len, lines)) <= 40


def test_the_comma_counts_when_deciding_what_fits() -> None:
    inner = listing("a" * 16)  # 20 characters: 2 + 20 + the comma make 23
    assert pretty(listing(inner, 1), width=WIDTH_MIN).splitlines()[1] == f'  {{"{"a" * 16}"}},'
    inner = listing("a" * 18)
    assert pretty(listing(inner, 1), width=WIDTH_MIN).splitlines()[1:3] == [
        "  {",
        f'    "{"a" * 18}",',
    ]


def test_pretty_never_cuts_a_string_and_one_line_does() -> None:
    text = "x" * 200
    assert pretty(text) == f'"{text}"'
    assert one_line(text, width=30) == f'"{"x" * 25}"...'


def test_one_line_cuts_between_escapes() -> None:
    assert one_line("\n" * 40, width=24) == '"' + r"\n" * 9 + '"...'
    assert one_line(b"\xff" * 40, width=24) == '"' + r"\xFF" * 4 + '"...'


def test_one_line_shows_the_entries_that_fit() -> None:
    assert one_line(listing(*range(100)), width=30) == "{0, 1, 2, 3, 4, 5, 6, 7, ...}"
    assert one_line(table(("text", "a" * 99), ("n", 1)), width=30) == (
        '{text = "aaaaaaaaaaa"..., ...}'
    )
    assert one_line(table(("list", listing(*range(99)))), width=30) == (
        "{list = {0, 1, 2, 3, 4, ...}}"
    )
    assert one_line(table(("k" * 99, 1), ("n", 1)), width=30) == "{...}"


def test_a_long_text_of_a_function_is_cut() -> None:
    assert one_line(Preview("function", "function: " + "x" * 90), width=30) == (
        "function: " + "x" * 17 + "..."
    )


def test_a_table_as_key_is_bounded() -> None:
    text = one_line(table((listing(*range(100)), 1)))
    assert text == "{[{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, ...}] = 1}"


def test_table_text_is_one_bounded_line() -> None:
    entries = listing(*range(1000)).entries
    text = table_text(entries, omitted=True, width=60)
    assert len(text) <= 60
    assert text.startswith("{0, 1, 2, ")
    assert text.endswith(", ...}")
    assert table_text((), omitted=False, width=60) == "{}"
    assert table_text((), omitted=True, width=60) == "{...}"


def test_long_string_text_names_the_full_length() -> None:
    assert long_string_text("ab" * 100, length_bytes=10_000, width=40) == (
        '"' + "ab" * 10 + 'a"... (10000 bytes)'
    )
    assert long_string_text(b"ab", length_bytes=10_000) == '"ab"... (10000 bytes)'


def test_several_values_stand_on_one_line_or_on_lines() -> None:
    assert pretty_values([]) == ""
    assert pretty_values([1, "two", None]) == '1, "two", nil'
    long = listing("a" * 20, "b" * 20)
    assert pretty_values([1, long, None], width=30) == "\n".join(
        ["1,", "{", f'  "{"a" * 20}",', f'  "{"b" * 20}",', "},", "nil"]
    )


def test_sort_entries_puts_the_list_part_first_then_numbers_strings_booleans_and_others() -> None:
    function = Preview("function", "function: a", address=2)
    thread = Preview("thread", "thread: a", address=1)
    keys: list[Value] = [
        1,
        2,
        3,
        -math.inf,
        -1,
        0,
        0.5,
        5,
        5.5,
        2**62,
        math.inf,
        "",
        "A",
        "a",
        b"a\xff",
        "aa",
        "ü",
        b"\xff",
        False,
        True,
        function,
        thread,
    ]
    # "a\xff" sorts after "aa" bytewise: 0x61 < 0xFF.
    keys[14], keys[15] = keys[15], keys[14]
    expected = tuple((key, None) for key in keys)
    for seed in range(20):
        shuffled = list(expected)
        random.Random(seed).shuffle(shuffled)
        assert sort_entries(shuffled) == expected


def test_sort_entries_without_a_first_element_has_no_list_part() -> None:
    assert [key for key, _ in sort_entries([(3, 0), (0, 0), (2, 0), (-1, 0)])] == [-1, 0, 2, 3]


def test_is_name_follows_the_reference_manual() -> None:
    assert all(map(is_name, ["a", "_", "_G", "x1", "End"]))
    assert not any(map(is_name, ["", "1x", "a b", "a-b", "ä", "a\n", *LUA_KEYWORDS]))
    assert len(LUA_KEYWORDS) == 22


scalars: st.SearchStrategy[Value] = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.text(),
    st.binary(),
    # In angle brackets, as the texts of functions are: the comma that breaking adds stays visible.
    st.builds(
        Preview,
        st.just("function"),
        st.text(st.characters(codec="ascii"), min_size=1).map(lambda text: f"<{text}>"),
    ),
    st.just(CYCLE),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.builds(lambda items, cut: listing(*items, omitted=cut), st.lists(inner), st.booleans()),
        st.builds(
            lambda items, cut: table(*sort_entries(items), omitted=cut),
            st.lists(st.tuples(inner, inner)),
            st.booleans(),
        ),
    ),
    max_leaves=30,
)
widths = st.integers(0, 120)


def is_number(value: Value) -> bool:
    return isinstance(value, (int, float))


@given(values, widths)
def test_one_line_never_exceeds_its_width(value: Value, width: int) -> None:
    assert len(one_line(value, width=width)) <= max(width, WIDTH_MIN)


@given(values, widths)
def test_one_line_and_pretty_agree_where_the_value_fits(value: Value, width: int) -> None:
    everything = one_line(value, width=10**6)
    if len(everything) <= max(width, WIDTH_MIN):
        assert one_line(value, width=width) == everything
        assert pretty(value, width=width) == everything
    else:
        assert one_line(value, width=width) != everything


@given(values, widths)
def test_breaking_lines_changes_nothing_but_space_and_last_commas(value: Value, width: int) -> None:
    def squeezed(text: str) -> str:
        return "".join(text.split()).replace(",}", "}")

    assert squeezed(pretty(value, width=width)) == squeezed(one_line(value, width=10**6))


@given(st.lists(values, max_size=4), widths)
def test_pretty_values_shows_each_value(several: list[Value], width: int) -> None:
    text = pretty_values(several, width=width)
    joined = ", ".join(one_line(value, width=10**6) for value in several)
    assert "".join(text.split()).replace(",}", "}") == "".join(joined.split()).replace(",}", "}")


plain_scalars: st.SearchStrategy[Value] = st.one_of(
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(),
    st.text(max_size=30),
    st.binary(max_size=30).map(lambda content: content + b"\xff"),  # text comes back as str
)
plain_keys = plain_scalars.filter(
    lambda key: not (isinstance(key, float) and (math.isnan(key) or key.is_integer()))
)


def tables_of(inner: st.SearchStrategy[Value]) -> st.SearchStrategy[Value]:
    keys = plain_keys.filter(lambda key: key not in {0, 1})  # to Python, True is 1
    return st.one_of(
        inner,
        st.lists(inner, max_size=5).map(lambda items: listing(*items)),
        st.dictionaries(keys, inner, max_size=5).map(
            lambda items: table(*sort_entries(items.items()))
        ),
    )


# No deeper than a session looks.
plain_values = tables_of(tables_of(tables_of(plain_scalars)))


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with Session.open() as session:
        yield session


@given(values=st.lists(plain_values, min_size=1, max_size=3), width=widths)
def test_lua_reads_what_is_written(session: Session, values: list[Value], width: int) -> None:
    text = pretty_values(values, width=width)
    evaluation = session.evaluate(f"return {text}")
    assert evaluation.ok, evaluation.problems
    assert pretty_values(evaluation.values, width=width) == text


@given(st.one_of(st.text(), st.binary()))
def test_strings_are_printable_and_mean_the_same_bytes(value: str | bytes) -> None:
    text = one_line(value, width=10**6)
    assert text.isprintable()
    assert unquoted(text) == (value if isinstance(value, bytes) else value.encode())


def unquoted(text: str) -> bytes:
    """Reads a double-quoted Lua string as the Lua reference manual, section 3.1, says."""
    simple = dict(zip('abfnrtv\\"', b'\a\b\f\n\r\t\v\\"', strict=True))
    assert text[0] == text[-1] == '"'
    body, result, at = text[1:-1], bytearray(), 0
    while at < len(body):
        character = body[at]
        assert character != '"'
        if character != "\\":
            result += character.encode()
            at += 1
        elif body[at + 1] == "x":
            result.append(int(body[at + 2 : at + 4], 16))
            at += 4
        elif body[at + 1] == "u":
            end = body.index("}", at)
            result += chr(int(body[at + 3 : end], 16)).encode("utf-8", "surrogatepass")
            at = end + 1
        else:
            result.append(simple[body[at + 1]])
            at += 2
    return bytes(result)


nested: st.SearchStrategy[Value] = st.recursive(
    scalars,
    lambda inner: st.builds(
        lambda pairs, omitted: table(*sort_entries(pairs.items()), omitted=omitted),
        st.dictionaries(st.text(max_size=5) | st.integers(1, 6) | st.just("a..."), inner),
        st.booleans(),
    ),
    max_leaves=12,
)


def without_texts(value: Value) -> Value:
    if not isinstance(value, Preview):
        return value
    entries = tuple((key, without_texts(item)) for key, item in value.entries)
    return Preview(value.kind, "" if entries else value.text, entries, value.omitted)


@given(st.lists(nested, max_size=3), st.integers(WIDTH_MIN, 120))
def test_the_texts_that_tables_have_change_nothing(values: list[Value], width: int) -> None:
    plain = [without_texts(value) for value in values]
    assert pretty_values(values, width=width) == pretty_values(plain, width=width)
    for value, same in zip(values, plain, strict=True):
        assert pretty(value, width=width) == pretty(same, width=width)
        assert one_line(value, width=width) == one_line(same, width=width)


@given(
    st.dictionaries(st.text(), st.just(1)) | st.dictionaries(st.text() | st.integers(), st.just(1))
)
def test_names_come_in_the_order_of_their_bytes(fields: dict[str | int, int]) -> None:
    names = [key for key, _ in sort_entries(fields.items()) if isinstance(key, str)]
    assert names == sorted(names, key=lambda name: name.encode("utf-8", "surrogatepass"))
