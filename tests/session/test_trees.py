"""Value trees of the prelude: bytes and back, through the core and back, what makes no sense."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lua_ls_persist.errors import WireError
from lua_ls_persist.protocol import DECODE_DEPTH_MAX
from lua_ls_persist.session import Session
from lua_ls_persist.session.trees import (
    Encoded,
    Stored,
    Tree,
    read_tree,
    table_of,
    tables_of,
    tree_bytes,
)
from lua_ls_persist.store.rows import FUNCTION, PERMANENT, TABLE
from lua_ls_persist.wire import Decoder

INTEGERS = st.integers(-(2**63), 2**63 - 1)
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    INTEGERS,
    st.floats(allow_nan=False),
    TEXTS,
    st.builds(Stored, st.just(TABLE), st.integers(1, 2**40)),
    st.builds(Stored, st.just(FUNCTION), st.integers(1, 2**40)),
    st.builds(Stored, st.just(PERMANENT), TEXTS),
)
TREES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=5), st.dictionaries(TEXTS, inner, min_size=1, max_size=5)
    ),
    max_leaves=20,
)


def read(content: bytes) -> Tree:
    decoder = Decoder(content)
    tree = read_tree(decoder)
    assert decoder.position == len(content)
    return tree


@given(TREES)
def test_there_and_back(tree: Any) -> None:
    assert read(tree_bytes(tree, {})) == tree
    assert read(tree_bytes([Encoded(tree_bytes(tree, {}))], {})) == [tree]


@given(TREES, st.data())
def test_every_truncation_is_refused(tree: Any, data: st.DataObject) -> None:
    content = tree_bytes(tree, {})
    cut = content[: data.draw(st.integers(0, len(content) - 1))]
    with pytest.raises(WireError):
        read(cut)


@given(st.binary(max_size=40))
def test_any_bytes_are_read_or_refused(content: bytes) -> None:
    with contextlib.suppress(WireError):
        tree = read_tree(Decoder(content))
        again = tree_bytes(tree, {})
        assert tree_bytes(read(again), {}) == again


def test_tables_are_lists_or_mappings() -> None:
    pairs = b"\x0a\2\0\0\0" + tree_bytes(2, {}) + tree_bytes("b", {})
    pairs += tree_bytes(1, {}) + tree_bytes("a", {})
    assert read(pairs) == ["a", "b"]
    assert read(tree_bytes({1: "a", 3: "c"}, {})) == {1: "a", 3: "c"}
    assert read(tree_bytes({}, {})) == []
    assert table_of([], "it") == {}
    with pytest.raises(WireError, match="it is no table of fields"):
        table_of([1], "it")


def test_a_table_is_no_key() -> None:
    with pytest.raises(WireError, match="a plain table is no key"):
        read(b"\x0a\1\0\0\0" + tree_bytes([], {}) + tree_bytes(1, {}))


@pytest.mark.parametrize(("one", "other"), [(True, 1), (False, 0)])
def test_keys_that_are_one_key_here_are_told(one: bool, other: int) -> None:
    entries = [tree_bytes(part, {}) for part in (one, "a", other, "b")]
    with pytest.raises(WireError, match="cannot have both true and 1 as keys"):
        read(b"\x0a\2\0\0\0" + b"".join(entries))


def test_bytes_that_are_no_text_stay_bytes() -> None:
    assert read(tree_bytes(b"\xff", {})) == b"\xff"
    assert read(tree_bytes(bytearray(b"text"), {})) == "text"
    number = read(tree_bytes(math.nan, {}))
    assert isinstance(number, float)
    assert math.isnan(number)


@pytest.mark.parametrize(
    ("tree", "message"),
    [
        (2**63, "does not fit into a Lua integer"),
        ({None: 1}, "cannot be the key of a Lua table"),
        ({math.nan: 1}, "cannot be the key of a Lua table"),
        ({Stored(FUNCTION, 1): 1}, "a function cannot be a key of a plain table here"),
        ([object()], "a Python object has no counterpart in Lua"),
    ],
)
def test_what_lua_has_no_value_for(tree: Any, message: str) -> None:
    with pytest.raises(WireError, match=message):
        tree_bytes(tree, {})


def test_depth() -> None:
    tree: Any = 1
    for _ in range(DECODE_DEPTH_MAX):
        tree = [tree]
    assert read(tree_bytes(tree, {})) == tree
    with pytest.raises(WireError, match="deeper"):
        tree_bytes([tree], {})


def test_which_tables_there_are() -> None:
    first, second = Stored(TABLE, 7), Stored(TABLE, 3)
    tree: Any = {"a": [first, second, first], second: "b", "c": Stored(FUNCTION, 9)}
    assert tables_of(tree) == [(TABLE, 7, TABLE, 7), (TABLE, 3, TABLE, 3)]


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with Session.open() as opened:
        yield opened


@given(values=st.lists(st.one_of(st.booleans(), INTEGERS, st.floats(), TEXTS), max_size=8))
def test_through_the_core(session: Session, values: list[Any]) -> None:
    """What a batch is given from Python comes back from it as it was."""
    operations = []
    for place, item in enumerate(values, 1):
        operations.append({"op": "set", "table": "t", "key": place, "value": item})
        operations.append({"op": "get", "table": "t", "key": place})
    result = session.batch(operations)
    assert result.ok, result.problems
    for item, back in zip(values, result.values[1::2], strict=True):
        assert type(back) is type(item)
        assert repr(back) == repr(item)
