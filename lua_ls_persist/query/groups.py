"""Which groups of rows are told where not all of them are to be."""

from __future__ import annotations

import math
from collections.abc import Sequence

from lua_ls_persist.model import AggregateGroup


def greatest_first(groups: Sequence[AggregateGroup]) -> list[AggregateGroup]:
    """Groups in the order of their results, so that the first ones can stand for all."""
    return sorted(groups, key=_result, reverse=True)


def _result(group: AggregateGroup) -> float:
    """The first number that was asked for."""
    for found in (group.avg, group.sum, group.max, group.min, group.count):
        if isinstance(found, (int, float)) and not math.isnan(found):
            return found
    return -math.inf
