"""What tests of repair share: a file with everything in it, damaged and repaired."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import apsw

from lua_ls_persist.store import Repaired, Store, repair
from lua_ls_persist.store.rows import FLOAT, FUNCTION, INTEGER, STRING, TABLE
from tests.store.helpers import BYTECODE, contents, fill, new_code, new_store
from tests.store.test_values import SCALARS, VALUES

PAGE = 4096


def filled(folder: Path, records: int = 300) -> tuple[Path, dict[str, list[tuple[Any, ...]]]]:
    """A file with some of everything, and what is in it."""
    with new_store(folder) as store:
        fill(store)
        with store.transaction():
            first = store.reserve(records + 100)
            ids = range(first, first + records)
            store.apply(
                [
                    *[(4, INTEGER, key, TABLE, key) for key in ids],
                    *[(key, STRING, "name", STRING, f"record {key}") for key in ids],
                    *[(key, STRING, "text", STRING, f"{key} " * 100) for key in ids],
                    *[(3, *key, INTEGER, 1) for key in SCALARS if key[0] != FUNCTION],
                    *[
                        (4, FLOAT, index + 0.5, *value)
                        for index, value in enumerate(VALUES)
                        if value[0] != FUNCTION
                    ],
                    (4, STRING, "huge", STRING, "huge " * 100_000),
                    (4, STRING, "key " * 5_000, INTEGER, 1),
                ],
                new_tables=[(key,) for key in ids],
            )
            for number in range(50):
                code = new_code(
                    number,
                    bytecode=BYTECODE * (number % 4),
                    text=f"return {number}\n" * number * 10,
                )
                function = first + records + number
                store.define_function(function, store.define_code(code), [11])
                store.apply([(4, STRING, f"f{number}", FUNCTION, function)])
        assert store.integrity() == []
        everything = contents(store)
        store.checkpoint()
    return folder / "session.db", everything


def repaired(path: Path) -> tuple[Repaired, dict[str, list[tuple[Any, ...]]]]:
    target = path.with_name("repaired.db")
    target.unlink(missing_ok=True)
    report = repair(path, target)
    with Store.open(target) as store:
        wrong = store.integrity()
        everything = contents(store)
        recovered = store.root("recovered", create=False)
    # What leads nowhere gets a name; that is not of the damaged file, and has a test of its own.
    for table, column in (("full_entries", 0), ("roots", 1)):
        everything[table] = [row for row in everything[table] if row[column] != recovered]
    # Damaged code stays, to be compiled again from its source.
    assert set(wrong) <= set(report.lost)
    assert [problem for problem in wrong if not problem.startswith("code ")] == []
    assert not list(path.parent.glob(".repair*"))
    return report, everything


def damage(path: Path, *pages: int) -> None:
    content = bytearray(path.read_bytes())
    for page in pages:
        content[(page - 1) * PAGE : page * PAGE] = b"\xff" * PAGE
    path.write_bytes(content)


def pages_of(path: Path) -> dict[str, list[int]]:
    """Which pages belong to what."""
    found: dict[str, list[int]] = {}
    connection = apsw.Connection(str(path))
    for name, page in connection.execute("SELECT name, pageno FROM dbstat ORDER BY pageno"):
        found.setdefault(str(name), []).append(int(page))
    connection.close()
    return found


def with_bytes(path: Path, old: bytes, new: bytes) -> None:
    """Damages the file where it has `old`."""
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new))
