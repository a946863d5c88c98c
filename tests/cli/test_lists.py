"""Lists that are cut."""

from __future__ import annotations

import json

import pytest

from tests.cli.conftest import Cli


@pytest.mark.parametrize(
    ("command", "there_are", "what"),
    [
        (("tables",), 3, "tables"),
        (("functions",), 2, "functions"),
        (("index", "list"), 2, "indexes"),
        (("aggregate", "users", "--group-by", "age", "--count"), 2, "groups"),
    ],
)
def test_a_list_can_be_cut_and_tells_so(
    cli: Cli, command: tuple[str, ...], there_are: int, what: str
) -> None:
    source = """
        ext.table("users")[1], ext.table("users")[2] = { age = 1 }, { age = 2 }
        ext.index("users", "age") ext.index("users", "name") ext.table("log")
        function Memory.f() end function Memory.g() end
    """
    assert cli("eval", "--db", "s.db", "-e", source).status == 0
    for limit in ("-n", "--limit"):
        cut = cli(*command, "--db", "s.db", "--json", limit, "1")
        assert len(json.loads(cut.out)) == 1
        assert cut.err == f"There are more {what}: --limit {there_are} shows all of them.\n"
        whole = cli(*command, "--db", "s.db", "--json", limit, there_are)
        assert (len(json.loads(whole.out)), whole.err) == (there_are, "")
    assert len(json.loads(cli(*command, "--db", "s.db", "--json").out)) == there_are


@pytest.mark.parametrize("command", ["query users", "aggregate users --count", "history", "diff"])
def test_all_lists_have_a_limit_of_one_form(cli: Cli, command: str) -> None:
    assert cli("eval", "--db", "s.db", "-e", "ext.table('users')[1] = {}").status == 0
    for limit in ("-n", "--limit"):
        assert cli(*command.split(), "--db", "s.db", limit, "1").status == 0
        refused = cli(*command.split(), "--db", "s.db", limit, "0")
        assert "Invalid value for '-n' / '--limit': 0 is not in the range x>=1" in refused.err
