"""What evaluations show: every case is the document with notes and hints written into it."""

from __future__ import annotations

from pathlib import Path

from lua_ls_persist.model import Evaluation, Frame, OutputPiece, Preview, Problem
from lua_ls_persist.server import uris
from lua_ls_persist.server.board import Hint, Item, Note
from lua_ls_persist.server.documents import Document, Documents
from lua_ls_persist.server.places import Places
from lua_ls_persist.server.positions import Range
from lua_ls_persist.server.presentation import (
    LABEL_WIDTH_MAX,
    RELATED_MAX,
    Origin,
    Presenter,
    clipped,
    fenced,
)
from tests.server.marks import URI

FOLDER = Path("/project")
OTHER = "file:///project/other.lua"


class Stage:
    """Two open documents, and what an evaluation of the first one shows in them."""

    def __init__(self, main: str, other: str = "", range_: Range | None = None) -> None:
        documents = Documents()
        self.main = documents.open(URI, main)
        self.other = documents.open(OTHER, other)
        places = Places(documents, [FOLDER])
        self.presenter = Presenter(documents, places, lambda _: None)
        name = places.name_of(URI)
        self.origin = Origin(URI, name, range_ is None, range_ or self.main.range)

    def items(self, evaluation: Evaluation) -> list[Item]:
        return self.presenter.items(evaluation, self.origin)

    def shown(self, evaluation: Evaluation) -> list[str]:
        """`file:line: what`, with the underlined text of notes in brackets."""
        return [self._line(item) for item in self.items(evaluation)]

    def _line(self, item: Item) -> str:
        document: Document = self.main if item.uri == URI else self.other
        file = item.uri.rpartition("/")[2]
        content = item.content
        if isinstance(content, Hint):
            assert content.position.column == len(document.row(content.position.row))
            return f"{file}:{content.position.row + 1}: {content.label}"
        text = document.text(content.range)
        return f"{file}:{content.range.start.row + 1}: {content.level} [{text}] {content.text}"


def error(message: str, chunk: str, line: int | None, *frames: Frame) -> Problem:
    return Problem("runtime", message, chunk, line, frames)


def failed(*problems: Problem) -> Evaluation:
    return Evaluation(ok=False, problems=problems)


def test_values() -> None:
    stage = Stage("x = 1\n\nreturn x\n-- the end\n")
    shown = stage.shown(Evaluation(ok=True, values=(42, "a", None), text='42, "a", nil'))
    assert shown == ['main.lua:3: => 42, "a", nil']


def test_no_values() -> None:
    assert Stage("x = 1 -- one").shown(Evaluation(ok=True)) == ["main.lua:1: ✓"]
    assert Stage("-- nothing").shown(Evaluation(ok=True)) == []
    assert Stage("").shown(Evaluation(ok=True)) == []


def test_a_part_of_a_document() -> None:
    stage = Stage("a = 1\nf(1,\n 2)\nb = 2", range_=Range.of(1, 0, 2, 3))
    table = Preview("table", "{1, 2}")
    (item,) = stage.items(Evaluation(ok=True, values=(table,), text="{1, 2}"))
    assert item.watched == Range.of(1, 0, 2, 3)
    assert isinstance(item.content, Hint)
    assert item.content.label == "=> {1, 2}"
    assert item.content.details == "```lua\n{1, 2}\n```"
    assert item.content.position.row == 2


def test_long_values_are_clipped() -> None:
    (item,) = Stage("return x").items(Evaluation(ok=True, values=("x" * 999,), text="x" * 99_999))
    assert isinstance(item.content, Hint)
    assert len(item.content.label) <= LABEL_WIDTH_MAX + len("=> ")
    assert len(item.content.details) < 11_000


