"""Random programs over everything that persists, one evaluation a step.

A step (steps/) works whatever the program has done before: it picks tables and functions by
number from what there is (prelude.lua). What it shows never depends on the order in which a table
is gone through, nor on `#` of a table with holes, nor on addresses.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Final

from hypothesis import strategies as st

HERE = Path(__file__).resolve().parent


def on_one_line(source: str) -> str:
    return " ".join(re.sub(r"^\s*--.*$", "", line).strip() for line in source.splitlines())


PRELUDE: Final = on_one_line((HERE / "prelude.lua").read_text())
OBSERVE: Final = (HERE / "observe.lua").read_text()

SET_UP: Final = """
Memory.tables, Memory.functions, Memory.names = {}, {}, {}
Memory.lists, Memory.classes, Memory.log = { {}, { 3, 1, 2 } }, { { kind = "base" } }, { n = 0 }
Memory.tables[1] = { first = true }
Memory.names[Memory.tables[1]] = 1
Memory.functions[1] = function(...) return select("#", ...), ... end
Memory.names[Memory.functions[1]] = 1
"""

PLAIN_SET_UP: Final = """
Memory = {}
local named = {}
ext.table = function(name)
  if not name then return {} end
  named[name] = named[name] or {}
  return named[name]
end
ext.collect = function() end
"""
"""What makes Memory and the named tables plain ones: the model of what external ones are to be."""


@dataclass(frozen=True)
class Step:
    """One evaluation."""

    body: str
    fails: bool = False
    """Whether it raises an error at its end: then nothing has happened."""

    @property
    def source(self) -> str:
        if self.body == OBSERVE:
            return OBSERVE
        end = " error('nothing of this has happened')" if self.fails else ""
        return f"{PRELUDE} {self.body}{end}"

    def __repr__(self) -> str:
        if self.body == OBSERVE:
            return "Step(OBSERVE)"
        return f"Step({self.body!r}{', fails=True' if self.fails else ''})"


numbers = st.integers(0, 7)
names = st.sampled_from(["a", "b", "c", "value", "next", "x y", "end"])
texts = st.sampled_from(
    ['""', '"a"', '"1"', r'"\0"', r'"\xff\xfe"', '"\u00e4"', '("long"):rep(30)', '("x"):rep(5000)']
)
integers = st.sampled_from([0, 1, 2, 3, -1, 7, 2**31, 2**53 + 1]).map(str) | st.sampled_from(
    ["math.maxinteger", "math.mininteger"]
)
floats = st.sampled_from(
    ["1.0", "-0.0", "0.5", "1e308 * 10", "-1/0", "2^53", "5e-324", "2^63", "0/0", "-(0/0)"]
)
booleans = st.sampled_from(["true", "false"])
standard = st.sampled_from(["print", "string.format", "math", "_G", "string", "next"])
objects = st.builds("tab({})".format, numbers) | st.builds("fun({})".format, numbers)
scalars = integers | floats | booleans | texts
constructors = st.recursive(
    st.just("{}") | st.builds("{{ {}, {} }}".format, scalars, objects),
    lambda inner: st.builds(
        "{{ {} = {}, [{}] = {}, {} }}".format, st.sampled_from("ab"), inner, integers, inner, inner
    ),
    max_leaves=4,
)
values = st.one_of(scalars, objects, constructors, standard)
keys = st.one_of(
    names.map("{!r}".format),
    integers,
    texts,
    booleans,
    objects,
    st.sampled_from(["1.0", "0.5", "2^53", "-0.0", "-1/0", "print"]),
)
events = st.sampled_from(
    ["add", "concat", "eq", "lt", "le", "call", "len", "unm", "index", "close"]
)


def read_templates(source: str) -> dict[str, Template]:
    """The steps of a source by name."""
    _, *parts = re.split(r"^--- (\w+)$", source, flags=re.MULTILINE)
    return {
        name: Template(on_one_line(body))
        for name, body in zip(parts[::2], parts[1::2], strict=True)
    }


# In this order, which seeds rely on.
_STEPS: Final = ("tables", "functions", "metatables")
TEMPLATES: Final = {
    name: template
    for file in _STEPS
    for name, template in read_templates((HERE / "steps" / f"{file}.lua").read_text()).items()
}


PARAMETERS = {
    "n1": numbers,
    "n2": numbers,
    "name": st.sampled_from(["a", "b", "c", "value"]),
    "event": events,
    "key1": keys,
    "key2": keys,
    "value1": values,
    "value2": values,
    "value3": values,
    "int": st.integers(0, 20).map(str),
    "large": st.sampled_from(["3", "20", "300", "600"]),
    "bool": booleans,
    "bad": st.sampled_from(["nil", "0/0"]),
    "order": st.sampled_from(["", ", function(a, b) return a > b end"]),
}

EXAMPLE: Final = {
    "n1": "0",
    "n2": "1",
    "name": "a",
    "event": "add",
    "key1": "'k'",
    "key2": "1",
    "value1": "1",
    "value2": "{}",
    "value3": "fun(0)",
    "int": "3",
    "large": "20",
    "bool": "true",
    "bad": "nil",
    "order": "",
}
"""One value for each parameter, with which each step goes well."""


@st.composite
def _bodies(draw: st.DrawFn) -> str:
    template = TEMPLATES[draw(st.sampled_from(sorted(TEMPLATES)))]
    arguments = {
        name: draw(PARAMETERS[name])
        for name in dict.fromkeys(re.findall(r"\$(\w+)", template.template))
    }
    return template.substitute(arguments)


bodies = _bodies()


def _together(parts: list[str]) -> str:
    return " ".join(f"do {part} end" for part in parts)


def _transaction(parts: list[str], fails: bool, inner: str | None) -> str:
    inside = _together(parts) + (f" {inner}" if inner else "")
    end = " error('rolled back')" if fails else ""
    return f"print(pcall(ext.transaction, function() {inside}{end} end))"


transactions = st.builds(
    _transaction,
    st.lists(bodies, min_size=1, max_size=3),
    st.booleans(),
    st.none() | st.builds(_transaction, st.lists(bodies, max_size=2), st.booleans(), st.none()),
)
steps = st.one_of(
    st.builds(Step, bodies),
    st.builds(Step, bodies),
    st.builds(Step, bodies),
    st.builds(Step, bodies),
    st.builds(Step, st.lists(bodies, min_size=2, max_size=4).map(_together)),
    st.builds(Step, st.lists(bodies, min_size=1, max_size=3).map(_together), st.just(True)),
    st.builds(Step, transactions),
    st.just(Step(OBSERVE)),
)
programs = st.lists(steps, min_size=4, max_size=30)
