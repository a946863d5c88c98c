"""`lua-ls-persist doctor`: a sound installation passes, a broken one is told what is broken."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from lua_ls_persist._version import __version__
from lua_ls_persist.cli import doctor
from lua_ls_persist.errors import CoreError, StoreError
from lua_ls_persist.store.keys import key_path
from lua_ls_persist.vm import cache_folder, wasm_path, wasm_sha256
from tests.cli.conftest import Cli


def test_a_sound_installation_passes_every_check(cli: Cli) -> None:
    result = cli("doctor")
    assert (result.status, result.err) == (0, "")
    for name in doctor.CHECKS:
        assert f"  ok    {name} " in result.out
    assert "FAIL" not in result.out
    assert __version__ in result.out
    assert wasm_sha256(wasm_path()) in result.out
    assert result.out.endswith("All is well.\n")


def test_the_report_is_json_too(cli: Cli, tmp_path: Path) -> None:
    result = cli("doctor", "--json")
    report = json.loads(result.out)
    assert (result.status, result.err, report["ok"]) == (0, "", True)
    assert report["versions"]["Lua"] == "5.4.8"
    assert report["versions"]["lua-ls-persist"] == __version__
    assert report["core"]["size_bytes"] == wasm_path().stat().st_size
    assert report["cache"]["folder"] == str(cache_folder())
    assert report["cache"]["compiled_cores"] >= 1
    assert report["paths"]["session of this folder"] == str(
        tmp_path / ".lua-persist" / "session.db"
    )
    assert report["paths"]["signing key"] == str(key_path())
    assert [check["name"] for check in report["checks"]] == list(doctor.CHECKS)
    assert all(check["ok"] for check in report["checks"])
    assert not (tmp_path / ".lua-persist").exists()


def test_a_check_that_fails_is_named_and_the_others_are_made(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> str:
        raise StoreError("the disk is on fire")

    monkeypatch.setitem(doctor.CHECKS, "store", broken)
    result = cli("doctor")
    assert result.status == 1
    [failed] = [line for line in result.out.splitlines() if "FAIL" in line]
    assert "store" in failed
    assert "the disk is on fire" in failed
    assert "  ok    evaluate " in result.out
    assert result.out.endswith(f"1 of {len(doctor.CHECKS)} checks failed.\n")


def test_a_missing_core_is_reported_and_not_a_crash(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> None:
        raise CoreError("there is no core; reinstall the package")

    monkeypatch.setattr("lua_ls_persist.vm.core_info", missing)
    result = cli("doctor", "--json")
    report = json.loads(result.out)
    assert (result.status, report["ok"]) == (1, False)
    assert report["core"] == {"problem": "there is no core; reinstall the package"}
    version = cli("--version")
    assert (version.status, version.err) == (0, "")
    assert version.out.endswith("(no Lua: there is no core; reinstall the package)\n")


def test_a_cache_that_cannot_be_read_is_reported(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("LUA_LS_PERSIST_CACHE", str(tmp_path / "file"))
    report = json.loads(cli("doctor", "--json").out)
    assert report["cache"]["problem"].startswith("cannot be read: ")
    monkeypatch.setenv("LUA_LS_PERSIST_CACHE", str(tmp_path / "none"))
    report = json.loads(cli("doctor", "--json").out)
    assert report["cache"]["compiled_cores"] == 0
