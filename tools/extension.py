"""Builds the VS Code extension, checks it, and opens it in a browser: `python -m tools.extension`.

`build` makes the .vsix with the server's wheel in it, in `dist/`; `check` looks at style and types
of the TypeScript sources; `format` formats them; `settings` writes the server's settings into the
manifest; `editor` serves a VS Code with the extension on the examples.
"""

from __future__ import annotations

import json
import shutil
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
    """The .vsix."""
    with node_tools.only_one():
        shutil.rmtree(EXTENSION / "dist", ignore_errors=True)
        bundle()
        wheel()
        for name in ("LICENSE", "CHANGELOG.md"):
            shutil.copy(ROOT / name, EXTENSION / name)
        DIST.mkdir(exist_ok=True)
        target = package_path()
        vsce = str(EXTENSION / "node_modules/@vscode/vsce/vsce")
        options = ("--no-dependencies", "--skip-license", "--no-rewrite-relative-links")
        node(vsce, "package", *options, "--out", str(target))
    return target


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
    """Serves a VS Code with the extension on the examples until Ctrl+C."""
    vsix = package()
    with (
        tempfile.TemporaryDirectory(prefix="lua-persist-editor-") as profile,
        CodeServer(Path(profile), trust=False) as server,
    ):
        server.install(vsix)
        url = server.url(ROOT / "lua/examples")
        print(f"Open {url} (Ctrl+C ends it)")
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
