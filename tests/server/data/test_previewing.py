"""Looking at a file of rows before it is imported, and importing it as chosen."""

from __future__ import annotations

from pathlib import Path

from tests.server.data.helpers import error, texts
from tests.server.editor import Editor

PLANTS = "id,days,zip,note\nfern,3,0049,\naloe,14,0050,dry\n"


def _written(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


async def test_a_file_is_looked_at_and_imported_as_chosen(people: Editor) -> None:
    _written(people.folder / "plants.csv", PLANTS)
    chosen = {"path": "plants.csv", "key": "id", "infer": True, "text": ["days"], "skip": ["zip"]}
    told = await people.run("previewImport", {**chosen, "limit": 1})
    assert (told["format"], told["bytes"]) == ("csv", len(PLANTS))
    assert [(one["name"], one["types"], one["inferred"], one["missing"])
            for one in told["columns"]] == [
        ("id", {"string": 2}, "string", 0),
        ("days", {"string": 2}, "integer", 0),
        ("zip", {"string": 2}, "string", 0),
        ("note", {"string": 1}, "string", 1),
    ]  # fmt: skip
    (row,) = told["rows"]
    assert (row["line"], row["key"]["content"]) == (2, "fern")
    assert texts(row["cells"]) == ['"fern"', '"3"', '"0049"', None]
    assert (told["rows_checked"], told["complete"], told["problems"]) == (2, True, [])
    names = [table["name"] for table in (await people.run("tables"))["tables"]]
    assert "plants" not in names
    done = await people.run("import", {**chosen, "table": "plants"})
    assert texts(done["values"]) == ["2"]
    found = await people.run("inspect", {"path": "plants.aloe", "depth": 1})
    members = {entry["key"]["content"]: entry["value"]["text"] for entry in found["entries"]}
    assert members == {"id": '"aloe"', "days": '"14"', "note": '"dry"'}
    went = await people.run("undo")
    assert len(went["evaluations"]) == 1
    names = [table["name"] for table in (await people.run("tables"))["tables"]]
    assert "plants" not in names


async def test_what_is_wrong_is_told_with_its_place(stored: Editor) -> None:
    _written(stored.folder / "bad.csv", "a,b\n1\n2,3\n")
    told = await stored.run("previewImport", {"path": "bad.csv"})
    assert told["problem_count"] == 1
    assert told["problems"] == [
        {"message": "1 fields, where the first line names 2 columns", "line": 2, "column": None}
    ]
    _written(stored.folder / "bad.json", '[{"a": 1},\n  {"a": x}]')
    told = await stored.run("previewImport", {"path": "bad.json"})
    assert [(one["line"], one["column"]) for one in told["problems"]] == [(2, 9)]
    assert not told["complete"]
    _written(stored.folder / "deep.jsonl", '{"a": {"b": [1]}, "c": "%s"}\n' % ("x" * 500))
    told = await stored.run("previewImport", {"path": "deep.jsonl"})
    table, text = told["rows"][0]["cells"]
    assert (table["type"], table["text"]) == ("table", '{"b": [1]}')
    assert len(text["content"]) == 200
    assert "none.csv cannot be read" in await error(stored, "previewImport", {"path": "none.csv"})
    assert "bad.txt" in await error(stored, "previewImport", {"path": "bad.txt"})
