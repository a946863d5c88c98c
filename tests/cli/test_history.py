"""The commands about the history."""

from __future__ import annotations

import json

from tests.cli.conftest import Cli


def evaluate(cli: Cli, source: str) -> str:
    result = cli("eval", "--db", "s.db", "-e", source)
    assert result.status == 0, result.err
    return result.out.strip()


def test_looking_undoing_and_redoing(cli: Cli) -> None:
    evaluate(cli, "Memory.users = { ann = { age = 41 } }")
    evaluate(cli, "Memory.users.ann.age = 42")
    shown = cli("history", "--db", "s.db").out.splitlines()
    assert shown[0].startswith("2  20")
    assert shown[0].endswith("  1 set")
    assert shown[1:3] == ["  Memory.users.ann.age", "  Memory.users.ann.age = 42"]
    assert shown[3].endswith("3 set, 2 tables made")
    assert len(cli("history", "--db", "s.db", "-n", "1").out.splitlines()) == 3
    assert "Memory.users = {" in cli("history", "--db", "s.db", "--source").out
    result = cli("undo", "--db", "s.db")
    assert (result.status, result.out[:24]) == (0, "Evaluation 2 was undone;")
    assert "(undone)" in cli("history", "--db", "s.db").out
    assert evaluate(cli, "return Memory.users.ann.age") == "41"
    assert cli("undo", "--db", "s.db", "5").out.startswith("Evaluation 1 was undone;")
    assert cli("undo", "--db", "s.db").out == "There is nothing to undo.\n"
    assert cli("redo", "--db", "s.db", "2").out.startswith("2 evaluations were redone, from 1 to 2")
    assert evaluate(cli, "return Memory.users.ann.age") == "42"


def test_what_is_defined_is_told_by_its_name(cli: Cli) -> None:
    evaluate(cli, "Memory.users = { ann = { age = 41 } }")
    assert cli("index", "create", "Memory.users", "age", "--db", "s.db").status == 0
    shown = cli("history", "--db", "s.db").out.splitlines()
    assert shown[0].endswith("  other changes")
    assert shown[1] == "  the index Memory.users(age)"


def test_diff(cli: Cli) -> None:
    evaluate(cli, "Memory.a = 1")
    evaluate(cli, "Memory.a = 2 Memory.b = {}")
    assert cli("diff", "--db", "s.db", "1").out == "Memory.a: 1 -> 2\nMemory.b: nil -> {}\n"
    assert cli("diff", "--db", "s.db", "0", "1").out == "Memory.a: nil -> 1\n"
    assert cli("diff", "--db", "s.db", "2", "2").err == "Nothing differs.\n"
    (row,) = json.loads(cli("diff", "--db", "s.db", "1", "--json", "-n", "1").out)
    assert (row["place"], row["before"]["text"]) == ("Memory.a", "1")
    refused = cli("diff", "--db", "s.db", "7")
    assert (refused.status, "There is no evaluation 7" in refused.err) == (2, True)


def test_json_and_forgetting(cli: Cli) -> None:
    evaluate(cli, "Memory.a = 1")
    (entry,) = json.loads(cli("history", "--db", "s.db", "--json").out)
    assert (entry["number"], entry["keys"], entry["undone"]) == (1, ["Memory.a"], False)
    went = json.loads(cli("undo", "--db", "s.db", "--json").out)
    assert (went["vm"], went["evaluations"][0]["number"]) == ("fresh", 1)
    assert json.loads(cli("history", "--db", "s.db", "--forget", "--json").out) == {"forgotten": 1}
    assert cli("history", "--db", "s.db").err == "The history has no evaluations.\n"
    assert cli("redo", "--db", "s.db").out == "There is nothing to redo.\n"


def test_the_history_has_limits(cli: Cli) -> None:
    def evaluate(number: int, *options: object) -> None:
        done = cli("eval", "--db", "limited.db", *options, "-e", f"Memory.n = {number}")
        assert done.status == 0

    for number in range(4):
        evaluate(number, "--history-limit", 2)
    assert len(json.loads(cli("history", "--db", "limited.db", "--json").out)) == 2
    evaluate(5, "--history-limit-bytes", "1")
    assert "history_limit_bytes" in cli("undo", "--db", "limited.db").err
    evaluate(6, "--history-limit", 0)
    assert json.loads(cli("history", "--db", "limited.db", "--json").out) == []
    assert cli("eval", "--history-limit", "-1", "-e", "1").status == 2
