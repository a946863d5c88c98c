"""Top-level locals of documents outlive the chunk that made them.

What a part sees is written as an editor would evaluate it: a document, with a part in brackets.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from lua_ls_persist import Session
from lua_ls_persist.model import Evaluation
from lua_ls_persist.server.toplevel import code_of, code_of_text
from tests.server.marks import document, unmarked


@pytest.fixture
def session() -> Iterator[Session]:
    with Session.open() as opened:
        yield opened


def whole(session: Session, text: str) -> Evaluation:
    """Evaluates a document."""
    source, code = code_of(document(text), None, "main") or ("", None)
    assert code is not None
    return session.submit_document(source, code, name="main.lua").result()


def part(session: Session, marked: str) -> Evaluation:
    """Evaluates what is marked in a document."""
    text, (range_,), _ = unmarked(marked)
    source, code = code_of(text, range_, "main") or ("", None)
    assert code is not None
    line = range_.start.row
    return session.submit_document(source, code, name="main.lua", line=line).result()


def plain(session: Session, text: str) -> Evaluation:
    return session.evaluate(text)


def values(session: Session) -> dict[str, object]:
    return {local.name: local.value for local in session.locals("main")}


COUNTER = "local n = 0\nfunction hit() n = n + 1 return n end\n"


def test_a_form_sees_the_locals_of_its_document(session: Session) -> None:
    assert whole(session, COUNTER).ok
    assert part(session, COUNTER + "⟦n + 1⟧").text == "1"
    assert part(session, COUNTER + "⟦local m = n * 2 return m⟧").text == "0"


def test_the_variable_itself_is_shared(session: Session) -> None:
    whole(session, COUNTER)
    plain(session, "hit()")
    assert part(session, COUNTER + "⟦n⟧").text == "1"
    part(session, COUNTER + "⟦n = 10⟧")
    assert plain(session, "hit()").text == "11"
    part(session, COUNTER + "⟦function other() n = n + 100 end⟧")
    plain(session, "other()")
    assert plain(session, "hit()").text == "112"


def test_only_what_is_declared_above(session: Session) -> None:
    text = "x = 'global'\n⟦return x⟧\nlocal x = 'local'\n"
    whole(session, text.replace("⟦", "").replace("⟧", "").replace("return x", "y = 1"))
    assert part(session, text).text == '"global"'
    assert part(session, text.replace("⟦return x⟧", "y = 1") + "⟦return x⟧").text == '"local"'


def test_what_is_declared_no_more_is_not_seen(session: Session) -> None:
    whole(session, "local old = 1")
    assert part(session, "local new = 1\n⟦return old⟧").text == "nil"


def test_a_form_declares_locals_for_the_forms_below(session: Session) -> None:
    assert part(session, "⟦local a = 1⟧\nlocal b = a + 1").ok
    assert part(session, "local a = 1\n⟦local b = a + 1⟧").ok
    assert values(session) == {"a": 1, "b": 2}


def test_a_declaration_again_is_an_assignment(session: Session) -> None:
    text = "local function helper() return 'old' end\nfunction call() return helper() end\n"
    whole(session, text)
    part(session, "⟦local function helper() return 'new' end⟧\nfunction call() end")
    assert plain(session, "call()").text == '"new"'
    whole(session, COUNTER)
    plain(session, "hit()")
    part(session, COUNTER.replace("local n = 0", "⟦local n = 5⟧"))
    assert plain(session, "hit()").text == "6"
    part(session, COUNTER.replace("local n = 0", "⟦local n⟧"))
    assert not plain(session, "hit()").ok


def test_what_a_declaration_reads_is_not_itself(session: Session) -> None:
    """The `n` on the right is a global, as in the document."""
    text = COUNTER.replace("0", "n or 7")
    whole(session, text)
    plain(session, "hit()")
    part(session, text.replace("local n = n or 7", "⟦local n = n or 7⟧"))
    assert plain(session, "hit()").text == "8"


def test_a_recursive_helper(session: Session) -> None:
    text = (
        "local function count(k) if k == 0 then return 0 end return 1 + count(k - 1) end\n"
        "function call() return count(5) end\n"
    )
    whole(session, text)
    again = text.replace("return 1 +", "return 2 +").replace("end\nfunction", "end⟧\nfunction")
    part(session, "⟦" + again)
    assert plain(session, "call()").text == "10"


def test_a_name_declared_twice(session: Session) -> None:
    text = "local x = 1\nfunction one() return x end\nlocal x = 2\nfunction two() return x end\n"
    whole(session, text)
    part(session, text.replace("local x = 2", "⟦local x = 3⟧"))
    assert plain(session, "return one(), two()").text == "1, 2"
    assert part(session, text + "⟦x⟧").text == "3"


@pytest.mark.parametrize("attribute", ["const", "close"])
def test_attributes(session: Session, attribute: str) -> None:
    text = (
        "local t = setmetatable({}, {__close = function() closed = (closed or 0) + 1 end})\n"
        f"local x <{attribute}> = t\nlocal k <const> = 7\n"
    )
    whole(session, text)
    assert plain(session, "closed").text == ("1" if attribute == "close" else "nil")
    assert part(session, text + "⟦return x == t, k⟧").text == "true, 7"
    (problem,) = part(session, text + "⟦x = 1⟧").problems
    assert problem.kind == "syntax"
    assert str(problem) == "main.lua:4: attempt to assign to const variable 'x'"
    assert part(session, text + "⟦return function() return k end⟧").ok


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("local a = 1 if a then return a, 'early' end", '1, "early"'),
        ("local a = 1 return a", "1"),
        ("local a = 1 return a;", "1"),
        ("local a = 1 -- a remark", ""),
        ("local a = 1 do local a = 2 return a end", "2"),
        ("local a = 1 for i = 1, 3 do if i == 2 then return i end end", "2"),
        ("local a <close> = nil return (function() return 5 end)()", "5"),
        ("local a = 1 goto done; a = 2 ::done::", ""),
        ("local a = 1 return ...", ""),
        ("return select('#', ...)", "0"),
        ("#!/usr/bin/lua\nlocal a = 1 return debug.getinfo(1, 'l').currentline", "2"),
        ("local a = 1\nreturn debug.getinfo(1, 'S').short_src", '"main.lua"'),
    ],
)
def test_the_meaning_of_programs(session: Session, text: str, value: str) -> None:
    done = whole(session, text)
    assert (done.text, done.problems) == (value, ())


def test_what_returns_early_hands_over_what_there_is(session: Session) -> None:
    whole(session, "local a = 1\nif a then return end\nlocal b = 2")
    assert values(session) == {"a": 1}


def test_a_label_at_the_end(session: Session) -> None:
    """Behind it nothing may stand, so its locals are not kept; those around are seen."""
    text = "local a = 1\n⟦goto done; local b = a; c = b ::done::⟧"
    whole(session, "local a = 1")
    assert part(session, text).ok
    assert values(session) == {"a": 1}


def test_the_most_locals_that_there_can_be(session: Session) -> None:
    text = "".join(f"local v{i} = {i}\n" for i in range(200))
    assert whole(session, text).ok
    assert len(values(session)) == 200
    assert part(session, text + "⟦v0 + v199⟧").ok
    (problem,) = whole(session, text + "local one_more").problems
    assert (problem.kind, problem.line) == ("syntax", 201)
    assert "too many local variables" in problem.message


def test_errors_are_where_they_were(session: Session) -> None:
    text = "local n = 0\nlocal function f()\n  error('no')\nend\n\n⟦f()⟧"
    whole(session, text.replace("⟦f()⟧", ""))
    (problem,) = part(session, text).problems
    assert str(problem) == "main.lua:3: no"
    assert [(frame.line, frame.function) for frame in problem.traceback] == [
        (None, "function 'error'"),
        (3, "upvalue 'f'"),
        (6, "main chunk"),
    ]
    (problem,) = whole(session, text.replace("⟦f()⟧", "f()")).problems
    assert problem.traceback[-1].function == "main chunk"


@pytest.mark.parametrize(
    "typed", ["foo(", "local", "local x =", "if n then", "x = {", "function f(", "'", "local y <"]
)
def test_code_that_is_being_typed_elsewhere(session: Session, typed: str) -> None:
    whole(session, COUNTER)
    above, below = f"{COUNTER}{typed}\n⟦return n⟧\n", f"{COUNTER}⟦return n⟧\n{typed}\n"
    assert part(session, below).text == "0"
    assert part(session, above).text == "0"


@pytest.mark.parametrize("wrong", ["return )", "x = = 1", "end", "local local"])
def test_syntax_errors_are_those_of_the_source(session: Session, wrong: str) -> None:
    whole(session, "local a = 1")
    assert code_of(document(wrong), None, "main") is None or whole(session, wrong).problems


def test_what_fails_leaves_no_trace(session: Session) -> None:
    whole(session, COUNTER)
    assert not part(session, COUNTER + "⟦n = 5 local m = 1 error('no')⟧").ok
    assert values(session) == {"n": 0}


def test_a_whole_document_begins_anew(session: Session) -> None:
    whole(session, "local a, b = 1, 2")
    whole(session, "local a = 3")
    assert values(session) == {"a": 3}
    whole(session, "x = 1")
    assert values(session) == {}


def test_documents_have_their_own(session: Session) -> None:
    whole(session, "local a = 1")
    assert session.locals("other") == ()
    assert session.locals("main", ["a", "b"]) == session.locals("main")


def test_an_environment_of_ones_own(session: Session) -> None:
    text = "local _ENV = {x = 5}\ny = x\n"
    whole(session, text)
    assert part(session, text + "⟦return x + y⟧").text == "10"


def test_a_restart_forgets_them(session: Session) -> None:
    whole(session, "local a = 1")
    session.restart()
    assert session.locals("main") == ()
    assert part(session, "local a = 1\n⟦return a⟧").text == "nil"


def test_what_they_hold_can_be_stored_and_restored(tmp_path: Path) -> None:
    text = "local n = 0\n⟦function Memory.hit() n = n + 1 return n end⟧\n"
    with Session.open(tmp_path / "s.db") as session:
        whole(session, "local n = 0")
        part(session, text)
        assert plain(session, "Memory.hit()").text == "1"
        (stored,) = session.functions()
        assert (stored.line, stored.upvalues[0].name) == (2, "n")
        assert stored.text == "function Memory.hit() n = n + 1 return n end"
    # With an image the document's variable and the function's are still the same one.
    with Session.open(tmp_path / "s.db") as session:
        part(session, text.replace("⟦", "").replace("⟧", "") + "⟦n = 10⟧")
        assert plain(session, "Memory.hit()").text == "11"
    with Session.open(tmp_path / "s.db", resume=False) as session:
        assert plain(session, "Memory.hit()").text == "12"
        session.recompile("Memory.hit")
        assert plain(session, "Memory.hit()").text == "13"


def test_stored_functions_have_their_text_as_it_was_written(session: Session) -> None:
    first = "function Memory.f() return 1 end"
    text = f"{first} local n = 0\nlocal function g() return n end Memory.g = g\n"
    whole(session, text + "if n > 5 then return end return function() end")
    part(session, text.replace("local function", "⟦local function").rstrip() + "⟧")
    part(session, text + "⟦if n then return n end Memory.h = function() return n end⟧")
    stored = {function.path: function.text for function in session.functions()}
    assert stored == {
        "Memory.f": f"{first} local n = 0",
        "Memory.g": "local function g() return n end Memory.g = g",
    }
    part(session, text + "⟦Memory.h = function() return n end return 5⟧")
    assert session.functions()[-1].text == "Memory.h = function() return n end return 5"
    for path in ("Memory.f", "Memory.g", "Memory.h"):
        session.recompile(path)
    assert plain(session, "Memory.f(), Memory.g(), Memory.h()").text == "1, 0, 0"


def test_an_undone_evaluation(session: Session) -> None:
    whole(session, "local n = 1 Memory.x = 1")
    whole(session, "local n = 2 Memory.x = 2")
    session.undo()
    assert values(session) == {"n": 1}


def test_texts_of_a_repl(session: Session) -> None:
    def repl(text: str) -> str:
        source, code = code_of_text(text, "repl") or (text, None)
        assert code is not None
        return session.submit_document(source, code, name="(repl)").result().text

    repl("local x = 5")
    assert repl("x * 2") == "10"
    repl("local y = x + 1 local x = 'again'")
    assert repl("return x, y") == '"again", 6'


def test_a_text_sees_the_locals_of_a_document(session: Session) -> None:
    whole(session, COUNTER)
    source, code = code_of_text("n", "main", document(COUNTER)) or ("", None)
    assert code is not None
    assert session.submit_document(source, code).result().text == "0"
