"""Files of rows, into the tables of a session and out of them."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lua_ls_persist.errors import InterchangeError, QueryError, SessionError
from lua_ls_persist.interchange import Format, Reading, read_rows
from lua_ls_persist.model import Evaluation
from lua_ls_persist.session import Session
from tests.session.helpers import problem


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    with Session.open(tmp_path / "session.db") as session:
        yield session


def written(path: Path, content: str) -> Path:
    path.write_text(content, encoding="utf-8")
    return path


def values(evaluation: Evaluation) -> tuple[Any, ...]:
    assert evaluation.ok, evaluation.problems
    return evaluation.values


def test_csv_with_keys_and_types(session: Session, tmp_path: Path) -> None:
    file = written(tmp_path / "users.csv", "id,name,age,address.city\nann,Ann,41,Rome\nbob,Bob,,\n")
    assert values(session.import_data(file, "users", key="id", infer=True)) == (2,)
    text = session.evaluate("return ext.table('users').ann").text
    assert text == '{address = {city = "Rome"}, age = 41, id = "ann", name = "Ann"}'
    assert session.evaluate("return ext.table('users').bob").text == '{id = "bob", name = "Bob"}'


def test_rows_without_keys_follow_the_last_one(session: Session, tmp_path: Path) -> None:
    file = written(tmp_path / "log.jsonl", '{"n": 1}\n{"n": 2}\n"text"\n')
    session.evaluate("ext.table('log')[1] = { n = 0 }")
    for count in (4, 7):
        assert values(session.import_data(file, "log")) == (3,)
        assert values(session.evaluate("return #ext.table('log')")) == (count,)
    assert session.evaluate("return ext.table('log')[2].n, ext.table('log')[7]").text == '1, "text"'


def test_into_a_table_inside_of_another(session: Session, tmp_path: Path) -> None:
    session.evaluate("Memory.deep = { users = {} }")
    file = written(tmp_path / "a.json", '{"ann": {"tags": ["a", "b"]}}')
    assert values(session.import_data(file, "Memory.deep.users")) == (1,)
    assert values(session.evaluate("return Memory.deep.users.ann.tags[2]")) == ("b",)
    found = problem(session.import_data(file, "Memory.nothing.there"))
    assert found.message == "there is no table Memory.nothing.there"


def test_a_row_that_is_there_already(session: Session, tmp_path: Path) -> None:
    file = written(tmp_path / "a.csv", "id,n\nx,1\ny,2\nx,3\n")
    found = problem(session.import_data(file, "rows", key="id"))
    assert found.message == f"{file}:4: there is rows.x already"
    assert [table.name for table in session.tables()] == ["Memory"]
    assert values(session.import_data(file, "rows", key="id", replace=True)) == (3,)
    assert session.evaluate("return ext.table('rows').x.n").text == '"3"'


def test_an_error_in_the_last_line_leaves_nothing(session: Session, tmp_path: Path) -> None:
    lines = "".join(f"{number},{number}\n" for number in range(5000))
    file = written(tmp_path / "a.csv", f"a,b\n{lines}only one\n")
    session.evaluate("Memory.before = 1")
    found = problem(session.import_data(file, "rows"))
    assert found.message == f"{file}:5002: 1 fields, where the first line names 2 columns"
    assert [table.name for table in session.tables()] == ["Memory"]
    assert values(session.evaluate("return Memory.before, ext.info('rows')")) == (1, None)


def test_a_schema_is_followed(session: Session, tmp_path: Path) -> None:
    session.evaluate("ext.schema('users', { fields = { age = { type = 'integer', min = 0 } } })")
    file = written(tmp_path / "a.json", '[{"age": 4},\n {"age": -4}]')
    found = problem(session.import_data(file, "users"))
    assert found.message.startswith(f"{file}:2:2: users[2].age: ")
    assert session.count("users") == 0


def test_files_that_are_not_there(session: Session, tmp_path: Path) -> None:
    with pytest.raises(InterchangeError, match=r"no\.csv cannot be read: No such file"):
        session.import_data(tmp_path / "no.csv", "users")
    with pytest.raises(InterchangeError, match="cannot be written: No such file"):
        session.export_data("Memory", tmp_path / "no" / "x.csv")
    with pytest.raises(InterchangeError, match=r"the format of .*x\.txt is not clear"):
        session.export_data("Memory", tmp_path / "x.txt")
    with pytest.raises(SessionError, match="there is no table users"):
        session.export_data("users", tmp_path / "x.csv")
    assert list(tmp_path.glob("*x.csv*")) == []


def test_far_more_than_the_memory_holds(tmp_path: Path) -> None:
    count = 40_000
    path = tmp_path / "rows.csv"
    with path.open("w") as file:
        file.write("id,name,text\n")
        for number in range(count):
            file.write(f"{number},name {number},{'x' * 60}\n")
    heard: list[tuple[int, int]] = []
    size = path.stat().st_size
    with Session.open(tmp_path / "session.db", memory_limit_bytes=2 * 1024 * 1024) as session:
        evaluation = session.import_data(
            path, "rows", infer=True, on_progress=lambda done, total: heard.append((done, total))
        )
        assert values(evaluation) == (count,)
        assert heard[-1] == (size, size)
        again = tmp_path / "again.csv"
        exported = session.export_data("rows", again)
    assert exported.rows == count
    columns, *rows = (line.split(",") for line in path.read_text().splitlines())
    found_columns, *found = (line.split(",") for line in again.read_text().splitlines())
    order = [found_columns.index(column) for column in columns]
    assert [[row[place] for place in order] for row in found] == rows


def test_it_can_be_interrupted(session: Session, tmp_path: Path) -> None:
    path = written(tmp_path / "rows.jsonl", '{"a": [1, 2, 3]}\n' * 200_000)
    begun = threading.Event()
    future = session.submit_import(path, "rows", on_progress=lambda *_: begun.set())
    assert begun.wait(60)
    while not session.interrupt():
        assert not future.done()
    assert problem(future.result(60)).kind == "interrupt"
    assert [table.name for table in session.tables()] == ["Memory"]


def test_it_begins_anew_when_it_lost_a_race(tmp_path: Path) -> None:
    """Somebody else writes in the middle: all rows are there, once."""
    path = tmp_path / "session.db"
    file = written(tmp_path / "rows.jsonl", "".join(f'{{"n": {n}}}\n' for n in range(3000)))
    with Session.open(path) as session, Session.open(path) as other:
        session.evaluate("Memory.n = 0 ext.table('rows')")
        other.evaluate("Memory.n = Memory.n + 1")
        races: list[int] = []

        def race(done: int, _total: int) -> None:
            if not races:
                races.append(done)
                assert other.evaluate("Memory.n = Memory.n + 1").ok

        session.evaluate("return Memory.n")
        assert values(session.import_data(file, "rows", on_progress=race)) == (3000,)
        assert values(session.evaluate("return #ext.table('rows'), Memory.n")) == (3000, 2)


EVERYTHING = """
local t = ext.table("things")
t.scalar, t.list, t.empty = 1.5, { 1, 2, { x = true } }, {}
t.text, t.blank, t["a key"] = "a, \\"b\\"\\nc", "", { ["in"] = 1 }
t.bytes, t.f, t.nan, t.print = "\\xff", function() end, { n = 0/0 }, print
t[7] = { deep = { er = { 1 } } }
t.self = { a = 1 } t.self.self = t.self
"""


def test_export_as_json(session: Session, tmp_path: Path) -> None:
    session.evaluate(EVERYTHING)
    target = tmp_path / "things.json"
    exported = session.export_data("things", target)
    by_key = {row.pop("@key"): row for row in json.loads(target.read_text())}
    assert by_key == {
        7: {"deep": {"er": [1]}},
        "a key": {"in": 1},
        "blank": {"@value": ""},
        "empty": {},
        "list": {"@value": [1, 2, {"x": True}]},
        "nan": {},
        "scalar": {"@value": 1.5},
        "self": {"a": 1},
        "text": {"@value": 'a, "b"\nc'},
    }
    assert exported.rows == len(by_key)
    assert exported.left_out == (
        "things.bytes: a string that is no UTF-8",
        "things.f: a function",
        "things.nan.n: nan",
        "things.print: the value print",
        "things.self.self: a table that contains itself",
    )
    assert exported.left_out_count == 5


@pytest.mark.parametrize("kind", ["json", "jsonl", "csv"])
def test_keys_that_the_format_has_no_form_for(session: Session, kind: Format) -> None:
    session.evaluate(
        "local t = ext.table('t') t.a, t['\\xff'], t['\\xfe'], t[print] = 1, 2, 3, 4 "
        "t[1/0], t[-1/0], t[1.5] = 5, 6, 7"
    )
    file = io.StringIO()
    exported = session.export_data("t", file, format=kind)

    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is no JSON")

    text = file.getvalue()
    if kind == "csv":
        assert text == "@key,@value\n-inf,6\n1.5,7\ninf,5\na,1\n"
        return
    listed = text if kind == "json" else "[" + text.rstrip().replace("\n", ",") + "]"
    rows = json.loads(listed, parse_constant=refuse)
    assert rows == [{"@key": 1.5, "@value": 7}, {"@key": "a", "@value": 1}]
    assert exported.left_out_count == 5
    assert exported.left_out[0] == "t[-inf]: its key"


def test_of_keys_with_the_same_text_the_string_is_written(session: Session) -> None:
    session.evaluate(
        "ext.table('t').row = { [1] = 'n', ['1'] = 's', [false] = 'b', ['false'] = {}, [3] = 'x' }"
    )
    file = io.StringIO()
    exported = session.export_data("t", file, format="json")
    assert json.loads(file.getvalue()) == {"row": {"1": "s", "false": {}, "3": "x"}}
    assert exported.left_out == (
        "t.row[false]: there is the key 'false', too",
        "t.row[1]: there is the key '1', too",
    )


def test_true_is_not_one(session: Session) -> None:
    session.evaluate("ext.table('t').row = { [true] = 't', [1] = 'one', [false] = 'f' }")
    file = io.StringIO()
    exported = session.export_data("t", file, format="json")
    assert json.loads(file.getvalue()) == {"row": {"false": "f", "1": "one"}}
    assert exported.left_out == ('t.row["?"]: its key',)


def test_export_as_csv(session: Session, tmp_path: Path) -> None:
    session.evaluate(
        "local t = ext.table('t') "
        "t[1] = { name = 'Ann', tags = { 'a', 'b' } } t[2] = { age = 3, ['first name'] = 'B' }"
    )
    target = tmp_path / "t.csv"
    assert session.export_data("t", target).rows == 2
    assert target.read_text() == (
        'name,tags[1],tags[2],age,"[""first name""]"\nAnn,a,b,,\n,,,3,B\n'
    )
    session.evaluate("ext.table('t').x = 5")
    assert session.export_data("t", target).rows == 3
    assert target.read_text().splitlines()[0].startswith("@key,name")
    assert target.read_text().splitlines()[-1] == "x,,,,,,5"


def test_export_to_an_open_file(session: Session) -> None:
    session.evaluate("Memory.a = { n = 1 }")
    file = io.StringIO()
    session.export_data("Memory", file, format="jsonl")
    assert file.getvalue() == '{"@key": "a", "n": 1}\n'


def test_a_file_is_replaced_when_all_is_written(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = written(tmp_path / "t.json", "as before")
    session.evaluate("Memory.a = 1")

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("lua_ls_persist.interchange.writing._dumped", fail)
    with pytest.raises(InterchangeError, match=r"t\.json cannot be written: No space left"):
        session.export_data("Memory", target)
    assert target.read_text() == "as before"
    assert sorted(path.name for path in tmp_path.glob("*t.json*")) == ["t.json"]


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
SCALARS = st.one_of(
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=False),
    TEXT,
)
TREES = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3)
)


def _plain(value: Any) -> Any:
    """What is the same in Lua: an empty list and an empty object."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()} or []
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(TEXT, TREES, max_size=5), st.sampled_from(["json", "jsonl"]))
def test_what_was_exported_comes_back(rows: dict[str, Any], kind: Format) -> None:
    with Session.open() as session, Session.open() as other:
        for key, value in rows.items():
            assert session.set(["t", key], value).ok
        file = io.StringIO()
        session.evaluate("ext.table('t')")
        session.export_data("t", file, format=kind)
        content = io.BytesIO(file.getvalue().encode())
        assert other.import_data(content, "t", format=kind).ok
        again = io.StringIO()
        other.export_data("t", again, format=kind)
        assert again.getvalue() == file.getvalue()
    again.seek(0)
    content = io.BytesIO(again.read().encode())
    found = {row.key: _plain(row.value) for row in read_rows(content, "", Reading(kind))}
    assert found == {key: _plain(value) for key, value in rows.items()}


def test_only_some_rows_are_exported(session: Session) -> None:
    session.evaluate("for i = 1, 1200 do ext.table('t')[i] = { n = i } end")
    seen: list[tuple[int, int]] = []
    for hears in (None, lambda *done: seen.append(done)):
        file = io.StringIO()
        told = session.export_data(
            "t", file, format="jsonl", where=["n", ">", 100], on_progress=hears
        )
        rows = [json.loads(line) for line in file.getvalue().splitlines()]
        assert [row["n"] for row in rows] == list(range(101, 1201))
        assert told.rows == 1100
        session.create_index("t", "n")
    assert seen[-1] == (1100, 1100)
    with pytest.raises(QueryError, match="where"):
        session.export_data("t", io.StringIO(), format="csv", where=["n"])
