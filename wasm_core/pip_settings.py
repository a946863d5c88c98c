"""Where pip is configured to find packages.

Reads what pip's user guide documents under "Configuration": files first, then `PIP_*` environment
variables, later ones overriding earlier ones. pip itself may not be importable inside a build
environment. Names no host.
"""

from __future__ import annotations

import configparser
import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

__all__ = ["PipSettings", "read_pip_settings"]

TIMEOUT_S_DEFAULT = 60.0


@dataclass(frozen=True, slots=True)
class PipSettings:
    """The settings of pip that say where packages come from, and how to reach that place."""

    index_url: str | None = None
    """None stands for the client's default index."""
    extra_index_urls: tuple[str, ...] = ()
    find_links: tuple[str, ...] = ()
    no_index: bool = False
    trusted_hosts: tuple[str, ...] = ()
    certificates: str | None = None
    """A file or folder of certificate authorities."""
    proxy: str | None = None
    timeout_s: float = TIMEOUT_S_DEFAULT


def read_pip_settings(environment: Mapping[str, str] = os.environ) -> PipSettings:
    """Read pip's configuration files and environment variables.

    Raises:
        ValueError: a configuration file exists and cannot be read; the message names it.
    """
    values: dict[str, str] = {}
    for path in _configuration_files(environment):
        parser = configparser.RawConfigParser()
        try:
            parser.read(path, encoding="utf-8")
        except (OSError, UnicodeDecodeError, configparser.Error) as error:
            raise ValueError(f"pip's configuration file {path} cannot be read: {error}") from error
        for section in ("global", "download", "install"):
            if parser.has_section(section):
                for key, text in parser.items(section):
                    values[key.replace("_", "-")] = text
    for name, text in environment.items():
        if name.startswith("PIP_") and text:
            values[name.removeprefix("PIP_").lower().replace("_", "-")] = text

    return PipSettings(
        index_url=values.get("index-url") or None,
        extra_index_urls=tuple(values.get("extra-index-url", "").split()),
        find_links=tuple(values.get("find-links", "").split()),
        no_index=values.get("no-index", "").strip().lower() in {"1", "true", "yes", "on", "y", "t"},
        trusted_hosts=tuple(values.get("trusted-host", "").split()),
        certificates=values.get("cert") or None,
        proxy=values.get("proxy") or None,
        timeout_s=_seconds(values.get("timeout") or values.get("default-timeout")),
    )


def _seconds(text: str | None) -> float:
    try:
        seconds = float(text or "")
    except ValueError:
        return TIMEOUT_S_DEFAULT
    return seconds if seconds > 0 else TIMEOUT_S_DEFAULT


def _configuration_files(environment: Mapping[str, str]) -> Iterator[Path]:
    """Where pip looks, least important first."""
    override = environment.get("PIP_CONFIG_FILE")
    if override == os.devnull:
        return
    home = Path.home()
    if sys.platform == "win32":
        name = "pip.ini"
        yield Path(environment.get("PROGRAMDATA", "C:/ProgramData")) / "pip" / name
        yield home / "pip" / name
        yield Path(environment.get("APPDATA", str(home))) / "pip" / name
    else:
        name = "pip.conf"
        shared = "/Library/Application Support" if sys.platform == "darwin" else "/etc/xdg"
        for folder in reversed(environment.get("XDG_CONFIG_DIRS", shared).split(os.pathsep)):
            yield Path(folder) / "pip" / name
        yield Path("/etc") / name
        yield home / ".pip" / name
        if sys.platform == "darwin":
            yield home / "Library" / "Application Support" / "pip" / name
        yield Path(environment.get("XDG_CONFIG_HOME") or home / ".config") / "pip" / name
    yield Path(sys.prefix) / name
    if override:
        yield Path(override)
