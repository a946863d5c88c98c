"""Looks at values of the VM for people who write code: what is there, and what it is.

They never run a program's code and leave no trace: `lua/prelude/look.lua` looks around in the VM,
and then its memory becomes what it was. What an external table has is read from the store.

Answers are kept for as long as neither the VM nor the store changes, so that asking again costs
next to nothing. All of it happens on the session's own thread, between two evaluations.
"""

from __future__ import annotations

import json
import logging
from collections import Counter, OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias, final

from lua_ls_persist.errors import StoreError, WireError
from lua_ls_persist.model import Value
from lua_ls_persist.paths import Key
from lua_ls_persist.pretty import scalar_text
from lua_ls_persist.schema import definition_of
from lua_ls_persist.session.data_indexes import info_of
from lua_ls_persist.session.host import EvaluationHost
from lua_ls_persist.session.request import PreviewLimits, prelude_request
from lua_ls_persist.session.runner import Runner
from lua_ls_persist.session.shown import Shown
from lua_ls_persist.session.sights import (
    ANY,
    FieldSight,
    FunctionSight,
    KeyList,
    Question,
    RecordsSight,
    Sight,
    StoredSight,
    Way,
)
from lua_ls_persist.store import Native
from lua_ls_persist.store.rows import (
    BOOLEAN,
    FLOAT,
    FUNCTION,
    INTEGER,
    PERMANENT,
    STRING,
    TABLE,
    as_native,
)
from lua_ls_persist.vm import Stopped
from lua_ls_persist.wire import text_to_bytes

logger = logging.getLogger(__name__)

LOOK_TIME_LIMIT_S: Final = 0.05
"""Beyond this a look is given up. They take about one millisecond."""
ANSWERS_KEPT_MAX: Final = 2_000
"""Those that were asked for last. The checks of a long document alone ask hundreds of questions."""
ROWS_LISTED_MAX: Final = 200
"""So many keys of an external table are listed; more are found by how they begin."""
ROWS_BYTES_MAX: Final = 64 * 1024
SAMPLE_MAX: Final = 50
SAMPLE_FIELDS_MAX: Final = 5000
FIELDS_MAX: Final = 200
TEXT_WIDTH_MAX: Final = 60
_LIMITS: Final = PreviewLimits(depth=2, entries=20, nodes=100, string_bytes=300)
STEPS_MAX: Final = 50

State: TypeAlias = "tuple[int, ...]"


@dataclass(slots=True)
@final
class Inspector:
    """Answers questions about one session's values, and remembers the answers."""

    _answers: OrderedDict[Question, Sight | None] = field(default_factory=OrderedDict)
    """Those that were asked for last stand last."""
    _state: State | None = None
    looks: int = 0
    """How often it had to look into the VM."""

    def look(self, runner: Runner, questions: Sequence[Question]) -> list[Sight | None]:
        """The answers; None where there is nothing, or what is asked cannot be looked at now."""
        state = state_of(runner)
        if state is None or state != self._state:
            self._answers.clear()
        missing = [one for one in dict.fromkeys(questions) if one not in self._answers]
        if missing:
            self.looks += 1
            found = _looked(runner, missing)
            if found is None:
                return [self._answers.get(question) for question in questions]
            self._answers.update(zip(missing, found, strict=True))
            self._state = state_of(runner)
        for question in questions:
            self._answers.move_to_end(question)
        answers = [self._answers[question] for question in questions]
        while len(self._answers) > ANSWERS_KEPT_MAX:
            self._answers.popitem(last=False)
        return answers


def state_of(runner: Runner) -> State | None:
    """What tells one state of the VM and of its store from another; None while nobody can."""
    persistence = runner.persistence
    try:
        stale = persistence.is_stale()
    except StoreError as error:
        # What was seen before is not to be shown again as if it were so still.
        logger.info("the store could not be asked for its state: %s", error)
        return None
    return (
        runner.machine.restores,
        runner.changes,
        runner.store.rows_written,
        persistence.state,
        stale,
    )


