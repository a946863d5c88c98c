"""Sessions on a file that are closed and opened again, with their image or without."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from lua_ls_persist.model import Evaluation, Value
from lua_ls_persist.session import Session


class Restarted:
    """A session that can be closed and opened again at any time."""

    def __init__(self, path: Path, **settings: Any) -> None:
        self.path = path
        self.settings = settings
        self.session = Session.open(path, **settings)

    def again(self, *, resume: bool) -> Session:
        """Close the session and open the next one."""
        self.session.close()
        self.session = Session.open(self.path, resume=resume, **self.settings)
        return self.session

    def evaluate(self, source: str, **arguments: Any) -> Evaluation:
        return self.session.evaluate(source, **arguments)

    def run(self, source: str) -> tuple[Value, ...]:
        """The values of an evaluation that goes well."""
        result = self.session.evaluate(source)
        assert result.ok, result.problems
        return result.values

    def text(self, source: str) -> str:
        """Its values as text."""
        result = self.session.evaluate(source)
        assert result.ok, result.problems
        return result.text

    def close(self) -> None:
        self.session.close()
