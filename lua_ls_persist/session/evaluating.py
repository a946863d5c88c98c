"""Running source and calling stored functions, from Python: each is one evaluation."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Literal, TypeAlias

from lua_ls_persist.errors import SessionError
from lua_ls_persist.model import Evaluation, Local, Value
from lua_ls_persist.paths import Path, keys_of, told_path
from lua_ls_persist.session import calls, looking
from lua_ls_persist.session.changing import ChangingData
from lua_ls_persist.session.documents import (
    DocumentCode,
    Way,
    as_told,
    has_run,
    known_names,
    refused,
    without_wrapping,
)
from lua_ls_persist.session.jobs import Job
from lua_ls_persist.session.limits import SESSION_LIMIT, UseSessionLimit, time_limit
from lua_ls_persist.session.output import OnOutput
from lua_ls_persist.session.request import evaluation_request, prelude_request, prepare_source
from lua_ls_persist.wire import Encodable

Mode: TypeAlias = Literal["auto", "chunk"]


class EvaluatingCode(ChangingData):
    """The part of a session that runs what people write."""

    def evaluate(
        self,
        source: str | bytes,
        *,
        name: str = "(eval)",
        line: int = 0,
        mode: Mode = "auto",
        arguments: Sequence[Encodable] = (),
        time_limit_s: float | UseSessionLimit | None = SESSION_LIMIT,
        on_output: OnOutput | None = None,
    ) -> Evaluation:
        """Run Lua source and wait for what comes of it.

        A Lua error is no exception: it is in the result's `problems`, and the VM is as it was
        before (see `keep_error_effects`).

        Args:
            source: text, or bytes in any encoding that Lua takes.
            name: what to call it in problems and output; for a file its path.
            line: how many lines stand before the source in its document, so that lines are right.
            mode: `auto` takes an expression (`1 + 1`) as well as statements; `chunk` statements
                only.
            arguments: what the source finds in `...`; lists and dicts become tables.
            time_limit_s: instead of the session's limit; None: no limit.
            on_output: hears of output as it becomes available, on the VM's thread; it must not
                use the session. What it raises ends the evaluation and is raised here.

        Raises:
            SessionClosedError: the session is closed, or was before this ran.
            SessionError: an argument of this call makes no sense.
            WireError: an argument that Lua has no value for.
        """
        run = self._prepare(source, name, line, mode, arguments, time_limit_s, on_output)
        return self._life.owner.call(run)

    def submit(
        self,
        source: str | bytes,
        *,
        name: str = "(eval)",
        line: int = 0,
        mode: Mode = "auto",
        arguments: Sequence[Encodable] = (),
        time_limit_s: float | UseSessionLimit | None = SESSION_LIMIT,
        on_output: OnOutput | None = None,
    ) -> Future[Evaluation]:
        """As `evaluate`, without waiting: evaluations run in the order they were submitted."""
        run = self._prepare(source, name, line, mode, arguments, time_limit_s, on_output)
        return self._life.owner.submit(run)

    def submit_document(
        self,
        source: str,
        code: DocumentCode,
        *,
        name: str = "(eval)",
        line: int = 0,
        time_limit_s: float | UseSessionLimit | None = SESSION_LIMIT,
        on_output: OnOutput | None = None,
    ) -> Future[Evaluation]:
        """As `submit`, for a document or a part of it, whose top-level locals outlive it.

        `code` knows the locals that `source` sees and has.
        """
        plain = self._prepare(source, name, line, "auto", (), time_limit_s, on_output)

        def run() -> Evaluation:
            arguments: dict[str, Encodable] = {"document": code.document}
            known = known_names(self._looked_at("document_names", code.document))
            ways = code.compose(known)
            if not ways and not (code.whole and known):
                return plain()
            arguments["name"] = self._life.runner.names.source_of(name)
            arguments["whole"] = code.whole
            arguments["ways"] = [self._way(way) for way in ways]
            evaluation = self._prepared(
                "document_evaluate" if ways else "document_forget",
                arguments,
                name,
                time_limit_s,
                doing=source,
                on_output=on_output,
            )()
            if ways and has_run(evaluation):
                return without_wrapping(evaluation, name, line)
            return refused(evaluation, name) or plain()

        return self._life.owner.submit(run)

    def locals(self, document: str, names: Sequence[str] | None = None) -> tuple[Local, ...]:
        """The top-level locals of a document that are known, or these of them, and their values.

        Known are those of its last evaluation as a document, and of parts of it since then.
        """

        def look() -> tuple[Local, ...]:
            known = known_names(self._looked_at("document_names", document))
            wanted = [name for name in (sorted(known) if names is None else names) if name in known]
            if not wanted:
                return ()
            values = self._looked_at("document_values", document, wanted)
            return tuple(map(Local, wanted, values))

        return self._life.owner.call(look)

    def _way(self, way: Way) -> Encodable:
        content = prepare_source(way.text)
        return {
            "text": b"\n" * way.line + content,
            "number": self._life.runner.sources.number_of(content, way.line),
            "visible": list(way.visible),
            "captures": [list(names) for names in way.captures],
            "updated": list(way.updated),
            "kept": list(way.kept),
            "is_expression": way.is_expression,
        }

    def _looked_at(self, function: str, *arguments: Encodable) -> tuple[Value, ...]:
        """What a function of the prelude says that changes nothing. On the thread."""
        return looking.prelude_values(self._life.runner, function, arguments, self._limits)

    def call(
        self,
        path: Path,
        *arguments: Encodable,
        time_limit_s: float | UseSessionLimit | None = SESSION_LIMIT,
        on_output: OnOutput | None = None,
    ) -> Evaluation:
        """Call a stored function, such as `call("Memory.calculate", 3, 4)`: one evaluation.

        Raises:
            SessionError: `path` is no path, or another argument makes no sense.
            WireError: an argument that Lua has no value for.
        """
        return self._life.owner.call(self._prepare_call(path, arguments, time_limit_s, on_output))

    def submit_call(
        self,
        path: Path,
        *arguments: Encodable,
        time_limit_s: float | UseSessionLimit | None = SESSION_LIMIT,
        on_output: OnOutput | None = None,
    ) -> Future[Evaluation]:
        """As `call`, without waiting."""
        run = self._prepare_call(path, arguments, time_limit_s, on_output)
        return self._life.owner.submit(run)

    def _prepare_call(
        self,
        path: Path,
        arguments: Sequence[Encodable],
        time_limit_s: float | UseSessionLimit | None,
        on_output: OnOutput | None,
    ) -> Callable[[], Evaluation]:
        keys = keys_of(path)
        text = told_path(path)
        limit = time_limit(time_limit_s, self._life.settings.time_limit_s)
        request = prelude_request(
            calls.FUNCTION,
            self._life.runner.names.source_of(calls.CHUNK),
            arguments=calls.arguments_of(keys, text, arguments),
            live=on_output is not None,
            limits=self._limits,
        )
        job = Job(
            "core_evaluate",
            request,
            b"",
            calls.CHUNK,
            limit,
            on_output,
            doing=calls.told(text, arguments),
        )
        return lambda: calls.without_call(self._life.evaluate(job), text)

    def _prepare(
        self,
        source: str | bytes,
        name: str,
        line: int,
        mode: Mode,
        arguments: Sequence[Encodable],
        time_limit_s: float | UseSessionLimit | None,
        on_output: OnOutput | None,
    ) -> Callable[[], Evaluation]:
        settings = self._life.settings
        limit = time_limit(time_limit_s, settings.time_limit_s)
        if mode not in ("auto", "chunk"):
            raise SessionError(f"mode is {mode!r}; it can be 'auto' or 'chunk'")
        content = prepare_source(source)
        runner = self._life.runner
        request = evaluation_request(
            content,
            runner.names.source_of(name),
            line=line,
            expression=mode == "auto",
            live=on_output is not None,
            arguments=arguments,
            limits=self._limits,
            source_serial=runner.sources.number_of(content, line),
        )
        job = Job("core_evaluate", request, content, name, limit, on_output, doing=as_told(content))
        return lambda: self._life.evaluate(job)