def _looked(runner: Runner, questions: Sequence[Question]) -> list[Sight | None] | None:
    """Looks into the VM; None if that cannot be done now."""
    request = prelude_request("look", limits=_LIMITS)
    services = runner.persistence.services

    def look(host: EvaluationHost) -> list[Sight | None] | None:
        services.arguments = [_asked(question) for question in questions]
        response = runner.machine.call(
            "core_evaluate", request, host=host, time_limit_s=LOOK_TIME_LIMIT_S
        )
        values, problems = runner.read(response)
        if problems or not values:
            return None
        return [
            None if answer is None else _sight(runner, question, answer, value)
            for question, answer, value in zip(
                questions, _json_of(values[0]), values[1:], strict=True
            )
        ]

    try:
        return runner.look(look, leaves_traces=True)
    except (Stopped, StoreError, WireError) as error:
        # An editor shows nothing then; the next evaluation tells what is wrong.
        logger.info("the VM could not be looked at: %s", error)
        return None
    finally:
        services.forget()


def _asked(question: Question) -> Any:
    way = question.way
    steps = [{"any": True} if step is ANY else {"key": step} for step in way.steps[:STEPS_MAX]]
    base, name = "global", ""
    if way.root is not None:
        base, name = "root", way.root
    elif way.document is not None:
        base, name = "local", way.document
    return {
        "base": base,
        "name": name,
        "steps": steps,
        "value": question.value,
        "keys": question.keys,
        "prefix": question.prefix.lower(),
        "fields": question.fields or False,
        "holders": question.holders,
    }


def _json_of(text: Value) -> list[Any]:
    """The answers. Each character is a byte of the VM's."""
    assert isinstance(text, (str, bytes))
    content = text_to_bytes(text) if isinstance(text, str) else text
    answers: list[Any] = json.loads(content.decode("latin-1"), strict=False)
    return answers


def _text(raw: str) -> str:
    """A string of the VM as people see it."""
    return raw if raw.isascii() else raw.encode("latin-1").decode("utf-8", "backslashreplace")


def _shown(raw: Any) -> Any:
    if isinstance(raw, str):
        return _text(raw)
    return [_text(part) for part in raw] if isinstance(raw, list) else raw


def _sight(runner: Runner, question: Question, answer: Mapping[str, Any], value: Value) -> Sight:
    external_id = answer.get("external")
    function = answer.get("function")
    records = answer.get("records")
    sight = Sight(
        type=answer["type"],
        count=answer["count"],
        name=_text(answer.get("name", "")),
        length=answer.get("length"),
        external_id=external_id,
        value=value,
        chain=tuple(
            _rows(runner, part["external"], question.prefix)
            if "external" in part
            else _key_list(part)
            for part in answer.get("chain", ())
        ),
        function=None if function is None else _function(runner, function),
        is_called=answer.get("called", False),
        records=None if records is None else _records(records),
    )
    if answer.get("sample") and external_id is not None:
        sight = replace(sight, records=_sample(runner, external_id))
    if question.holders:
        sight = replace(sight, holders=_holders(runner, answer.get("holders", {})))
    if question.stored and external_id is not None:
        sight = replace(sight, stored=_stored(runner, question.way, external_id))
    return sight


def _key_list(part: Mapping[str, Any]) -> KeyList:
    names = part["names"]
    if isinstance(names, str):
        names = _text(names).split("\0") if names else []
    else:
        names = [_text(name) for name in names]
    keys = names + part["keys"]
    shown = [_shown(one) for one in part["shown"]]
    return KeyList(keys, part["types"], shown, part["other"], not part["more"])


def _function(runner: Runner, raw: Mapping[str, Any]) -> FunctionSight:
    if raw["c"]:
        return FunctionSight(c=True, name=raw.get("name", ""))
    return FunctionSight(
        c=False,
        source=runner.names.name_of(raw["source"].encode("latin-1")),
        line=raw["line"],
        last_line=raw["last"],
        parameters=tuple(_text(name) for name in raw["parameters"]),
        is_vararg=raw["vararg"],
    )


def _records(raw: Mapping[str, Any]) -> RecordsSight:
    fields = sorted(
        (
            FieldSight(_text(name), count, types, _shown(shown))
            for name, count, types, shown in raw["fields"]
        ),
        key=lambda one: (-one.count, one.name),
    )
    return RecordsSight(raw["sampled"], raw["records"], tuple(fields))