def test_output_is_shown_where_it_was_printed() -> None:
    stage = Stage('print("a")\nfor i = 1, 2 do\n  print(i)\nend', "\n\nprint()")
    output = (
        OutputPiece("a\n", "stdout", "main.lua", 1),
        OutputPiece("1\n", "stdout", "main.lua", 3),
        OutputPiece("b\n", "stderr", "other.lua", 3),
        OutputPiece("2\n", "stdout", "main.lua", 3),
        OutputPiece("lost", "stdout", "", None),
    )
    assert stage.shown(Evaluation(ok=False, output=output)) == [
        "main.lua:1: » a",
        "main.lua:3: » 1 ⏎ 2",
        "other.lua:3: » b",
        "main.lua:4: » lost",
    ]


def test_warnings_are_notes() -> None:
    stage = Stage("warn('a')\nwarn('b')")
    output = (
        OutputPiece("a\n", "warning", "main.lua", 1),
        OutputPiece("b\n", "warning", "main.lua", 2),
        OutputPiece("c\n", "warning", "main.lua", 2),
    )
    assert stage.shown(Evaluation(ok=True, output=output))[:-1] == [
        "main.lua:1: warning [warn('a')] a",
        "main.lua:2: warning [warn('b')] b\nc",
    ]


def test_an_error_in_the_document() -> None:
    stage = Stage("local function f(x)\n  return x.y.z\nend\nf({})")
    problem = error(
        "attempt to index a nil value (field 'y')",
        "main.lua",
        2,
        Frame("main.lua", 2, "function 'f'"),
        Frame("main.lua", 4, "main chunk"),
        Frame("[C]", None, "?"),
    )
    assert stage.shown(failed(problem)) == [
        "main.lua:2: error [x.y] attempt to index a nil value (field 'y')"
    ]
    (item,) = stage.items(failed(problem))
    assert isinstance(item.content, Note)
    assert item.watched == Range.of(1, 2, 1, 14)
    assert [(part.range.start.row, part.text) for part in item.content.related] == [
        (3, "in main chunk")
    ]


def test_an_error_elsewhere_is_shown_there_and_here() -> None:
    stage = Stage("local x = 1\nrun()\ny = 2", "\nerror('no')", Range.of(1, 0, 1, 5))
    problem = error(
        "no",
        "other.lua",
        2,
        Frame("[C]", None, "function 'error'"),
        Frame("other.lua", 2, "function 'run'"),
        Frame("main.lua", 2, "main chunk"),
    )
    assert stage.shown(failed(problem)) == [
        "other.lua:2: error [error('no')] no",
        "main.lua:2: error [run()] no (at other.lua:2)",
    ]
    there, here = stage.items(failed(problem))
    assert isinstance(there.content, Note)
    assert isinstance(here.content, Note)
    assert here.watched == Range.of(1, 0, 1, 5)
    assert [(part.uri, part.text) for part in there.content.related] == [(URI, "in main chunk")]
    assert [(part.uri, part.text) for part in here.content.related] == [(OTHER, "raised here")]


def test_an_error_in_another_form_of_the_document() -> None:
    stage = Stage("function f()\n  error('no')\nend\nf()", range_=Range.of(3, 0, 3, 3))
    frames = Frame("main.lua", 2, "function 'f'"), Frame("main.lua", 4, "main chunk")
    assert stage.shown(failed(error("no", "main.lua", 2, *frames))) == [
        "main.lua:2: error [error('no')] no",
        "main.lua:4: error [f()] no (at main.lua:2)",
    ]


def test_an_error_of_a_library_function_is_at_its_call() -> None:
    stage = Stage("x = f(1) .. ('x'):rep(1e10)")
    frames = Frame("[C]", None, "method 'rep'"), Frame("main.lua", 1, "main chunk")
    assert stage.shown(failed(error("resulting string too large", "main.lua", 1, *frames))) == [
        "main.lua:1: error [('x'):rep(1e10)] resulting string too large"
    ]


