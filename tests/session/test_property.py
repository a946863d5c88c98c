"""Evaluations that succeed or fail in every way, in any order: a plain model knows what is left."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from lua_ls_persist.model import Preview
from lua_ls_persist.session import Session
from tests.session.helpers import problem, value

SETUP = """
map, list = {}, {}
do
  local shared, own = 0, 0
  function add(n) shared = shared + n end
  function both(n) shared = shared + n own = own + 1 end
  function counts() return shared, own end
end
numbers = coroutine.wrap(function() local n = 0 while true do n = n + 1 coroutine.yield(n) end end)
drawn = 0
"""

KEYS = ["a", "b", "c d", "e"]
small = st.integers(-100, 100)
text = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=8)


@dataclass
class Model:
    """What the program's state is."""

    map: dict[str, int | str] = field(default_factory=dict)
    list: list[int] = field(default_factory=list)
    shared: int = 0
    own: int = 0
    drawn: int = 0


@dataclass(frozen=True)
class Put:
    key: str
    value: int | str

    def lua(self, arguments: list[int | str]) -> str:
        arguments.append(self.value)
        return f"map[{self.key!r}] = select({len(arguments)}, ...)"

    def apply(self, model: Model) -> None:
        model.map[self.key] = self.value


@dataclass(frozen=True)
class Drop:
    key: str

    def lua(self, arguments: list[int | str]) -> str:
        return f"map[{self.key!r}] = nil"

    def apply(self, model: Model) -> None:
        model.map.pop(self.key, None)


@dataclass(frozen=True)
class Append:
    value: int

    def lua(self, arguments: list[int | str]) -> str:
        return f"list[#list + 1] = {self.value}"

    def apply(self, model: Model) -> None:
        model.list.append(self.value)


@dataclass(frozen=True)
class Sort:
    def lua(self, arguments: list[int | str]) -> str:
        return "table.sort(list)"

    def apply(self, model: Model) -> None:
        model.list.sort()


@dataclass(frozen=True)
class Count:
    both: bool
    by: int

    def lua(self, arguments: list[int | str]) -> str:
        return f"{'both' if self.both else 'add'}({self.by})"

    def apply(self, model: Model) -> None:
        model.shared += self.by
        model.own += self.both


@dataclass(frozen=True)
class Draw:
    def lua(self, arguments: list[int | str]) -> str:
        return "drawn = numbers()"

    def apply(self, model: Model) -> None:
        model.drawn += 1


@dataclass(frozen=True)
class Litter:
    """Garbage of many sizes, and a collection: what lies where in memory changes."""

    amount: int

    def lua(self, arguments: list[int | str]) -> str:
        return (
            f"for i = 1, {self.amount} do local t = {{ ('x'):rep(i), {{ i }} }} end "
            f"{'collectgarbage()' if self.amount % 3 == 0 else ''}"
        )

    def apply(self, model: Model) -> None:
        pass


actions = st.lists(
    st.builds(Put, st.sampled_from(KEYS), small | text)
    | st.builds(Drop, st.sampled_from(KEYS))
    | st.builds(Append, small)
    | st.builds(Sort)
    | st.builds(Count, st.booleans(), small)
    | st.builds(Draw)
    | st.builds(Litter, st.integers(0, 300)),
    max_size=6,
)
Action = Put | Drop | Append | Sort | Count | Draw | Litter


class ListenerError(Exception):
    """What a listener raises."""


