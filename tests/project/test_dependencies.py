"""What the package imports is what it declares, and what is declared is pinned for development."""

from __future__ import annotations

import ast
import importlib
import re
import sys
from importlib.metadata import PackageNotFoundError, distribution, packages_distributions

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement

from tests.project.files import PACKAGE, ROOT

# pytest brings `tomli` where Python does not have it yet.
tomllib = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
CONSTRAINTS = (ROOT / "constraints.txt").read_text(encoding="utf-8")


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def project_of(requirement: str) -> str:
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert match is not None
    return normal(match[0])


DECLARED = {project_of(requirement) for requirement in PYPROJECT["project"]["dependencies"]}
PINNED = {
    normal(line.partition("==")[0]) for line in CONSTRAINTS.splitlines() if not line.startswith("#")
}


def test_the_package_imports_what_it_declares() -> None:
    imported = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                imported.add(node.module.partition(".")[0])
    imported -= sys.stdlib_module_names | {"lua_ls_persist"}
    projects = packages_distributions()  # Python 3.10 does not know all of them.
    assert {normal(projects.get(module, [module])[0]) for module in imported} == DECLARED


def test_every_direct_dependency_is_pinned() -> None:
    groups = PYPROJECT["dependency-groups"].values()
    wanted = DECLARED | {
        project_of(entry) for group in groups for entry in group if isinstance(entry, str)
    }
    assert wanted - PINNED == set()


def pins(python: str) -> dict[str, str]:
    """The pinned version of each project, for a version of Python."""
    found = {}
    for line in CONSTRAINTS.splitlines():
        pin, _, marker = line.partition("; ")
        if not line.startswith("#") and (
            not marker or Marker(marker).evaluate({"python_version": python})
        ):
            name, _, version = pin.partition("==")
            assert normal(name) not in found
            found[normal(name)] = version
    return found


def wanted_by(root: Requirement, python: str) -> list[Requirement]:
    """What an installed project asks for on a version of Python, with the extras of `root`."""
    environment = {"python_version": python, "python_full_version": f"{python}.9"}
    requirements = map(Requirement, distribution(root.name).requires or ())
    extras = [{**environment, "extra": extra} for extra in ("", *root.extras)]
    return [
        one for one in requirements if one.marker is None or any(map(one.marker.evaluate, extras))
    ]


@pytest.mark.parametrize("python", ["3.10", "3.11", "3.12", "3.13", "3.14"])
def test_the_pins_fit_together(python: str) -> None:
    """As far as what is installed here tells: pip looks at the same when it installs."""
    pinned = pins(python)
    groups = PYPROJECT["dependency-groups"].values()
    texts = [entry for group in groups for entry in group if isinstance(entry, str)]
    waiting = [*map(Requirement, [*PYPROJECT["project"]["dependencies"], *texts])]
    seen: set[tuple[str, ...]] = set()
    while waiting:
        one = waiting.pop()
        name = normal(one.name)
        assert name in pinned, f"{one} is needed"
        assert one.specifier.contains(pinned[name]), f"{one} is needed, {pinned[name]} is pinned"
        if (name, *one.extras) not in seen and is_installed(name, pinned[name]):
            seen.add((name, *one.extras))
            waiting += wanted_by(one, python)
    assert {("lsprotocol",), ("pytest",), ("cattrs",)} <= seen


def is_installed(name: str, version: str) -> bool:
    try:
        return distribution(name).version == version
    except PackageNotFoundError:
        return False  # For another version of Python, or another platform.


@pytest.mark.parametrize("line", CONSTRAINTS.splitlines())
def test_a_constraint_is_a_name_and_a_version(line: str) -> None:
    """No addresses: everybody installs from the index that their pip is configured with."""
    assert re.fullmatch(
        r'#.*|[a-z0-9.-]+==[0-9][0-9a-z.]*(; python_version (<|>=) "3\.\d+")?', line
    )


def test_the_zig_version_is_the_same_everywhere() -> None:
    from wasm_core.build import ZIG_VERSION

    assert f"ziglang=={ZIG_VERSION}" in PYPROJECT["dependency-groups"]["build"]
    assert f"ziglang=={ZIG_VERSION}\n" in CONSTRAINTS


def test_the_download_client_is_the_same_everywhere() -> None:
    from wasm_core.hatch_build import UNEARTH_REQUIREMENT

    assert UNEARTH_REQUIREMENT in PYPROJECT["dependency-groups"]["build"]
