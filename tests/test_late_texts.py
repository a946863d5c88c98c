"""Texts of tables and of evaluations are made when somebody asks for them, and only then."""

from __future__ import annotations

import copy
import pickle
from dataclasses import replace

import pytest

from lua_ls_persist import pretty
from lua_ls_persist.model import Evaluation, Preview
from lua_ls_persist.model.late import with_late_text
from lua_ls_persist.pretty import table_preview, with_values_text

TABLE = Preview("table", "{7, x = true}", ((1, 7), ("x", True)), address=16, detail="Point")


def late() -> Preview:
    return table_preview(TABLE.entries, omitted=False, address=16, detail="Point")


def test_a_text_is_made_once_and_not_before_it_is_asked_for() -> None:
    asked: list[Preview] = []

    def make(preview: Preview) -> str:
        asked.append(preview)
        return "{...}"

    preview = with_late_text(Preview("table", "", address=16), make)
    assert (preview.kind, preview.entries, preview.omitted, preview.address) == (
        "table",
        (),
        False,
        16,
    )
    assert asked == []
    assert [preview.text, preview.text] == ["{...}", "{...}"]
    assert len(asked) == 1


def test_nobody_sees_that_it_was_late() -> None:
    assert late() == TABLE
    assert hash(late()) == hash(TABLE)
    assert repr(late()) == repr(TABLE)
    assert replace(late(), address=17) == replace(TABLE, address=17)
    assert copy.deepcopy(late()) == TABLE
    assert pickle.loads(pickle.dumps(late())) == TABLE


def test_an_evaluation_has_the_text_of_its_values() -> None:
    whole = Evaluation(True, (late(), "a"), '{7, x = true}, "a"', duration_s=0.5)
    assert with_values_text(Evaluation(True, (late(), "a"), duration_s=0.5)) == whole
    assert with_values_text(Evaluation(True)).text == ""


def test_values_that_nobody_looks_at_are_not_laid_out(monkeypatch: pytest.MonkeyPatch) -> None:
    evaluation = with_values_text(Evaluation(True, (late(),)))
    monkeypatch.setattr(pretty, "pretty_values", lambda values: f"{len(values)} value")
    assert evaluation.text == "1 value"


def test_other_names_are_no_attributes() -> None:
    with pytest.raises(AttributeError, match="'Preview' has no attribute 'txt'"):
        _ = late().txt  # type: ignore[attr-defined]
