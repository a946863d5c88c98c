"""What holds of an editor that runs the program of the harness, and of another one after it."""

from __future__ import annotations

from typing import Any


class SeenTwice:
    """Tests of what a script saw; `twice` is a fixture of the module."""

    def test_results_are_shown(self, twice: list[Any]) -> None:
        for number, seen in enumerate(twice, 1):
            assert f"10 » count {number}" in seen["shown"]

    def test_everything_is_still_there(self, twice: list[Any]) -> None:
        assert [seen["count"] for seen in twice] == ["1", "2"]

    def test_hover_tells_of_the_live_function(self, twice: list[Any]) -> None:
        for seen in twice:
            assert "greet(name)" in seen["hover"]
            assert "Greets somebody." in seen["hover"]

    def test_completion_of_the_fields_of_a_row(self, twice: list[Any]) -> None:
        for seen in twice:
            assert "name" in seen["completion"]

    def test_actions_stand_in_for_lenses(self, twice: list[Any]) -> None:
        for seen in twice:
            assert {"Evaluate Top-Level Form", "Evaluate File"} <= set(seen["actions"])

    def test_a_query(self, twice: list[Any]) -> None:
        assert [seen["rows"] for seen in twice] == [["ann"], ["ann"]]

    def test_an_error_is_where_it_belongs(self, twice: list[Any]) -> None:
        for seen in twice:
            assert seen["errors"] == ["2 attempt to index a nil value (global 'missing')"]
