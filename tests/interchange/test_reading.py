"""Rows as they are read, and what is said of files that are wrong."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest

from lua_ls_persist.errors import InterchangeError
from lua_ls_persist.interchange import Reading, format_of, json_reading, read_rows, texts


def read(content: str | bytes, kind: Any, **options: Any) -> list[tuple[Any, Any]]:
    content = content.encode() if isinstance(content, str) else content
    rows = read_rows(io.BytesIO(content), f"rows.{kind}", Reading(kind, **options))
    return [(row.key, row.value) for row in rows]


def refusal(content: str | bytes, kind: Any, **options: Any) -> str:
    with pytest.raises(InterchangeError) as caught:
        read(content, kind, **options)
    return str(caught.value)


@pytest.fixture(params=[1, 2, 7, 1 << 16])
def piece_bytes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """However the file comes in pieces, it is read the same way."""
    size: int = request.param
    monkeypatch.setattr(texts, "PIECE_BYTES", size)
    return size


@pytest.mark.usefixtures("piece_bytes")
def test_csv() -> None:
    content = '\ufeffname,age\r\nAnn,41\r\n"B ""b"", é\nc",\r\n\r\n,7\r\n'
    assert read(content, "csv") == [
        (None, {"name": "Ann", "age": "41"}),
        (None, {"name": 'B "b", é\nc'}),
        (None, {"age": "7"}),
    ]
    assert read("a\n1", "csv") == [(None, {"a": "1"})]
    assert read("a,b\n", "csv") == []


def test_csv_with_types() -> None:
    content = "a,b,c,d,e,f\n1,1,true,007,1e3,\n-2,2.5,false,2,.5,\n"
    assert read(content, "csv", infer=True) == [
        (None, {"a": 1, "b": 1.0, "c": True, "d": "007", "e": 1000.0}),
        (None, {"a": -2, "b": 2.5, "c": False, "d": "2", "e": 0.5}),
    ]
    large = "9" * 5000
    assert read(f"a,b\n9223372036854775807,{large}\n", "csv", infer=True) == [
        (None, {"a": 2**63 - 1, "b": float("inf")})
    ]
    assert read("a\n9223372036854775808\n", "csv", infer=True) == [(None, {"a": 2.0**63})]


def test_csv_with_keys_and_paths() -> None:
    assert read("@key,@value\nx,1\n", "csv", infer=True) == [("x", 1)]
    assert read("id,n\nx,1\n", "csv", key="id") == [("x", {"id": "x", "n": "1"})]
    content = "address.city,address.zip,tags[1],tags[2],First name\nRome,1,a,b,Ann\n"
    assert read(content, "csv") == [
        (
            None,
            {
                "address": {"city": "Rome", "zip": "1"},
                "tags": {1: "a", 2: "b"},
                "First name": "Ann",
            },
        )
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "rows.csv:1: the first line must name the columns"),
        ("a,,b\n", "rows.csv:1: column 2 has no name"),
        ("a,b,a\n", "rows.csv:1: two columns are called 'a'"),
        ("a,b\n1,2\n3\n", "rows.csv:3: 1 fields, where the first line names 2 columns"),
        ('a,b\n1,"2\n3', "rows.csv:3: the file ends inside of a quoted field"),
        (
            "a,b\r1,2\r",
            "rows.csv:1: lines end with CR alone; save the file with LF or CRLF",
        ),
        ('a,b\n1,"2"3\n', "rows.csv:2: ',' expected after '\"'"),
        (b"a\nx\ny\xff\n", "rows.csv:3: the bytes are no UTF-8; save the file as UTF-8"),
        ("@keys\n1\n", "rows.csv:1: column 1: there is no @keys; there are @key and @value"),
        ("@key,a\n,2\n", "rows.csv:2: column @key, the key, is empty"),
        ("a.b,a\n1,2\n", "rows.csv:2: column a is also a table of other columns"),
        ("a,a.b\n1,2\n", "rows.csv:2: column a.b is inside of another one that has a value"),
    ],
)
def test_csv_that_is_wrong(content: str | bytes, message: str) -> None:
    assert refusal(content, "csv") == message


def test_a_key_that_there_is_not() -> None:
    assert refusal("a\n1\n", "csv", key="id") == "rows.csv:1: no column is called 'id'"
    assert refusal('[{"a": 1}]', "json", key="id") == (
        "rows.json:1:2: the row has no id, which is its key"
    )
    assert refusal("[1]", "json", key="id") == (
        "rows.json:1:2: the row is no object, so it has no id"
    )


@pytest.mark.usefixtures("piece_bytes")
@pytest.mark.parametrize(
    ("content", "rows"),
    [
        ("[]", []),
        (" [ ] \n", []),
        ("{}", []),
        ('[{"a": 1}, {"a": [true, null, "é\\n\\ud83d\\ude00"]}]', [
            (None, {"a": 1}), (None, {"a": [True, None, "é\n😀"]})
        ]),
        ("[12345,-1.5e3 ,0]", [(None, 12345), (None, -1500.0), (None, 0)]),
        ('{"ann": {"age": 41}, "n": 3}', [("ann", {"age": 41}), ("n", 3)]),
        ('[{"@key": 7, "x": 1}, {"@key": "k", "@value": 2}]', [(7, {"x": 1}), ("k", 2)]),
        ("\ufeff[1]", [(None, 1)]),
    ],
)  # fmt: skip
def test_json(content: str, rows: list[Any]) -> None:
    assert read(content, "json") == rows


@pytest.mark.usefixtures("piece_bytes")
@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "rows.json:1:1: expected an array or an object of rows"),
        ("7", "rows.json:1:1: expected an array or an object of rows"),
        ("[", "rows.json:1:2: expecting value"),
        ("[1 2]", "rows.json:1:4: expected , or ]"),
        ("[1,\n 2,\n]", "rows.json:3:1: expecting value"),
        ('[\n{"a": 1},\n{"a" 2}]', "rows.json:3:6: expecting ':' delimiter"),
        ('["abc', "rows.json:1:2: unterminated string"),
        ('{"a": 1, 2: 3}', "rows.json:1:10: expected the name of a row"),
        ('{"a" 1}', "rows.json:1:6: expected :"),
        ('[{"a": 1, "b": 2, "a": 3}]', "rows.json:1:2: the name 'a' occurs twice in one object"),
        ("[NaN]", "rows.json:1:2: NaN is no JSON"),
        ("[9223372036854775808]", "rows.json:1:2: 9223372036854775808 does not fit into 64 bits"),
        ('["\\ud800"]', "rows.json:1:2: an escape stands for half a character"),
        ("[1]\n 2", "rows.json:2:2: there is something after the rows"),
        ("[null]", "rows.json:1:2: null is no row"),
        ('[{"@key": [], "a": 1}]', "rows.json:1:2: an array or object cannot be a key"),
        ("[" * 100_000, "rows.json:1:2: the value is nested too deeply"),
        (b'[1,\n"\xff"]', "rows.json:2: the bytes are no UTF-8; save the file as UTF-8"),
    ],
)
def test_json_that_is_wrong(content: str | bytes, message: str) -> None:
    assert refusal(content, "json") == message


@pytest.mark.usefixtures("piece_bytes")
def test_json_lines() -> None:
    assert read('{"a": 1}\n\n  [1]\r\n"x"', "jsonl") == [(None, {"a": 1}), (None, [1]), (None, "x")]
    assert refusal("1\n{\n", "jsonl").startswith("rows.jsonl:2:2: expecting property name")
    assert refusal("1\n2 3\n", "jsonl") == "rows.jsonl:2:3: there is something after the row"


def test_a_long_value_is_not_tried_too_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "PIECE_BYTES", 100)
    tried = []
    decode = json_reading._DECODER.raw_decode

    class Counting:
        def raw_decode(self, text: str, at: int) -> Any:
            tried.append(len(text))
            return decode(text, at)

    monkeypatch.setattr(json_reading, "_DECODER", Counting())
    rows = [["x" * 100_000], list(range(20_000))]
    assert [value for _, value in read(json.dumps(rows), "json")] == rows
    assert len(tried) < 40
    assert sum(tried) < 8 * 250_000


def test_a_value_that_is_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_reading, "VALUE_CHARACTERS_MAX", 1000)
    monkeypatch.setattr(texts, "PIECE_BYTES", 100)
    assert refusal(f'["{"x" * 5000}"]', "json") == (
        "rows.json:1:2: a value is longer than 1000 characters"
    )


def test_how_far_it_has_come() -> None:
    heard: list[int] = []
    content = b"a\n" + b"1234567\n" * 20_000
    assert len(list(read_rows(io.BytesIO(content), "x", Reading("csv"), heard.append))) == 20_000
    assert heard == sorted(heard)
    assert heard[-1] == len(content)
    assert len(heard) > 2


def test_formats() -> None:
    assert [format_of(name) for name in ("a.csv", "A.CSV", "b.json", "c.jsonl", "d.ndjson")] == [
        "csv", "csv", "json", "jsonl", "jsonl",
    ]  # fmt: skip
    assert format_of("x.txt", "csv") == "csv"
    for name, wanted in (("x.txt", None), ("x", None), ("x.csv", "xml")):
        with pytest.raises(InterchangeError, match="csv, json or jsonl"):
            format_of(name, wanted)


def test_columns_that_stay_text_and_such_that_are_left_out() -> None:
    content = "id,a,b,place.room\n1,2,3,x\n"
    options = {"key": "id", "infer": True, "text": ("a",), "skip": ("id", "place.room")}
    assert read(content, "csv", **options) == [(1, {"a": "2", "b": 3})]
    rows = '{"id": 1, "a": 2, "b": {"a": 3}}\n{"id": 2}\n'
    assert read(rows, "jsonl", key="id", skip=("id", "a")) == [(1, {"b": {"a": 3}}), (2, {})]
    assert "no column is called 'x'" in refusal(content, "csv", text=("x",))
