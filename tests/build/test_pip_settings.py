"""Reading where pip is configured to find packages."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from wasm_core.pip_settings import TIMEOUT_S_DEFAULT, PipSettings, read_pip_settings


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """An environment in which every configuration file lies below `tmp_path`."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "venv"))
    monkeypatch.setattr(sys, "platform", "linux")
    return {
        "XDG_CONFIG_DIRS": os.pathsep.join([str(tmp_path / "first"), str(tmp_path / "second")]),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
    }


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_every_setting(environment: dict[str, str], tmp_path: Path) -> None:
    write(
        tmp_path / "config" / "pip" / "pip.conf",
        """
[global]
index-url = http://a.example/simple
extra-index-url =
    http://b.example/simple
    http://c.example/simple
find-links = /wheels more-wheels
trusted-host = a.example b.example
cert = /certificates.pem
proxy = http://proxy.example:8080
timeout = 7.5
no_index = yes
""",
    )
    assert read_pip_settings(environment) == PipSettings(
        index_url="http://a.example/simple",
        extra_index_urls=("http://b.example/simple", "http://c.example/simple"),
        find_links=("/wheels", "more-wheels"),
        no_index=True,
        trusted_hosts=("a.example", "b.example"),
        certificates="/certificates.pem",
        proxy="http://proxy.example:8080",
        timeout_s=7.5,
    )


def test_the_more_particular_place_wins(environment: dict[str, str], tmp_path: Path) -> None:
    """Each file is written after the one that it overrides; the environment comes last."""
    environment = {**environment, "PIP_CONFIG_FILE": str(tmp_path / "override.conf")}
    for number, place in enumerate(
        [
            tmp_path / "second" / "pip" / "pip.conf",
            tmp_path / "first" / "pip" / "pip.conf",
            tmp_path / "home" / ".pip" / "pip.conf",
            tmp_path / "config" / "pip" / "pip.conf",
            tmp_path / "venv" / "pip.conf",
            tmp_path / "override.conf",
        ]
    ):
        write(place, f"[global]\nindex-url = http://{number}.example\n")
        assert read_pip_settings(environment).index_url == f"http://{number}.example"
    environment["PIP_INDEX_URL"] = "http://environment.example"
    assert read_pip_settings(environment).index_url == "http://environment.example"


def test_a_command_section_wins_over_global(environment: dict[str, str], tmp_path: Path) -> None:
    write(
        tmp_path / "config" / "pip" / "pip.conf",
        "[install]\nindex-url = http://install.example\n"
        "[global]\nindex-url = http://global.example\n"
        "[freeze]\nindex-url = http://freeze.example\n",
    )
    assert read_pip_settings(environment).index_url == "http://install.example"


def test_files_can_be_switched_off(environment: dict[str, str], tmp_path: Path) -> None:
    write(tmp_path / "config" / "pip" / "pip.conf", "[global]\nno-index = true\n")
    assert read_pip_settings(environment).no_index
    environment = {**environment, "PIP_CONFIG_FILE": os.devnull}
    assert not read_pip_settings(environment).no_index


def test_percent_signs_are_plain_text(environment: dict[str, str], tmp_path: Path) -> None:
    write(tmp_path / "config" / "pip" / "pip.conf", "[global]\nindex-url = http://a%40b.example\n")
    assert read_pip_settings(environment).index_url == "http://a%40b.example"


@pytest.mark.parametrize("text", ["", "soon", "-1", "0", "nan"])
def test_a_timeout_that_is_none(environment: dict[str, str], text: str) -> None:
    settings = read_pip_settings({**environment, "PIP_TIMEOUT": text})
    assert settings.timeout_s == TIMEOUT_S_DEFAULT


def test_a_broken_file_is_named(environment: dict[str, str], tmp_path: Path) -> None:
    write(tmp_path / "config" / "pip" / "pip.conf", "no section here\n")
    with pytest.raises(ValueError, match=r"config.pip.pip\.conf cannot be read"):
        read_pip_settings(environment)
