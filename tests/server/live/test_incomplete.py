"""Half-typed code: at every place of a text that ends there, everything answers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lua_ls_persist.server.analysis import scopes_of
from lua_ls_persist.server.evaluator import Evaluator
from lua_ls_persist.server.live.checking import Checks, suspicions
from lua_ls_persist.server.live.completing import Completer, Options
from lua_ls_persist.server.live.cursor import typed_at
from lua_ls_persist.server.live.questions import mentions_in, question_of
from lua_ls_persist.server.live.reading import reading_of
from lua_ls_persist.server.live.view import View
from lua_ls_persist.server.positions import Range
from lua_ls_persist.session import Session
from tests.server.live.cases import SETUP
from tests.server.marks import document

SOURCE = """\
local users <const> = ext.table("users")
for key, user in pairs(users) do print(key, user.name, user["age"], users[key].tags[1]) end
local page = ext.query(users, { where = { { "age", ">", 25 }, { "name", "=", who } }, limit = 3 })
for _, row in ipairs(page) do row.value.age = row.value.age + 1 end
function Account:deposit(n, ...) self.balance = self.balance + n return account:new{ x = 1 } end
local t = { a = 1, ["b c"] = function(x) return x.y.z end, [3] = [[long]], 'é𝄞' } -- comment
goto done ::done:: if t.a then elseif f "x" then else repeat local z = 1 until z.w end
return require("setup"), (("x"):upper()), _G.print, Memory.greet(1, 2), coutner
"""

PIECES = st.sampled_from(
    ["users", ".", ":", "[", "]", "(", ")", "{", "}", '"', "'", "ext.", "ext.table(", "local ",
     "for ", "in ", "pairs(", "do ", "end ", "function ", "self", "=", ",", "--", "[[", "\n", " ",
     "name", "1", "where = ", "é", "𝄞", "..", "::", "\\", "\0", "return "]
)  # fmt: skip


class Directly:
    """An evaluator that asks a session at once."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def glance(self, call: Callable[[Session], Any]) -> Any:
        return call(self._session)


@pytest.fixture(scope="module")
def view() -> Iterator[View]:
    with Session.open() as session:
        assert session.evaluate(SETUP, name="setup.lua").ok
        yield View(cast("Evaluator", Directly(session)))


async def modules() -> Iterable[str]:
    return ("setup",)


def everything(view: View, text: str) -> None:
    """Asks all there is about the end of a text."""
    state = document(text)
    scopes = scopes_of(state)
    completer = Completer(view, modules, Options(snippets=True), "file:///main.lua")

    async def ask() -> None:
        found = await completer.complete(state, state.end)
        if found.candidates:
            assert found.range is not None
            assert found.range.end == state.end
            assert found.range.start.row == state.end.row
        read = reading_of(scopes, "file:///main.lua")
        assert read is not None
        for one in await suspicions(read, view, Checks(), lambda _: False) or ():
            assert one.range.start <= one.range.end <= state.end

    asyncio.run(ask())
    typed = typed_at(scopes, state.end)
    assert 0 <= typed.start <= typed.offset <= len(state.source)
    for mention in mentions_in(scopes, None):
        assert isinstance(mention.range, Range)
        question_of(mention.question)


def test_every_beginning_of_a_source(view: View) -> None:
    for end in range(len(SOURCE)):
        everything(view, SOURCE[:end])


@settings(deadline=None, max_examples=150)
@given(pieces=st.lists(PIECES, max_size=25))
def test_anything(view: View, pieces: list[str]) -> None:
    everything(view, "".join(pieces))
