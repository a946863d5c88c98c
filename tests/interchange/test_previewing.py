"""What is told of a file before it is imported."""

from __future__ import annotations

import io
from typing import Any

import pytest

from lua_ls_persist.interchange import FilePreview, Reading, preview_rows, previewing


def preview(
    content: str | bytes, kind: Any, *, limit: int = 10, replace: bool = False, **options: Any
) -> FilePreview:
    content = content.encode() if isinstance(content, str) else content
    reading = Reading(kind, **options)
    return preview_rows(io.BytesIO(content), f"rows.{kind}", reading, limit=limit, replace=replace)


def problems(found: FilePreview) -> list[tuple[str, int | None, int | None]]:
    return [(one.message, one.line, one.column) for one in found.problems]


CSV = "id,age,zip,ok\nann,41,0049,true\nbob,,0050,false\ncid,2.5,0051,true\n"


def test_columns_of_csv_with_what_they_would_become() -> None:
    found = preview(CSV, "csv", key="id", infer=True, text=("ok",), limit=2)
    assert [(one.name, one.types, one.inferred, one.missing) for one in found.columns] == [
        ("id", {"string": 3}, "string", 0),
        ("age", {"float": 2}, "float", 1),
        ("zip", {"string": 3}, "string", 0),
        ("ok", {"string": 3}, "boolean", 0),
    ]
    assert [(row.line, row.key, row.values) for row in found.rows] == [
        (2, "ann", ("ann", 41.0, "0049", "true")),
        (3, "bob", ("bob", None, "0050", "false")),
    ]
    assert (found.rows_checked, found.is_complete, found.problem_count) == (3, True, 0)


def test_without_inference_all_is_text_and_the_guess_is_told() -> None:
    found = preview("n\n1\n2\n", "csv", skip=("n",))
    (column,) = found.columns
    assert (column.types, column.inferred) == ({"string": 2}, "integer")
    assert [row.values for row in found.rows] == [("1",), ("2",)]


def test_all_that_is_wrong_in_csv_is_told_at_once() -> None:
    found = preview("id,n\na,1\nb\n,2\na,3\nc,4,5\nd,6\n", "csv", key="id")
    assert problems(found) == [
        ("1 fields, where the first line names 2 columns", 3, None),
        ("column id, the key, is empty", 4, None),
        ("the key 'a' is that of line 2 already", 5, None),
        ("3 fields, where the first line names 2 columns", 6, None),
    ]
    assert found.rows_checked == 4
    assert found.is_complete
    assert preview("id,n\na,1\na,2\n", "csv", key="id", replace=True).problem_count == 0


@pytest.mark.parametrize(
    ("content", "kind", "options", "wanted"),
    [
        ('a,b\n1,"2\n', "csv", {}, ("the file ends inside of a quoted field", 2, None)),
        ("a,a\n", "csv", {}, ("two columns are called 'a'", 1, None)),
        ("a\n1\n", "csv", {"key": "b"}, ("no column is called 'b'", 1, None)),
        ("a\n1\n", "csv", {"skip": ("b",)}, ("no column is called 'b'", 1, None)),
        (b"a\n\xff\n", "csv", {}, ("the bytes are no UTF-8; save the file as UTF-8", 2, None)),
        ('[{"a": 1}, {"a": }]', "json", {}, ("expecting value", 1, 18)),
        ('[{"a": 1}, null]', "json", {}, ("null is no row", 1, 12)),
        ("", "json", {}, ("expected an array or an object of rows", 1, 1)),
    ],
)
def test_what_ends_the_look(
    content: str | bytes, kind: str, options: dict[str, Any], wanted: tuple[str, int, int | None]
) -> None:
    found = preview(content, kind, **options)
    assert problems(found) == [wanted]
    assert not found.is_complete


def test_rows_of_json_with_their_members() -> None:
    content = '[{"@key": "x", "n": 1, "t": {"deep": [1]}}, {"n": 2.5}, {"@value": 5}, {"n": null}]'
    found = preview(content, "json", skip=("n",))
    assert [(one.name, one.types, one.missing) for one in found.columns] == [
        ("n", {"integer": 1, "float": 1}, 2),
        ("t", {"table": 1}, 3),
        ("@value", {"integer": 1}, 3),
    ]
    assert [(row.line, row.key, row.values) for row in found.rows[:2]] == [
        (1, "x", (1, {"deep": [1]}, None)),
        (1, None, (2.5, None, None)),
    ]
    keyed = preview('{"a": {"n": 1}, "b": {"n": true}}', "json")
    assert [row.key for row in keyed.rows] == ["a", "b"]


def test_lines_of_json_go_on_behind_what_is_wrong() -> None:
    content = '{"id": 1}\n{"id": \n\n{"x": 1}\n{"id": true}\n{"id": 1}\n[1]\n'
    found = preview(content, "jsonl", key="id")
    assert problems(found) == [
        ("expecting value", 2, 8),
        ("the row has no id, which is its key", 4, None),
        ("the key 1 is that of line 1 already", 6, None),
        ("the row is no object, so it has no id", 7, None),
    ]
    assert found.rows_checked == 3
    assert found.is_complete


def test_a_long_file_is_looked_at_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(previewing, "BYTES_MAX", 100_000)
    monkeypatch.setattr(previewing, "PROBLEMS_MAX", 3)
    for kind, line in (("csv", "1,2,3\n"), ("jsonl", "nonsense\n"), ("jsonl", '{"a": 1}\n')):
        found = preview("a,b,c\n" + line * 100_000, kind)
        assert not found.is_complete
        assert len(found.rows) <= 10
        assert len(found.problems) <= 3 <= found.problem_count + 3
        assert found.rows_checked < 100_000
    assert preview("nonsense\n" * 100, "jsonl").problem_count == 100


def test_a_look_that_takes_too_long_ends_behind_a_row() -> None:
    for kind, content in (("csv", CSV), ("jsonl", '{"a": 1}\n' * 3), ("json", "[1, 2]")):
        file = io.BytesIO(content.encode())
        found = preview_rows(file, "rows", Reading(kind), limit=10, time_limit_s=-1)  # type: ignore[arg-type]
        assert (found.rows_checked, len(found.rows), found.is_complete) == (1, 1, False)
