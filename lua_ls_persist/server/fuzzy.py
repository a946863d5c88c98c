"""How well a name fits what somebody typed to find it."""

from __future__ import annotations


def score(query: str, name: str) -> float | None:
    """The better the higher; None if the letters are not there in this order.

    Letters at the start of a word and next to one another count more, whole and early ones most.
    """
    if not query:
        return 0.0
    wanted, given = query.lower(), name.lower()
    at = given.find(wanted)
    if at >= 0:
        points = 100.0 - len(name) / 100
        if query in name:
            points += 10
        return points + (50 if at == 0 else 25 if not name[at - 1].isalnum() else 0)
    points, last, place = 0.0, -2, 0
    for letter in wanted:
        if letter.isspace():
            continue
        place = given.find(letter, last + 1 if last >= 0 else 0)
        if place < 0:
            return None
        is_start = place == 0 or not name[place - 1].isalnum() or _is_hump(name, place)
        points += 3 if place == last + 1 else 2 if is_start else 1
        last = place
    return points - len(name) / 100


def _is_hump(name: str, place: int) -> bool:
    return name[place].isupper() and name[place - 1].islower()
