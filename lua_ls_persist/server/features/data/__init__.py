"""Commands about stored data: looked at, asked, changed, brought in and out. One module an area."""

from __future__ import annotations

from lua_ls_persist.server.features.data import (
    annotating,
    catalog,
    changing,
    charting,
    functions,
    history,
    images,
    indexes,
    interchange,
    looking,
    previewing,
    queries,
    schemas,
    setting_many,
    updating,
    upkeep,
)

AREAS = (
    looking,
    charting,
    queries,
    changing,
    setting_many,
    indexes,
    schemas,
    annotating,
    functions,
    updating,
    history,
    previewing,
    interchange,
    images,
    upkeep,
    catalog,
)
"""They add their commands when they are imported."""
