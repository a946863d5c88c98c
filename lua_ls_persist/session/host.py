"""What one evaluation asks of its session while it runs."""

from __future__ import annotations

from lua_ls_persist.session.modules import ModuleFiles
from lua_ls_persist.session.output import OutputCollector


class EvaluationHost:
    """Takes the output of an evaluation and finds the modules that it asks for."""

    def __init__(self, collector: OutputCollector, files: ModuleFiles) -> None:
        self._collector = collector
        self._files = files

    def output(self, records: bytes, /) -> bool:
        """Take records; False when no more are wanted."""
        return self._collector.take(records)

    def open(self, name: bytes, /) -> bytes | None:
        """The content of a module's file, or None."""
        return self._files.read(name.decode("utf-8", "surrogateescape"))
