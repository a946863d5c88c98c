"""Settings from clients: what is right applies, what is wrong is named and left alone."""

from __future__ import annotations

from dataclasses import fields

import pytest

from lua_ls_persist.server.settings import SETTINGS, Settings, needs_new_session


def test_all_settings() -> None:
    data = {
        "memoryLimitBytes": 2 * 1024 * 1024,
        "timeLimitSeconds": 2.5,
        "keepErrorEffects": True,
        "databasePath": "x.db",
        "somebodyElses": 1,
    }
    assert Settings().updated(data) == (Settings(2 * 1024 * 1024, 2.5, True, "x.db"), [])


@pytest.mark.parametrize("data", [None, {}])
def test_nothing_changes_nothing(data: object) -> None:
    settings = Settings(time_limit_s=3.0)
    assert settings.updated(data) == (settings, [])


def test_null_lifts_and_resets() -> None:
    settings = Settings(4 * 1024 * 1024, 2.5, True, "x.db")
    nulls = dict.fromkeys(
        ("memoryLimitBytes", "timeLimitSeconds", "keepErrorEffects", "databasePath")
    )
    assert settings.updated(nulls) == (Settings(4 * 1024 * 1024, None, True, None), [])
    assert settings.updated({"timeLimitSeconds": 0})[0].time_limit_s is None


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ([], "the settings must be a JSON object, not a list"),
        ({"memoryLimitBytes": 5}, "luaPersist.memoryLimitBytes must be between 1048576 and"),
        ({"memoryLimitBytes": 1e12}, "luaPersist.memoryLimitBytes must be between 1048576 and"),
        ({"memoryLimitBytes": "2M"}, "must be a whole number of bytes, not '2M'"),
        ({"memoryLimitBytes": 2e6 + 0.5}, "must be a whole number of bytes"),
        ({"memoryLimitBytes": True}, "must be a whole number of bytes, not True"),
        ({"timeLimitSeconds": -1}, "luaPersist.timeLimitSeconds must be a number of seconds"),
        ({"timeLimitSeconds": float("nan")}, "must be a number of seconds"),
        ({"keepErrorEffects": 1}, "luaPersist.keepErrorEffects must be true or false, not 1"),
        ({"databasePath": 1}, "luaPersist.databasePath must be a path or null, not 1"),
    ],
)
def test_wrong_settings(data: object, message: str) -> None:
    settings, wrong = Settings().updated(data)
    assert settings == Settings()
    assert len(wrong) == 1
    assert message in wrong[0]


def test_one_wrong_setting_does_not_spoil_the_others() -> None:
    settings, wrong = Settings().updated({"keepErrorEffects": 1, "timeLimitSeconds": 1})
    assert settings == Settings(time_limit_s=1.0)
    assert len(wrong) == 1


def test_the_table_is_complete() -> None:
    assert {setting.field for setting in SETTINGS} == {field.name for field in fields(Settings)}
    for setting in SETTINGS:
        settings, wrong = Settings().updated({setting.key: ()})
        assert (settings, len(wrong)) == (Settings(), 1), "each is checked"
        settings, wrong = Settings().updated({setting.key: setting.default})
        assert (settings, wrong) == (Settings(), []), "its default is a value"


@pytest.mark.parametrize("data", [{"hints.locals": False}, {"hints": {"locals": False}}])
def test_names_with_a_dot(data: object) -> None:
    assert Settings().updated(data) == (Settings(hints_locals=False), [])


def test_choices() -> None:
    settings, wrong = Settings().updated({"evaluateOnSave": "file", "reloadModules": "always"})
    assert settings == Settings(evaluate_on_save="file")
    assert wrong == ['luaPersist.reloadModules must be "off", "next" or "inPlace", not \'always\'']


def test_only_what_the_session_was_opened_with_waits() -> None:
    assert not needs_new_session(Settings(time_limit_s=1.0), Settings(time_limit_s=2.0))
    assert not needs_new_session(Settings(), Settings(evaluate_on_save="file"))
    assert needs_new_session(Settings(), Settings(history_limit_bytes=1))
    assert needs_new_session(Settings(), Settings(keep_error_effects=True))
    assert needs_new_session(Settings(), Settings(database_path="x.db"))
