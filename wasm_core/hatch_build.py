"""The package build's step of its own: compiles the core and puts it into the wheel and the sdist.

The source distribution carries the compiled core with the stamp of its inputs, so that a wheel
made from it needs neither the Zig compiler nor Lua's sources. What is needed to compile is asked
for only when there is something to compile.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

UNEARTH_REQUIREMENT = "unearth>=0.17,<1"


class CoreBuildHook(BuildHookInterface[Any]):
    """Runs `wasm_core.build` before a package is put together."""

    def dependencies(self) -> list[str]:
        """Say what an isolated build environment must contain besides hatchling.

        Nothing, when the core is there and current, or can be built with what is there.
        """
        build = self._build_module()
        try:
            build.build()
        except build.BuildError:
            return [f"ziglang=={build.ZIG_VERSION}", UNEARTH_REQUIREMENT]
        return []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Build the core, and have it packed although git ignores it."""
        build = self._build_module()
        try:
            core = build.build()
        except build.BuildError as error:
            self.app.abort(f"error: {error}")
        packed = [core]
        if self.target_name == "sdist":
            packed.append(core.with_suffix(".stamp"))
        build_data["artifacts"] += [path.relative_to(self.root).as_posix() for path in packed]

    def _build_module(self) -> Any:
        """Import `wasm_core.build` of the tree that is being built; it is never installed."""
        if self.root not in sys.path:
            sys.path.insert(0, self.root)
        from wasm_core import build

        assert Path(build.__file__).is_relative_to(self.root), "another tree's core"
        return build
