"""Peers that cannot be had are named with the reason, and left out."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import native, wasmoon
from benchmarks.compute import open_workers
from benchmarks.native import PeerUnavailableError, build_native
from benchmarks.wasmoon import wasmoon_command


def only(monkeypatch: pytest.MonkeyPatch, folder: Path, *programs: str) -> None:
    """Make `folder` the whole PATH, with programs in it that do nothing and fail."""
    for name in programs:
        program = folder / name
        program.write_text("#!/bin/sh\necho 'npm error not today' >&2\nexit 1\n", encoding="utf-8")
        program.chmod(0o755)
    monkeypatch.setenv("PATH", str(folder))
    monkeypatch.setattr(wasmoon, "PACKAGES_FOLDER", folder / "packages")
    monkeypatch.setattr(native, "BUILD_FOLDER", folder / "build")


def test_no_node(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    only(monkeypatch, tmp_path)
    with pytest.raises(PeerUnavailableError, match="wasmoon is left out: there is no node"):
        wasmoon_command()


def test_no_npm(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    only(monkeypatch, tmp_path, "node")
    with pytest.raises(PeerUnavailableError, match="not installed and there is no npm"):
        wasmoon_command()


def test_npm_fails(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    only(monkeypatch, tmp_path, "node", "npm")
    with pytest.raises(PeerUnavailableError, match="npm failed: npm error not today"):
        wasmoon_command()


def test_what_is_installed_is_not_installed_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    only(monkeypatch, tmp_path, "node")
    manifest = tmp_path / "packages" / "node_modules" / "wasmoon" / "package.json"
    manifest.parent.mkdir(parents=True)
    manifest.write_text(f'{{"version": "{wasmoon.VERSION}"}}', encoding="utf-8")
    assert wasmoon_command()[0] == str(tmp_path / "node")


def test_no_compiler(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    only(monkeypatch, tmp_path)
    with pytest.raises(PeerUnavailableError, match="there is no gcc"):
        build_native(tmp_path)


def test_no_sources(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    only(monkeypatch, tmp_path, "gcc")
    with pytest.raises(PeerUnavailableError, match="has no C files"):
        build_native(tmp_path)


def test_sources_that_do_not_compile(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(native, "BUILD_FOLDER", tmp_path / "build")
    (tmp_path / "broken.c").write_text("not C\n", encoding="utf-8")
    with pytest.raises(PeerUnavailableError, match=r"broken\.c.* failed: "):
        build_native(tmp_path)


def test_a_missing_peer_is_reported_and_left_out() -> None:
    def missing() -> list[str]:
        raise PeerUnavailableError("wasmoon is left out: no reason.")

    messages: list[str] = []
    with open_workers({"wasmoon": missing}, report=messages.append) as workers:
        assert workers == []
    assert messages == ["wasmoon is left out: no reason."]
