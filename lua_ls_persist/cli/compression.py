"""The command about compression."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from lua_ls_persist.cli.progress import shown
from lua_ls_persist.cli.stored import opened, told


def compress(table: str | None, db: Path | None, *, vacuum: bool, as_json: bool) -> int:
    """Compresses a table, or all."""
    with opened(db) as session, shown("Compressing") as progress:
        found = session.compress(
            table,
            on_progress=lambda done, total: (
                progress.part(done, total) if total else progress.count(done, "counting strings")
            ),
        )
        smaller_bytes = session.vacuum() if vacuum else 0
        sizes = session.sizes()
    lines = [
        f"{name}: {what.compressed} of {what.strings} strings are compressed, "
        f"{what.plain_bytes} bytes to {what.stored_bytes} ({what.ratio:.1f}:1)"
        for name, what in found.items()
    ]
    lines.append(
        f"The file has {sizes.file_bytes} bytes, {smaller_bytes} fewer than before."
        if vacuum
        else f"The file has {sizes.file_bytes} bytes; {sizes.free_bytes} of them are free. "
        "--vacuum gives them back."
    )
    facts = {
        "tables": {name: asdict(what) | {"ratio": what.ratio} for name, what in found.items()},
        "smaller_bytes": smaller_bytes,
        "file_bytes": sizes.file_bytes,
    }
    return told(facts, "\n".join(lines), as_json=as_json)
