"""Runs the cases of a feature against a server: one `check` for all features."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass

from lsprotocol import types

from lua_ls_persist.server.positions import Encoding, Position, Range
from tests.server.editor import Editor
from tests.server.language.cases import Case, MarkedFile, cases


@dataclass(frozen=True)
class Opened:
    """A case whose files are open in an editor."""

    editor: Editor
    case: Case
    uris: dict[str, str]

    @property
    def uri(self) -> str:
        return self.uris[self.case.main.name]

    @property
    def document(self) -> types.TextDocumentIdentifier:
        return types.TextDocumentIdentifier(self.uri)

    @property
    def position(self) -> types.Position:
        return self.client_position(self.case.main, self.case.main.cursors[0])

    @property
    def encoding(self) -> Encoding:
        return Encoding(self.editor.encoding)

    def client_position(self, file: MarkedFile, position: Position) -> types.Position:
        return types.Position(*file.document.client_position(self.encoding, position))

    def range(self, file: MarkedFile, range_: types.Range) -> Range:
        start, end = range_.start, range_.end
        return Range(
            file.document.position(self.encoding, start.line, start.character),
            file.document.position(self.encoding, end.line, end.character),
        )

    def ranges(self, found: Iterable[tuple[str, types.Range]]) -> str:
        """Found ranges, marked in the case's files."""
        by_uri: dict[str, list[Range]] = {uri: [] for uri in self.uris.values()}
        files = {self.uris[file.name]: file for file in self.case.files}
        for uri, range_ in found:
            assert uri in by_uri, f"{uri} is none of the files"
            by_uri[uri].append(self.range(files[uri], range_))
        return "\n".join(
            f"---- {file.name}\n{file.shown(by_uri[self.uris[file.name]])}"
            for file in self.case.files
        )

    def wanted(self) -> str:
        """The ranges that the case expects, marked like those of `ranges`."""
        return "\n".join(f"---- {file.name}\n{file.shown(file.ranges)}" for file in self.case.files)


Answer = Callable[[Opened], Awaitable[str]]


async def check(editor: Editor, feature: str, answer: Answer) -> None:
    """Compares what a server answers with what each case of a feature expects."""
    failures = []
    for case in cases(feature):
        uris = {file.name: editor.open(file.document.source, file.name) for file in case.files}
        opened = Opened(editor, case, uris)
        got = await answer(opened)
        expected = case.expected or opened.wanted()
        if got != expected:
            failures.append(f"==== {case.title}\n{got}\nbut expected:\n{expected}")
        for uri in uris.values():
            editor.close(uri)
    assert not failures, "\n\n".join(["", *failures])
