"""What one evaluation asks of its session while it runs."""

from __future__ import annotations

from collections.abc import Callable

from lua_ls_persist.session.modules import ModuleFiles
from lua_ls_persist.session.output import OutputCollector
from lua_ls_persist.session.sources import SourceTexts


class EvaluationHost:
    """Takes the output of an evaluation, finds the modules that it asks for, and has the store."""

    def __init__(
        self,
        collector: OutputCollector,
        files: ModuleFiles,
        sources: SourceTexts,
        store: Callable[[int, bytes], bytes],
    ) -> None:
        self._collector = collector
        self._files = files
        self.source = sources.number_of
        """The number of a source text."""
        self.store = store
        """Answers a `StoreOperation`."""

    def output(self, records: bytes, /) -> bool:
        """Take records; False when no more are wanted."""
        return self._collector.take(records)

    def open(self, name: bytes, /) -> bytes | None:
        """The content of a module's file, or None."""
        return self._files.read(name.decode("utf-8", "surrogateescape"))
