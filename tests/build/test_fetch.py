"""Fetching Lua's sources: from an index, a folder or a file, and what is said when it fails."""

from __future__ import annotations

import functools
import hashlib
import io
import os
import subprocess
import sys
import tarfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from wasm_core import fetch
from wasm_core.fetch import BuildError, fetch_lua_sources

LUA = "lupa-2.8/third-party/lua54"
CONTENT = {
    f"{LUA}/lua.h": b"/* lua.h */",
    f"{LUA}/lvm.c": b"/* lvm.c */",
    f"{LUA}/testes/strings.lua": b"print('strings')",
    f"{LUA}/testes/libs/lib1.c": b"/* lib1.c */",
    f"{LUA}/manual/manual.of": b"manual",
    "lupa-2.8/lupa/lua.pyx": b"not Lua's",
    "lupa-2.8/third-party/lua51/lua.h": b"/* another Lua */",
}


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Keep requests out of the test's output."""


def archive_of(
    content: dict[str, bytes], *special: tarfile.TarInfo, sparse_size: dict[str, int] | None = None
) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, data in content.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
        for member in special:
            tar.addfile(member)
        for name, size in (sparse_size or {}).items():
            member = tarfile.TarInfo(name)
            member.size = size
            tar.addfile(member, io.BytesIO(bytes(size)))
    return buffer.getvalue()


def link(name: str, target: str, kind: bytes) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.type = kind
    member.linkname = target
    return member