def _sample(runner: Runner, table_id: int) -> RecordsSight:
    """What the first rows of an external table have in common."""
    store = runner.store
    rows = store.page(table_id, None, SAMPLE_MAX, ROWS_BYTES_MAX).rows
    ids = [native for _, _, kind, native in rows if kind == TABLE and isinstance(native, int)]
    records = store.nested(ids, entries_max=SAMPLE_FIELDS_MAX, bytes_max=ROWS_BYTES_MAX)
    shown = Shown(store, runner.names)
    found: dict[str, tuple[Counter[str], str | None]] = {}
    for record_id in ids:
        record = records.get(record_id)
        # Those with very many fields are not read whole.
        fields = (
            record.rows
            if record is not None
            else store.page(record_id, None, FIELDS_MAX, ROWS_BYTES_MAX).rows
        )
        for key_kind, key, kind, native in fields:
            if key_kind != STRING or not isinstance(key, str):
                continue
            if key not in found and len(found) < FIELDS_MAX:
                found[key] = Counter(), _scalar(shown, kind, native)
            if key in found:
                found[key][0][_STORED_NAMES.get(kind, "function")] += 1
    fields_ = [
        FieldSight(name, types.total(), dict(types), text) for name, (types, text) in found.items()
    ]
    fields_.sort(key=lambda one: (-one.count, one.name))
    return RecordsSight(len(rows), len(ids), tuple(fields_))


def _rows(runner: Runner, table_id: int, prefix: str) -> KeyList:
    """Keys of an external table, from the store; names first."""
    store = runner.store
    start = as_native(text_to_bytes(prefix))
    found: list[tuple[Key, int, Native]] = []
    own = store.get(table_id, STRING, start)
    if own is not None and isinstance(start, str):
        found.append((start, *own))
    page = store.page(table_id, (STRING, start), ROWS_LISTED_MAX, ROWS_BYTES_MAX)
    complete = page.complete
    for kind, key, value_kind, value in page.rows:
        if kind != STRING or not isinstance(key, str):
            break
        if not key.startswith(prefix):
            complete = True
            break
        found.append((key, value_kind, value))
    if not prefix:
        numbers = store.page(table_id, None, ROWS_LISTED_MAX, ROWS_BYTES_MAX)
        found += [
            (key, value_kind, value)
            for kind, key, value_kind, value in numbers.rows
            if kind == INTEGER and isinstance(key, int)
        ]
        complete = complete and numbers.complete
    shown = Shown(store, runner.names)
    types = "".join(_STORED_TYPES.get(kind, "t") for _, kind, _ in found)
    texts = [_scalar(shown, kind, native) for _, kind, native in found]
    return KeyList([key for key, _, _ in found], types, texts, complete=complete)


_STORED_NAMES: Final = {
    BOOLEAN: "boolean",
    INTEGER: "integer",
    FLOAT: "float",
    STRING: "string",
    FUNCTION: "function",
    TABLE: "table",
}
_STORED_TYPES: Final = {
    BOOLEAN: "b",
    INTEGER: "n",
    FLOAT: "n",
    STRING: "s",
    FUNCTION: "f",
    PERMANENT: "f",
    TABLE: "t",
}


def _scalar(shown: Shown, kind: int, native: Native) -> str | None:
    if kind in (TABLE, FUNCTION, PERMANENT):
        return None
    value = shown.value(kind, native)
    if isinstance(value, (str, bytes)):
        text = value if isinstance(value, str) else value.decode("utf-8", "backslashreplace")
        return text[:TEXT_WIDTH_MAX]
    return scalar_text(value)  # type: ignore[arg-type]  # only scalars are left


def _stored(runner: Runner, way: Way, table_id: int) -> StoredSight:
    store = runner.store
    info = store.table_info(table_id)
    indexes = tuple(info_of(store, index) for index in store.indexes(table_id))
    keys = _path_keys(way, info.root)
    schema = None if keys is None else store.schema(keys)
    definition = None if schema is None else definition_of(schema.row)
    return StoredSight(table_id, info.root, info.entries, indexes, definition)


def _holders(runner: Runner, raw: Mapping[str, int]) -> dict[str, str]:
    """The keys under which named tables are there, with the names of these."""
    infos = ((_text(key), runner.store.table_info(table_id)) for key, table_id in raw.items())
    return {key: info.root for key, info in infos if info.root}


def _path_keys(way: Way, root: str) -> list[Key] | None:
    """The path of a table in the store, if the way there or its own name tells it."""
    if root:
        return [root]
    steps = [step for step in way.steps if step is not ANY]
    if len(steps) < len(way.steps):
        return None
    if way.root is not None:
        return [way.root, *steps]
    return steps if way.is_global and steps[:1] == ["Memory"] else None
