"""What expressions are by common idioms: classes, defaults, loops, callbacks, modules."""

from __future__ import annotations

import pytest

from lua_ls_persist.server.analysis import scopes_of
from lua_ls_persist.server.documents import Documents
from lua_ls_persist.server.live.inference import Inference
from lua_ls_persist.server.live.resolving import Literally
from lua_ls_persist.server.live.shapes import Called, Named
from lua_ls_persist.server.navigation import Navigator
from lua_ls_persist.server.workspace_files import WorkspaceFiles
from lua_ls_persist.session.sights import ANY, Way
from tests.server.language.cases import Case, cases
from tests.server.live.test_inference import USER, asked

SOMEBODY = f"{USER}---@return User\nfunction somebody() end\n"


@pytest.mark.parametrize("case", cases("members"), ids=lambda case: case.title)
def test_members(case: Case) -> None:
    documents = Documents()
    for file in case.files:
        documents.open(f"file:///project/{file.name}", file.document.source)
    documents.open("file:///project/user.lua", SOMEBODY)
    document = documents.get(f"file:///project/{case.main.name}")
    assert document is not None
    path = scopes_of(document).path_at(case.main.cursors[0])
    assert path is not None
    inference = Inference(Navigator(WorkspaceFiles(documents)))
    members = inference.members(inference.of_path(document, path, len(path.steps) - 1))
    found = [] if members is None else sorted(one.name for one in members.members)
    assert " ".join(found or ["nothing"]) == case.expected


def test_defaults_of_what_the_vm_has() -> None:
    assert asked("local t = Memory.t or {}\nt.‸")[0] == Way(("Memory", "t"))
    shape, _ = asked("local row = ext.table('users').ann or {}\nrow.‸")
    assert shape == Way(("ann",), "users")


@pytest.mark.parametrize(
    ("marked", "expected"),
    [
        ("for _, row in ipairs(ext.query('users', {})) do row.value.‸ end", Way((ANY,), "users")),
        ("local page = ext.query('users', {})\npage[1].value.‸", Way((ANY,), "users")),
        ("for _, u in pairs(ext.table('users')) do u.‸ end", Way((ANY,), "users")),
        ("ext.migrate('users', 2, function(user, key) user.‸ end)", Way((ANY,), "users")),
        ("ext.migrate('users', 2, function(user, key) key.‸ end)", None),
    ],
)
def test_rows(marked: str, expected: object) -> None:
    assert asked(marked)[0] == expected


def test_shapes() -> None:
    made = "local A = {}\nA.__index = A\nlocal a = setmetatable({}, A)\na.‸x()"
    shape, _ = asked(made)
    assert isinstance(shape, Named)
    assert shape.entity.keys == ("A",)
    shape, _ = asked("---@param f fun(a: integer): string\nfunction g(f) f.‸ end")
    assert isinstance(shape, Called)
    shape, _ = asked("---@param f fun(a: integer): string\nfunction g(f) f(1).‸ end")
    assert shape == Literally()
