"""Commands about stored data: looked at, asked, changed, brought in and out. One module an area.

Owns which commands each area has. An area is loaded when one of them is asked for, or after the
start: all of them are a sixth of what is to be loaded, and no client asks for one before it has its
first answer.
"""

from __future__ import annotations

from typing import Final

from lua_ls_persist.server.features.registry import COMMANDS

AREAS: Final = {
    "looking": ("tables", "inspect", "whole", "rows", "profile"),
    "charting": ("points",),
    "queries": ("query", "queryText", "count", "aggregate", "explain"),
    "changing": ("set", "delete", "dropTable", "addRow", "batch", "migrate"),
    "setting_many": ("setMany",),
    "indexes": ("indexes", "createIndex", "dropIndex", "rebuildIndex"),
    "schemas": ("schema", "setSchema", "deriveSchema", "checkSchemas"),
    "annotating": ("annotate",),
    "functions": ("functions", "function", "callFunction", "deleteFunction", "recompile"),
    "updating": ("updateFunction",),
    "history": ("history", "undo", "redo", "diff", "forgetHistory"),
    "previewing": ("previewImport",),
    "interchange": ("import", "export", "exportAll", "importAll", "backup", "restore"),
    "images": ("images", "saveImage", "restoreImage", "dropImage", "fork"),
    "upkeep": ("collect", "vacuum", "memory", "compress", "doctor"),
    "catalog": ("commands",),
}

for area, names in AREAS.items():
    COMMANDS.expect(f"{__name__}.{area}", names)
