"""Builds the VS Code extension, checks it, and opens it in a browser: `python -m tools.extension`.

`build` makes the .vsix with the server's wheel in it, in `dist/`; `check` looks at style and types
of the TypeScript sources; `format` formats them; `settings` writes the server's settings into the
manifest; `editor` serves a VS Code with the extension on a copy of the examples.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import sys
import tempfile
import webbrowser
from pathlib import Path
from typing import Any

from lua_ls_persist._version import __version__
from lua_ls_persist.server.settings import SECTION, SETTINGS, Setting
from tools import node_tools
from tools.code_server import CodeServer
from tools.node_tools import EXTENSION, ROOT, ToolError, node, run

DIST = ROOT / "dist"
MANIFEST = EXTENSION / "package.json"
SESSION_GROUP = "Session"
SAMPLE_NAME = "welcome.lua"
COPIED = ("LICENSE", "CHANGELOG.md")
"""Of the whole project, and in the package as well."""


def bundle() -> None:
    """Compiles the extension."""
    node_tools.node_modules()
    node("esbuild.mjs", "--minify")


def bundle_tests() -> None:
    """Compiles the tests, beside what is there."""
    with node_tools.only_one():
        node_tools.node_modules()
        node("esbuild.mjs", "--only-tests")


def wheel() -> Path:
    """The server's wheel of these sources, in the folder that goes into the package."""
    folder = EXTENSION / "dist/server"
    shutil.rmtree(folder, ignore_errors=True)
    run([sys.executable, "-m", "build", "--no-isolation", "--wheel", "--outdir", str(folder)])
    (built,) = folder.glob("*.whl")
    return built


def package_path() -> Path:
    """Where the .vsix lies."""
    return DIST / f"lua-persist-{__version__}.vsix"


def package() -> Path:
    """The .vsix, unless there is one of these sources."""
    with node_tools.only_one():
        stamp = EXTENSION / "dist/stamp"
        sources = digest()
        if package_path().exists() and stamp.exists() and stamp.read_text() == sources:
            return package_path()
        shutil.rmtree(EXTENSION / "dist", ignore_errors=True)
        bundle()
        wheel()
        for name in COPIED:
            shutil.copy(ROOT / name, EXTENSION / name)
        DIST.mkdir(exist_ok=True)
        target = package_path()
        vsce = str(EXTENSION / "node_modules/@vscode/vsce/vsce")
        options = ("--no-dependencies", "--skip-license", "--no-rewrite-relative-links")
        node(vsce, "package", *options, "--out", str(target))
        stamp.write_text(sources)
    return target


def digest() -> str:
    """Stands for everything that the package is made of."""
    folders = [EXTENSION / name for name in ("src", "media", "walkthrough", "snippets")]
    folders += [ROOT / "lua_ls_persist", ROOT / "lua/prelude"]
    files = [path for folder in folders for path in folder.rglob("*") if path.is_file()]
    files += [path for path in EXTENSION.iterdir() if path.is_file() and path.name not in COPIED]
    files += [ROOT / name for name in (*COPIED, "pyproject.toml", "README.md")]
    found = hashlib.sha256()
    for path in sorted(files):
        if path.suffix != ".pyc":
            content = path.read_bytes()
            found.update(f"{path.relative_to(ROOT)} {len(content)}\n".encode() + content)
    return found.hexdigest()


def check() -> None:
    """Types, style and formatting."""
    with node_tools.only_one():
        node_tools.node_modules()
        modules = EXTENSION / "node_modules"
        node(str(modules / "typescript/bin/tsc"), "--noEmit")
        node(str(modules / "@biomejs/biome/bin/biome"), "check", "--error-on-warnings", ".")


def format_sources() -> None:
    """Formats the sources, and mends what can be mended safely."""
    with node_tools.only_one():
        node_tools.node_modules()
        node(str(EXTENSION / "node_modules/@biomejs/biome/bin/biome"), "check", "--write", ".")


def settings() -> Path:
    """Writes the server's settings into the manifest, where a test expects them."""
    manifest = json.loads(MANIFEST.read_text(encoding="utf-8"))
    for group in manifest["contributes"]["configuration"]:
        if group["title"] == SESSION_GROUP:
            group["properties"] = session_properties()
    text = json.dumps(manifest, indent=2, ensure_ascii=False)
    MANIFEST.write_text(text + "\n", encoding="utf-8")
    format_sources()
    return MANIFEST


def session_properties() -> dict[str, Any]:
    """The server's settings as a manifest describes them."""
    return {f"{SECTION}.{setting.key}": _property(setting) for setting in SETTINGS}


def _property(setting: Setting) -> dict[str, Any]:
    kind = {"choice": "string", "command": "array"}.get(setting.kind, setting.kind)
    text = setting.text[:1].upper() + setting.text[1:] + "."
    if setting.needs_new_session:
        text += " In effect when the session is restarted."
    data: dict[str, Any] = {
        "type": [kind, "null"] if setting.null_means else kind,
        "default": setting.default,
        "markdownDescription": text,
        "scope": "resource",
    }
    if setting.kind in {"integer", "number"}:
        data |= {"minimum": setting.minimum, "maximum": setting.maximum}
    if setting.kind == "command":
        data["items"] = {"type": "string"}
    if setting.choices:
        data["enum"] = list(setting.choices)
    return data


def editor() -> None:
    """Serves a VS Code with the extension on a copy of the examples until Ctrl+C."""
    vsix = package()
    # Whoever stops this by other means wants the server to end with it, too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with (
        tempfile.TemporaryDirectory(prefix="lua-persist-editor-") as folder,
        CodeServer(Path(folder) / "profile", trust=False) as server,
    ):
        examples = Path(folder) / "examples"
        shutil.copytree(ROOT / "lua/examples", examples, ignore=shutil.ignore_patterns(".*"))
        first = Path(shutil.copy(EXTENSION / "walkthrough" / SAMPLE_NAME, examples))
        server.install(vsix)
        url = server.url(examples, openFile=server.remote(first))
        print(f"Open {url}\nCtrl+C ends it; the files are copies.", flush=True)
        if (
            sys.platform != "linux"
            or os.environ.get("DISPLAY")
            or os.environ.get("WAYLAND_DISPLAY")
        ):
            # Without a screen this would be a browser for the terminal.
            webbrowser.open(url)
        server.wait()


ACTIONS = {
    "build": package,
    "check": check,
    "format": format_sources,
    "settings": settings,
    "editor": editor,
}


def main(arguments: list[str]) -> int:
    """Runs one of the actions."""
    if len(arguments) != 1 or arguments[0] not in ACTIONS:
        print(__doc__)
        return 2
    try:
        made = ACTIONS[arguments[0]]()
    except ToolError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0
    if isinstance(made, Path):
        print(f"{made.relative_to(ROOT)}: {made.stat().st_size:,} bytes")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
