"""Which names of a large table fit what somebody typed.

Owns the order in which names are offered, and the search for letters inside of them. A table of
10,000 globals is asked at every key press, so it is put in order once, and then nothing is done by
a loop over all of it.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import accumulate, chain, islice

_BEHIND_ALL = "\U0010ffff"
_SEPARATOR = "\n"
_STAND_IN = "\r"
"""For a separator inside of a name; what is typed has neither."""


class Names:
    """The keys of a table that are strings, by their places in the list of its keys."""

    def __init__(self, keys: Sequence[object]) -> None:
        self._keys = keys

    @cached_property
    def known(self) -> frozenset[str]:
        """All of them."""
        return frozenset(key for key in self._keys if isinstance(key, str))

    def fitting(self, typed: str, limit: int) -> list[int]:
        """The places of names that have what was typed in them, in this order; at most so many.

        The best first: those that begin so, of each sort those with an underscore in front last.
        """
        folded = typed.lower()
        found = list(islice(chain.from_iterable(p.beginning(folded) for p in self._parts), limit))
        if folded and len(found) < limit:
            inside = chain.from_iterable(part.having(folded) for part in self._parts)
            found += islice(inside, limit - len(found))
        return found

    @cached_property
    def _parts(self) -> tuple[_Part, _Part]:
        """Those without an underscore in front, and those with one."""
        named = [(key.lower(), at) for at, key in enumerate(self._keys) if isinstance(key, str)]
        named.sort()
        return (
            _Part([one for one in named if not one[0].startswith("_")]),
            _Part([one for one in named if one[0].startswith("_")]),
        )


class _Part:
    """Some names in the order of the alphabet, in small letters."""

    def __init__(self, named: Sequence[tuple[str, int]]) -> None:
        self._labels = [label for label, _ in named]
        self._places = [at for _, at in named]

    def beginning(self, folded: str) -> Sequence[int]:
        """Those that begin so."""
        return self._places[slice(*self._range(folded))]

    def having(self, folded: str) -> Iterator[int]:
        """Those that do not begin so, and have these letters in this order."""
        first, behind = self._range(folded)
        # A letter is looked for up to its first place only, so that a name which does not fit is
        # left as soon as it is read: with `.*?` each combination of places would be tried.
        letters = (f"[^{_SEPARATOR}{re.escape(one)}]*{re.escape(one)}" for one in folded)
        for match in re.finditer("^" + "".join(letters), self._text, re.MULTILINE):
            index = bisect_right(self._starts, match.start()) - 1
            if not first <= index < behind:
                yield self._places[index]

    def _range(self, folded: str) -> tuple[int, int]:
        return (
            bisect_left(self._labels, folded),
            bisect_right(self._labels, folded + _BEHIND_ALL),
        )

    @cached_property
    def _text(self) -> str:
        return _SEPARATOR.join(one.replace(_SEPARATOR, _STAND_IN) for one in self._labels)

    @cached_property
    def _starts(self) -> list[int]:
        return list(accumulate((len(label) + 1 for label in self._labels), initial=0))
