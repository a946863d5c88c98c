"""Evaluations as JSON data: exact shapes, and that any evaluation makes clean JSON."""

from __future__ import annotations

import base64
import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lua_ls_persist.jsonable import evaluation_to_json, problem_to_json, value_to_json
from lua_ls_persist.model import Evaluation, Frame, OutputPiece, Preview, Problem, Value


@pytest.mark.parametrize(
    ("value", "data"),
    [
        (None, {"type": "nil", "text": "nil"}),
        (True, {"type": "boolean", "text": "true"}),
        (42, {"type": "integer", "text": "42"}),
        (2**63 - 1, {"type": "integer", "text": "9223372036854775807"}),
        (-(2**63), {"type": "integer", "text": "math.mininteger"}),
        (1.0, {"type": "float", "text": "1.0"}),
        (math.inf, {"type": "float", "text": "math.huge"}),
        (math.nan, {"type": "float", "text": "0/0"}),
        ("", {"type": "string", "text": '""', "content": ""}),
        ("a\nü", {"type": "string", "text": r'"a\nü"', "content": "a\nü"}),
        (b"\xff\x00", {"type": "string", "text": r'"\xFF\x00"', "base64": "/wA="}),
        ("\ud800", {"type": "string", "text": r'"\u{D800}"', "base64": "7aCA"}),
        (
            Preview("string", '"aa"... (9999 bytes)', length_bytes=9999),
            {"type": "string", "text": '"aa"... (9999 bytes)', "length_bytes": 9999},
        ),
        (
            Preview("function", "function: f.lua:3", address=0xABC, detail="f.lua:3"),
            {
                "type": "function",
                "text": "function: f.lua:3",
                "address": "0xabc",
                "detail": "f.lua:3",
            },
        ),
        (Preview("thread", "thread: 0x1"), {"type": "thread", "text": "thread: 0x1"}),
        (
            Preview("table", "{7, ...}", ((1, 7),), omitted=True, address=16),
            {
                "type": "table",
                "text": "{7, ...}",
                "entries": [
                    {
                        "key": {"type": "integer", "text": "1"},
                        "value": {"type": "integer", "text": "7"},
                    }
                ],
                "omitted": True,
                "address": "0x10",
            },
        ),
        (
            Preview("table", "{}"),
            {"type": "table", "text": "{}", "entries": [], "omitted": False},
        ),
    ],
)
def test_values_carry_their_type_and_text(value: Value, data: dict[str, object]) -> None:
    assert value_to_json(value) == data


def test_an_evaluation_has_the_fields_of_the_model() -> None:
    evaluation = Evaluation(
        ok=True,
        values=(1, "a"),
        text='1, "a"',
        output=(OutputPiece("hi\n", "stdout", "demo.lua", 3), OutputPiece("?", "stderr", "", None)),
        duration_s=0.25,
    )
    assert evaluation_to_json(evaluation) == {
        "ok": True,
        "values": [
            {"type": "integer", "text": "1"},
            {"type": "string", "text": '"a"', "content": "a"},
        ],
        "text": '1, "a"',
        "output": [
            {"text": "hi\n", "stream": "stdout", "chunk": "demo.lua", "line": 3},
            {"text": "?", "stream": "stderr", "chunk": "", "line": None},
        ],
        "problems": [],
        "duration_s": 0.25,
    }


def test_a_problem_carries_its_traceback_and_value() -> None:
    problem = Problem(
        "runtime",
        "boom",
        "demo.lua",
        2,
        traceback=(Frame("demo.lua", 2, "function 'f'"), Frame("[C]", None, "function 'error'")),
        value="boom",
    )
    assert problem_to_json(problem) == {
        "kind": "runtime",
        "severity": "error",
        "message": "boom",
        "chunk": "demo.lua",
        "line": 2,
        "traceback": [
            {"chunk": "demo.lua", "line": 2, "function": "function 'f'"},
            {"chunk": "[C]", "line": None, "function": "function 'error'"},
        ],
        "value": {"type": "string", "text": '"boom"', "content": "boom"},
    }


def test_a_file_name_that_is_not_utf8_makes_clean_text() -> None:
    problem = Problem("syntax", "x", "caf\udce9.lua", 1)
    assert problem_to_json(problem)["chunk"] == r"caf\xE9.lua"


texts = st.text(st.characters())  # lone surrogates included
values = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-(2**63), 2**63 - 1),
        st.floats(),
        texts,
        st.binary(),
        st.builds(
            Preview,
            st.sampled_from(["function", "userdata", "thread", "string"]),
            texts,
            address=st.integers(0, 2**64 - 1),
            detail=texts,
            length_bytes=st.integers(0, 2**32),
        ),
    ),
    lambda inner: st.builds(
        lambda entries, omitted: Preview("table", "{...}", tuple(entries), omitted),
        st.lists(st.tuples(inner, inner)),
        st.booleans(),
    ),
    max_leaves=20,
)
lines = st.none() | st.integers(1, 2**31)
evaluations = st.builds(
    Evaluation,
    st.booleans(),
    st.lists(values, max_size=3).map(tuple),
    texts,
    st.lists(st.builds(OutputPiece, texts, st.just("stdout"), texts, lines)).map(tuple),
    st.lists(
        st.builds(
            Problem,
            st.just("runtime"),
            texts,
            texts,
            lines,
            st.lists(st.builds(Frame, texts, lines, texts)).map(tuple),
            values,
        ),
        max_size=3,
    ).map(tuple),
    st.floats(),
)


@given(evaluations)
def test_any_evaluation_makes_clean_json(evaluation: Evaluation) -> None:
    data = evaluation_to_json(evaluation)
    for ascii_only in (True, False):
        text = json.dumps(data, allow_nan=False, ensure_ascii=ascii_only)
        assert json.loads(text.encode("utf-8")) == data
    for number in numbers_in(data):
        assert isinstance(number, float) or abs(number) < 2**53


@given(st.binary())
def test_bytes_come_back_from_base64(content: bytes) -> None:
    data = value_to_json(content)
    assert base64.b64decode(str(data["base64"]), validate=True) == content


def numbers_in(data: Any) -> list[int | float]:
    if isinstance(data, dict):
        data = list(data.values())
    if isinstance(data, list):
        return [number for item in data for number in numbers_in(item)]
    return [data] if isinstance(data, (int, float)) and not isinstance(data, bool) else []