@pytest.fixture
def unconfigured(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """No setting of this machine's pip reaches the test; nor does a local archive."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv(fetch.SDIST_ENVIRONMENT_VARIABLE, raising=False)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_DEFAULT_TIMEOUT", "20")
    return monkeypatch


@pytest.fixture
def pinned(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes], bytes]:
    """Makes an archive of the test the pinned one."""

    def pin(archive: bytes) -> bytes:
        monkeypatch.setattr(fetch, "SDIST_SHA256", hashlib.sha256(archive).hexdigest())
        return archive

    return pin


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """A folder and the address at which it is served."""
    folder = tmp_path / "served"
    folder.mkdir()
    handler = functools.partial(QuietHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield folder, f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def publish(folder: Path, archive: bytes) -> None:
    """Lay out a simple index in a folder, with a wheel beside the archive as a distraction."""
    project = folder / "simple" / "lupa"
    project.mkdir(parents=True)
    (project / "index.html").write_text(
        "<a href='../../files/lupa-2.8-cp311-cp311-linux_x86_64.whl'>wheel</a>"
        "<a href='../../files/lupa-2.7.tar.gz'>older</a>"
        "<a href='../../files/lupa-2.8.tar.gz'>archive</a>",
        encoding="utf-8",
    )
    (folder / "files").mkdir()
    (folder / "files" / "lupa-2.8.tar.gz").write_bytes(archive)


def closed_port_url() -> str:
    """An address at which nobody answers."""
    with ThreadingHTTPServer(("127.0.0.1", 0), QuietHandler) as server:
        return f"http://127.0.0.1:{server.server_port}/simple"


def failure(cache: Path) -> str:
    """The message of a fetch that fails: one sentence, and no traces in the cache."""
    with pytest.raises(BuildError) as caught:
        fetch_lua_sources(cache)
    message = str(caught.value)
    assert "\n" not in message
    assert message.endswith(".")
    assert not cache.exists() or list(cache.iterdir()) == []
    return message


# What comes of a fetch.


def test_the_pinned_sources_are_lua_5_4_8() -> None:
    folder = fetch_lua_sources()
    header = (folder / "src" / "lua.h").read_text(encoding="utf-8")
    assert '#define LUA_VERSION_RELEASE\t"8"' in header
    assert len(list((folder / "src").glob("*.c"))) >= 30
    assert (folder / "testes" / "all.lua").is_file()


def test_only_the_lua_part_is_unpacked(
    tmp_path: Path, unconfigured: pytest.MonkeyPatch, pinned: Callable[[bytes], bytes]
) -> None:
    local = tmp_path / "any-name.tar.gz"
    local.write_bytes(pinned(archive_of(CONTENT)))
    unconfigured.setenv(fetch.SDIST_ENVIRONMENT_VARIABLE, str(local))
    folder = fetch_lua_sources(tmp_path / "cache")
    files = {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
    assert files == {
        "src/lua.h": b"/* lua.h */",
        "src/lvm.c": b"/* lvm.c */",
        "testes/strings.lua": b"print('strings')",
        "testes/libs/lib1.c": b"/* lib1.c */",
    }
    assert list((tmp_path / "cache").iterdir()) == [folder]


def test_from_an_index_once(
    tmp_path: Path,
    unconfigured: pytest.MonkeyPatch,
    pinned: Callable[[bytes], bytes],
    served: tuple[Path, str],
) -> None:
    folder, address = served
    publish(folder, pinned(archive_of(CONTENT)))
    unconfigured.setenv("PIP_INDEX_URL", f"{address}/simple")
    sources = fetch_lua_sources(tmp_path / "cache")
    assert (sources / "src" / "lvm.c").read_bytes() == b"/* lvm.c */"
    unconfigured.setenv("PIP_INDEX_URL", closed_port_url())
    assert fetch_lua_sources(tmp_path / "cache") == sources


def test_a_source_out_of_reach_hides_no_other(
    tmp_path: Path,
    unconfigured: pytest.MonkeyPatch,
    pinned: Callable[[bytes], bytes],
    served: tuple[Path, str],
) -> None:
    folder, address = served
    publish(folder, pinned(archive_of(CONTENT)))
    unconfigured.setenv("PIP_INDEX_URL", closed_port_url())
    unconfigured.setenv("PIP_EXTRA_INDEX_URL", f"{address}/nothing-here {address}/simple")
    assert fetch_lua_sources(tmp_path / "cache").is_dir()


def test_from_a_folder_without_any_index(
    tmp_path: Path, unconfigured: pytest.MonkeyPatch, pinned: Callable[[bytes], bytes]
) -> None:
    (tmp_path / "wheels").mkdir()
    (tmp_path / "wheels" / "lupa-2.8.tar.gz").write_bytes(pinned(archive_of(CONTENT)))
    unconfigured.setenv("PIP_FIND_LINKS", str(tmp_path / "wheels"))
    unconfigured.setenv("PIP_NO_INDEX", "1")
    assert fetch_lua_sources(tmp_path / "cache").is_dir()


def test_many_at_once_agree(
    tmp_path: Path, unconfigured: pytest.MonkeyPatch, pinned: Callable[[bytes], bytes]
) -> None:
    local = tmp_path / "lupa-2.8.tar.gz"
    local.write_bytes(pinned(archive_of(CONTENT)))
    unconfigured.setenv(fetch.SDIST_ENVIRONMENT_VARIABLE, str(local))
    start = threading.Barrier(8)

    def run(_: int) -> Path:
        start.wait()
        return fetch_lua_sources(tmp_path / "cache")

    with ThreadPoolExecutor(8) as pool:
        folders = set(pool.map(run, range(8)))
    assert len(folders) == 1
    assert list((tmp_path / "cache").iterdir()) == list(folders)


# What is said when it fails.


def test_no_network(tmp_path: Path, unconfigured: pytest.MonkeyPatch) -> None:
    unconfigured.setenv("PIP_INDEX_URL", closed_port_url())
    message = failure(tmp_path / "cache")
    assert "lupa-2.8.tar.gz" in message
    assert "cannot be downloaded" in message
    assert "Connection refused" in message
    assert fetch.SDIST_ENVIRONMENT_VARIABLE in message


def test_a_password_is_not_shown(
    tmp_path: Path, unconfigured: pytest.MonkeyPatch, served: tuple[Path, str]
) -> None:
    folder, address = served
    publish(folder, b"")
    (folder / "files" / "lupa-2.8.tar.gz").unlink()
    with_password = address.replace("//", "//ann:secret@")
    unconfigured.setenv("PIP_INDEX_URL", f"{with_password}/simple")
    message = failure(tmp_path / "cache")
    assert "404" in message
    assert "secret" not in message


def test_an_index_without_the_file(
    tmp_path: Path, unconfigured: pytest.MonkeyPatch, served: tuple[Path, str]
) -> None:
    unconfigured.setenv("PIP_INDEX_URL", f"{served[1]}/simple")
    message = failure(tmp_path / "cache")
    assert "404" in message


def test_no_source_at_all(tmp_path: Path, unconfigured: pytest.MonkeyPatch) -> None:
    unconfigured.setenv("PIP_NO_INDEX", "true")
    assert "it is not there" in failure(tmp_path / "cache")


def test_wrong_hash_from_an_index(
    tmp_path: Path, unconfigured: pytest.MonkeyPatch, served: tuple[Path, str]
) -> None:
    folder, address = served
    archive = archive_of(CONTENT)
    publish(folder, archive)
    unconfigured.setenv("PIP_INDEX_URL", f"{address}/simple")
    message = failure(tmp_path / "cache")
    assert "wrong hash" in message
    assert fetch.SDIST_SHA256 in message
    assert hashlib.sha256(archive).hexdigest() in message


def test_a_download_without_end(
    tmp_path: Path, unconfigured: pytest.MonkeyPatch, served: tuple[Path, str]
) -> None:
    folder, address = served
    publish(folder, bytes(5000))
    unconfigured.setenv("PIP_INDEX_URL", f"{address}/simple")
    unconfigured.setattr(fetch, "DOWNLOAD_SIZE_BYTES_MAX", 4999)
    assert "stopped after 4999 bytes" in failure(tmp_path / "cache")


def test_no_client_library(tmp_path: Path, unconfigured: pytest.MonkeyPatch) -> None:
    unconfigured.setitem(sys.modules, "unearth.auth", None)
    message = failure(tmp_path / "cache")
    assert "pip install unearth" in message
    assert fetch.SDIST_ENVIRONMENT_VARIABLE in message


def test_a_local_file_that_is_not_there(tmp_path: Path, unconfigured: pytest.MonkeyPatch) -> None:
    unconfigured.setenv(fetch.SDIST_ENVIRONMENT_VARIABLE, str(tmp_path / "absent.tar.gz"))
    message = failure(tmp_path / "cache")
    assert "absent.tar.gz cannot be read: No such file or directory" in message


def test_a_cache_that_is_a_file(tmp_path: Path, unconfigured: pytest.MonkeyPatch) -> None:
    (tmp_path / "cache").write_text("in the way", encoding="utf-8")
    with pytest.raises(BuildError, match="cannot be put into"):
        fetch_lua_sources(tmp_path / "cache")


@pytest.mark.parametrize(
    ("archive", "words"),
    [
        pytest.param(b"not an archive", "cannot be put into", id="not an archive"),
        pytest.param(archive_of(CONTENT)[:-40], "cannot be put into", id="truncated"),
        pytest.param(archive_of({"x": b""}), "does not contain src/lua.h", id="something else"),
        pytest.param(
            archive_of({f"{LUA}/testes/../../../../x.lua": b""}),
            "unusable entry",
            id="climbs out of its folder",
        ),
        pytest.param(
            archive_of({}, sparse_size={f"{LUA}/lua.h": fetch.MEMBER_SIZE_BYTES_MAX + 1}),
            "unusable entry",
            id="a huge file",
        ),
        pytest.param(
            archive_of(
                {f"{LUA}/testes/strings.lua": b"", f"{LUA}/lvm.c": b""},
                link(f"{LUA}/lua.h", "/etc/passwd", tarfile.SYMTYPE),
            ),
            "does not contain src/lua.h",
            id="a symbolic link",
        ),
        pytest.param(
            archive_of(
                {f"{LUA}/testes/strings.lua": b"", f"{LUA}/lvm.c": b""},
                link(f"{LUA}/lua.h", f"{LUA}/lvm.c", tarfile.LNKTYPE),
            ),
            "does not contain src/lua.h",
            id="a hard link",
        ),
    ],
)
def test_an_archive_that_is_not_what_it_should_be(
    tmp_path: Path,
    unconfigured: pytest.MonkeyPatch,
    pinned: Callable[[bytes], bytes],
    archive: bytes,
    words: str,
) -> None:
    local = tmp_path / "lupa-2.8.tar.gz"
    local.write_bytes(pinned(archive))
    unconfigured.setenv(fetch.SDIST_ENVIRONMENT_VARIABLE, str(local))
    assert words in failure(tmp_path / "cache")


# By hand.


def test_the_command_prints_the_folder(project_root: Path) -> None:
    run = subprocess.run(
        [sys.executable, "-m", "wasm_core.fetch"],
        cwd=project_root,
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout == f"{fetch_lua_sources()}\n"


def test_the_command_says_what_is_wrong(
    tmp_path: Path, unconfigured: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    unconfigured.setattr(fetch, "CACHE_FOLDER", tmp_path / "cache")
    unconfigured.setenv(fetch.SDIST_ENVIRONMENT_VARIABLE, str(tmp_path / "absent.tar.gz"))
    assert fetch.main() == 1
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err.startswith("error: The Lua source archive ")
    assert output.err.count("\n") == 1
