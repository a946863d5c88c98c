"""Processes that are killed while they write: what they reported as done is there, whole."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lua_ls_persist.errors import StoreError
from lua_ls_persist.store import Store
from lua_ls_persist.store.rows import INTEGER, STRING, TABLE

KILLS = 25
KILLS_SOAK = 500

# Writes number after number, ten entries each and a table with a long string, says so, goes on.
WRITER = """
import sys
from pathlib import Path
from lua_ls_persist.errors import StoreChangedError
from lua_ls_persist.store import NewCode, Store
store = Store.open(Path(sys.argv[1]), busy_timeout_ms=60_000)
name = sys.argv[2]
while True:
    for write in (False, True):
        try:
            store.begin(write=write)
            store.changed_by_others()
            root = store.root(name, create=True)
            number = store.length(root) + 1
            table = store.reserve(3)
            code = store.define_code(NewCode(b"code %d" % number, "@x", "text", 1, 1, 1))
            store.apply(
                [(table, 2, key, 2, number) for key in range(10)]
                + [(table, 4, "long", 4, f"{number} " * 500), (root, 2, number, 7, table),
                   (root, 4, "f", 5, table + 1)],
                new_tables=[(table,)],
                cells=[(table + 2, 2, number)],
            )
            store.define_function(table + 1, code, [table + 2])
            store.savepoint()
            store.clear_table(root)
            store.rollback_to()
            store.commit()
        except StoreChangedError:
            store.rollback()
            continue
        break
    print(number, flush=True)
    if number % 7 == 0:
        store.collect_step(lambda: [])
    if number % 11 == 0:
        store.checkpoint()
"""


def start(path: Path, name: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), name],
        bufsize=0,  # what readline does not return is left to communicate
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def reported(process: subprocess.Popen[bytes]) -> int:
    """Kills a writer; the last number that it has reported, after its first line was read."""
    process.kill()
    output, errors = process.communicate(timeout=60)
    assert errors == b""
    lines = output.splitlines(keepends=True)
    whole = [int(line) for line in lines if line.endswith(b"\n")]
    return whole[-1] if whole else 0


def check(store: Store, name: str, at_least: int) -> int:
    """What a writer has written is whole, and not less than it has reported. How much it is."""
    root = store.root(name, create=False)
    if root == 0:
        assert at_least == 0
        return 0
    count = store.length(root)
    assert count >= at_least
    for number in range(1, count + 1):
        value = store.get(root, INTEGER, number)
        assert value is not None
        assert value[0] == TABLE
        table = value[1]
        assert isinstance(table, int)
        rows = store.page(table, None, 20, 1 << 20).rows
        assert rows == [
            *[(INTEGER, key, INTEGER, number) for key in range(10)],
            (STRING, "long", STRING, f"{number} " * 500),
        ]
    if count:
        _, function_id = store.get(root, STRING, "f") or (0, 0)
        assert isinstance(function_id, int)
        function = store.function(function_id)
        assert function is not None
        assert [cell[2] for cell in function.cells] == [count]
        code = store.code(function.code_id)
        assert code is not None
        assert code.signed
        assert code.bytecode == b"code %d" % count
    return count


def kill_often(folder: Path, writers: int, kills: int, seed: int) -> None:
    rng = random.Random(seed)
    path = folder / "session.db"
    done = dict.fromkeys([f"writer {number}" for number in range(writers)], 0)
    for _ in range(kills):
        processes = {name: start(path, name) for name in done}
        for process in processes.values():  # at work, all of them
            assert process.stdout is not None
            process.stdout.readline()
        time.sleep(rng.random() * 0.05)
        last = {name: reported(process) for name, process in processes.items()}
        with Store.open(path, busy_timeout_ms=60_000) as store:
            assert store.integrity() == []
            for name in done:
                done[name] = check(store, name, max(done[name], last[name]))
    assert all(count >= kills for count in done.values())


@pytest.mark.slow
@pytest.mark.parametrize("writers", [1, 2, 3])
def test_killed_writers_leave_whole_evaluations(tmp_path: Path, writers: int) -> None:
    kill_often(tmp_path, writers, KILLS // writers, seed=writers)


@pytest.mark.soak
@pytest.mark.parametrize("writers", [1, 2, 3])
def test_many_killed_writers(tmp_path: Path, writers: int) -> None:
    seed = time.time_ns()
    print(f"seed {seed}")
    kill_often(tmp_path, writers, KILLS_SOAK // writers, seed)


def test_two_processes_race_and_none_loses(tmp_path: Path) -> None:
    """Both count in one entry; what one of them reports, the other one sees."""
    program = """
import sys
from pathlib import Path
from lua_ls_persist.errors import StoreChangedError
from lua_ls_persist.store import Store
store = Store.open(Path(sys.argv[1]), busy_timeout_ms=60_000)
races = 0
for _ in range(100):
    for attempt in range(5):
        try:
            store.begin(write=attempt == 4)
            store.changed_by_others()
            value = store.get(1, 4, "n")
            store.apply([(1, 4, "n", 2, (value[1] if value else 0) + 1)])
            store.commit()
            break
        except StoreChangedError:
            store.rollback()
            races += 1
print(races)
"""
    path = tmp_path / "session.db"
    Store.open(path).close()
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program, str(path)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    results = [process.communicate(timeout=120) for process in processes]
    assert [errors for _, errors in results] == [""] * 3
    with Store.open(path) as store:
        assert store.get(1, STRING, "n") == (INTEGER, 300)
        assert store.state == 300


def test_a_writer_in_another_process_is_told(tmp_path: Path) -> None:
    path = tmp_path / "session.db"
    program = """
import sys
from pathlib import Path
from lua_ls_persist.store import Store
store = Store.open(Path(sys.argv[1]))
store.begin(write=True)
print(flush=True)
sys.stdin.read()
"""
    holder = subprocess.Popen(
        [sys.executable, "-c", program, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert holder.stdout is not None
        holder.stdout.readline()
        with (
            Store.open(path, busy_timeout_ms=20) as store,
            pytest.raises(StoreError, match="is locked by another program"),
        ):
            store.begin(write=True)
    finally:
        holder.kill()
        holder.communicate()
    with Store.open(path) as store:
        store.begin(write=True)
        store.rollback()
