"""Finding names by some of their letters."""

from __future__ import annotations

import pytest

from lua_ls_persist.server.fuzzy import score


def best(query: str, *names: str) -> list[str]:
    scored = [(points, name) for name in names if (points := score(query, name)) is not None]
    return [name for _, name in sorted(scored, key=lambda pair: -pair[0])]


@pytest.mark.parametrize(
    ("query", "names", "found"),
    [
        ("user", ["superuser", "user", "make_user", "users"], "user users make_user superuser"),
        ("mkusr", ["make_user", "mask", "marks"], "make_user"),
        ("mu", ["make_user", "mumble", "summum"], "mumble summum make_user"),
        ("MU", ["makeUser", "amaru"], "makeUser amaru"),
        ("M.f", ["M.f", "M.other", "f"], "M.f"),
        ("resu", ["user"], ""),
        ("a b", ["a_b", "b_a"], "a_b"),
    ],
)
def test_order(query: str, names: list[str], found: str) -> None:
    assert best(query, *names) == found.split()


def test_nothing_asked_for_is_everything() -> None:
    assert score("", "name") == 0