def test_the_call_that_led_elsewhere() -> None:
    stage = Stage("local y = 1 + other.run(x.y)", "error('no')")
    frames = Frame("other.lua", 1, "function 'other.run'"), Frame("main.lua", 1, "main chunk")
    problem = error("attempt to index a nil value (field 'x')", "other.lua", 1, *frames)
    assert stage.shown(failed(problem))[1].startswith("main.lua:1: error [other.run(x.y)] attempt")


def test_error_values_are_shown() -> None:
    stage = Stage("error({code = 1})")
    table = Preview("table", "", (("code", 1),))
    problem = Problem("runtime", "(error object is a table value)", "main.lua", 1, (), table)
    assert stage.shown(failed(problem)) == [
        "main.lua:1: error [error({code = 1})] error value: {code = 1}"
    ]


def test_an_error_without_a_place() -> None:
    stage = Stage("a()\nb()\nc()", range_=Range.of(1, 0, 2, 3))
    assert stage.shown(failed(error("no", "", None))) == ["main.lua:2: error [b()] no"]
    placed = error("no", "[C]", None, Frame("[C]", None, "?"), Frame("main.lua", 3, "?"))
    assert stage.shown(failed(placed)) == ["main.lua:3: error [c()] no"]


def test_a_deep_traceback_is_cut() -> None:
    stage = Stage("f()\n" * 99)
    frames = [Frame("main.lua", line, "f") for line in range(1, 99) for _ in range(3)]
    (item,) = stage.items(failed(error("stack overflow", "main.lua", 1, *frames)))
    assert isinstance(item.content, Note)
    assert len(item.content.related) == RELATED_MAX
    assert [part.range.start.row for part in item.content.related[:3]] == [1, 2, 3]


def test_levels() -> None:
    stage = Stage("x = 1")
    problems = (
        Problem("interrupt", "interrupted", "main.lua", 1),
        Problem("timeout", "too long", "main.lua", 1),
        Problem("persistence", "careful", "main.lua", 1, severity="warning"),
    )
    notes = [item.content for item in stage.items(failed(*problems))]
    assert [note.level for note in notes if isinstance(note, Note)] == [
        "information",
        "error",
        "warning",
    ]


def test_a_syntax_error_in_a_selection() -> None:
    stage = Stage("if x then\n  y = 1\nend", range_=Range.of(0, 0, 1, 7))
    message = "'end' expected (to close 'if' at line 1) near <eof>"
    problem = Problem("syntax", message, "main.lua", 2)
    (item,) = stage.items(failed(problem))
    assert isinstance(item.content, Note)
    assert item.content.code == "syntax"
    assert item.content.related[0].range == Range.of(0, 0, 0, 2)


def test_a_file_on_disk(tmp_path: Path) -> None:
    module = tmp_path / "module.lua"
    module.write_text("\n  error('é')\n")
    stage = Stage("require 'module'")
    stage.presenter.places.folders = (tmp_path,)
    problem = error("no", "module.lua", 2, Frame("main.lua", 1, "main chunk"))
    there, _ = stage.items(failed(problem))
    assert there.uri == uris.uri_of(module)
    assert there.watched == Range.of(1, 2, 1, 12)


def test_edited_code_shows_no_values() -> None:
    stage = Stage("x = 1")
    stage.origin = Origin(URI, "main.lua", False, None)
    assert stage.shown(Evaluation(ok=True, values=(1,))) == []
    assert stage.shown(failed(error("no", "", None))) == []
    piece = OutputPiece("a\n", "stdout", "main.lua", 1)
    assert stage.shown(Evaluation(ok=True, output=(piece,))) == ["main.lua:1: » a"]


def test_clipped_and_fenced() -> None:
    assert clipped("a\n\tb\r\n", 80) == "a ⏎  b ⏎ "
    assert clipped("x" * 81, 80) == "x" * 79 + "…"
    assert fenced("a ``` b", "lua") == "````lua\na ``` b\n````"
