"""Packages that load their names when they are first used, so that importing them costs little."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Collection


def names_from(
    package: str, names: Collection[str], modules: Collection[str]
) -> Callable[[str], object]:
    """The `__getattr__` of a package that has these names from these modules.

    A name is looked for in one module after the other, so those that load little come first.
    """

    def find(name: str) -> object:
        for module in modules if name in names else ():
            value: object = getattr(importlib.import_module(module, package), name, None)
            if value is not None:
                setattr(sys.modules[package], name, value)
                return value
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return find
