"""Compiling the core: nothing twice, the same bytes every time, a reason when it fails."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from wasm_core import build as core
from wasm_core.build import BuildError


def refuse(*_: object) -> None:
    pytest.fail("this step must not run")


def test_nothing_is_compiled_when_nothing_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    path = core.build()
    before = path.stat().st_mtime_ns
    monkeypatch.setattr(core, "_compile", refuse)
    monkeypatch.setattr(core, "fetch_lua_sources", refuse)
    monkeypatch.setattr(core, "_zig_library", refuse)
    assert core.build() == path
    assert path.stat().st_mtime_ns == before


@pytest.mark.parametrize("damage", ["other inputs", "no stamp", "no module"])
def test_what_is_not_current_is_compiled(
    damage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    output = tmp_path / "lua_core.wasm"
    output.write_bytes(core.build().read_bytes())
    stamp = output.with_suffix(".stamp")
    stamp.write_text(core.OUTPUT.with_suffix(".stamp").read_text())
    if damage == "other inputs":
        stamp.write_text("0" * 64)
    else:
        (stamp if damage == "no stamp" else output).unlink()

    class CompiledError(Exception):
        pass

    def compile_nothing(*_: object) -> None:
        raise CompiledError

    monkeypatch.setattr(core, "_compile", compile_nothing)
    with pytest.raises(CompiledError):
        core.build(output)


def test_without_zig_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(BuildError) as caught:
        core.build(tmp_path / "lua_core.wasm")
    assert f"pip install ziglang=={core.ZIG_VERSION}" in str(caught.value)
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_without_sources_the_reason_is_passed_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_network() -> Path:
        raise BuildError("The Lua sources cannot be downloaded.")

    monkeypatch.setattr(core, "fetch_lua_sources", no_network)
    with pytest.raises(BuildError, match="cannot be downloaded"):
        core.build(tmp_path / "lua_core.wasm")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_a_cold_build_gives_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZIG_LOCAL_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setenv("ZIG_GLOBAL_CACHE_DIR", str(tmp_path / "global-cache"))
    output = core.build(tmp_path / "out" / "lua_core.wasm")
    assert output.read_bytes() == core.build().read_bytes()