class Evaluations(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.session = Session.open(memory_limit_bytes=8 * 1024 * 1024, time_limit_s=20.0)
        self.model = Model()

    @initialize()
    def set_up(self) -> None:
        assert self.session.evaluate(SETUP).ok

    def source(self, steps: list[Action], end: str) -> tuple[str, list[int | str]]:
        arguments: list[int | str] = []
        lines = [step.lua(arguments) for step in steps]
        return "\n".join([*lines, end]), arguments

    @rule(steps=actions)
    def succeeds(self, steps: list[Action]) -> None:
        source, arguments = self.source(steps, "return 'done'")
        assert self.session.evaluate(source, arguments=arguments).values == ("done",)
        for step in steps:
            step.apply(self.model)

    @rule(steps=actions, depth=st.integers(0, 2))
    def catches_its_error(self, steps: list[Action], depth: int) -> None:
        """An error that the program catches undoes nothing."""
        source, arguments = self.source(steps, "error({})")
        source = "(function(...) " * depth + source + " end)(...)" * depth if depth else source
        source = f"local ok = pcall(function(...) {source} end, ...) return ok"
        assert self.session.evaluate(source, arguments=arguments).values == (False,)
        for step in steps:
            step.apply(self.model)

    @rule(
        steps=actions,
        end=st.sampled_from(
            [
                "error('x')",
                "error({ steps })",
                "local n = nil + 1",
                "local function f() return f() + 1 end f()",
                "coroutine.wrap(error)('x')",
                "map, list, add, both, counts, numbers = nil error()",
            ]
        ),
    )
    def fails(self, steps: list[Action], end: str) -> None:
        source, arguments = self.source(steps, end)
        found = problem(self.session.evaluate(source, arguments=arguments))
        # Deep recursion may find the memory's end before that of the stack.
        assert found.kind in ("runtime", "memory")

    @rule(steps=actions)
    def runs_out_of_memory(self, steps: list[Action]) -> None:
        end = "local t = {} while true do t[#t + 1] = { ('x'):rep(100) } end"
        source, arguments = self.source(steps, end)
        assert problem(self.session.evaluate(source, arguments=arguments)).kind == "memory"

    @rule(
        steps=actions,
        end=st.sampled_from(
            [
                "while true do end",
                "while true do pcall(add, 1) end",
                "while true do numbers() map.x = (map.x or 0) + 1 end",
                "while true do list[#list + 1] = 1 table.sort(list) end",
                "table.move({}, 1, 1 << 60, 2)",
            ]
        ),
        limit_s=st.floats(0.0001, 0.006),
    )
    def runs_out_of_time(self, steps: list[Action], end: str, limit_s: float) -> None:
        source, arguments = self.source(steps, end)
        result = self.session.evaluate(source, arguments=arguments, time_limit_s=limit_s)
        assert problem(result).kind == "timeout"

    @rule(steps=actions)
    def is_interrupted(self, steps: list[Action]) -> None:
        end = "io.write(('.'):rep(20000)) while true do drawn = numbers() end"
        source, arguments = self.source(steps, end)
        result = self.session.evaluate(
            source, arguments=arguments, on_output=lambda _: self.session.interrupt()
        )
        assert problem(result).kind == "interrupt"

    @rule(steps=actions)
    def has_a_listener_that_fails(self, steps: list[Action]) -> None:
        def listener(_: object) -> None:
            raise ListenerError

        source, arguments = self.source(steps, "print('x')")
        with pytest.raises(ListenerError):
            self.session.evaluate(source, arguments=arguments, on_output=listener)

    @rule()
    def collects(self) -> None:
        self.session.collect_garbage()

    @rule()
    def starts_over(self) -> None:
        self.session.restart()
        self.model = Model()
        self.set_up()

    @invariant()
    def the_model_agrees(self) -> None:
        if value(self.session, "map") is None:
            return  # not set up yet
        found, items, shared, own, drawn = self.session.evaluate(
            "map, list, (counts()), (select(2, counts())), drawn"
        ).values
        assert isinstance(found, Preview)
        assert isinstance(items, Preview)
        assert dict(found.entries) == self.model.map
        assert [item for _, item in items.entries] == self.model.list[:200]
        assert (shared, own, drawn) == (self.model.shared, self.model.own, self.model.drawn)

    def teardown(self) -> None:
        self.session.close()


Evaluations.TestCase.settings = settings(
    max_examples=40,
    stateful_step_count=25,
    suppress_health_check=[HealthCheck.too_slow],
)
TestEvaluations = Evaluations.TestCase


def test_the_model_itself() -> None:
    """A step does in the model what it does in Lua."""
    steps: list[Action] = [
        Put("a", 1), Put("c d", "x"), Drop("a"), Append(3), Append(-1), Sort(), Count(True, 4),
        Count(False, -1), Draw(), Litter(3),
    ]  # fmt: skip
    model = Model()
    for step in steps:
        step.apply(model)
    assert model == Model({"c d": "x"}, [-1, 3], 3, 1, 1)
    assert copy.deepcopy(model) == model
