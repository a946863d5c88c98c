"""Whoever catches everything, or suppresses something, says why, logs it or raises it again."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.project.files import PACKAGE

# A comment, but for one that only a tool reads.
_WORDS = re.compile(r"# (?!noqa)\w|# noqa: \w+ +[-(]")
EXPLAINS_ITSELF = {"FileNotFoundError"}
BROAD = {"Exception", "BaseException"}


def unexplained(source: str) -> list[int]:
    """The lines that catch or suppress without a word."""
    lines = source.split("\n")

    def is_said(line: int) -> bool:
        around = lines[max(line - 2, 0) : line + 1]  # The line above, it, and the one below.
        return any(_WORDS.search(text) for text in around)

    return [line for line in _catching(ast.parse(source)) if not is_said(line)]


def _catching(tree: ast.AST) -> Iterator[int]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ExceptHandler):
            if _is_broad(node.type) and not _tells(node):
                yield node.lineno
        elif isinstance(node, ast.With) and any(map(_suppresses, node.items)):
            yield node.lineno


def _suppresses(item: ast.withitem) -> bool:
    call = item.context_expr
    if not isinstance(call, ast.Call) or _name(call.func) != "suppress":
        return False
    return not {_name(one) for one in call.args} <= EXPLAINS_ITSELF


def _is_broad(kind: ast.expr | None) -> bool:
    if kind is None:
        return True
    kinds = kind.elts if isinstance(kind, ast.Tuple) else [kind]
    return any(_name(one) in BROAD for one in kinds)


def _tells(handler: ast.ExceptHandler) -> bool:
    """Whether the error is raised again, or logged with its traceback."""
    for node in ast.walk(handler):
        if isinstance(node, ast.Raise):
            return True
        if isinstance(node, ast.Call) and _name(node.func) == "exception":
            return True
        if isinstance(node, ast.keyword) and node.arg == "exc_info":
            return True
    return False


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


@pytest.mark.parametrize(
    "path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE))
)
def test_nothing_is_swallowed_without_a_word(path: Path) -> None:
    assert unexplained(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "try:\n    f()\nexcept Exception:\n    pass",
        "try:\n    f()\nexcept:\n    x = 1\n",
        "try:\n    f()\nexcept (OSError, BaseException) as error:\n    g(error)",
        "with suppress(OSError):\n    f()",
        "with contextlib.suppress(OSError):  # noqa: X1\n    f()",
    ],
)
def test_the_check_sees_what_is_swallowed(source: str) -> None:
    assert len(unexplained(source)) == 1


@pytest.mark.parametrize(
    "source",
    [
        "try:\n    f()\nexcept OSError:\n    pass",
        "try:\n    f()\nexcept Exception:  # It is no matter.\n    pass",
        "try:\n    f()\nexcept Exception:\n    logger.exception('It failed')",
        "try:\n    f()\nexcept Exception as error:\n    logger.error('It failed', exc_info=error)",
        "try:\n    f()\nexcept BaseException:\n    g()\n    raise",
        "# It may be gone.\nwith suppress(OSError):\n    f()",
        "with suppress(FileNotFoundError):\n    f()",
        "try:\n    f()\nexcept Exception:  # noqa: BLE001 - it is no matter\n    pass",
    ],
)
def test_the_check_allows_what_is_told(source: str) -> None:
    assert unexplained(source) == []
