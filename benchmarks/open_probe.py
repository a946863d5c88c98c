"""Measures one opening in this process, which nothing has warmed up, and prints it as JSON.

Run by `benchmarks.evaluate`, which chooses the folder for the compiled core.
"""

from __future__ import annotations

import json
import time


def main() -> None:
    times: dict[str, float] = {}
    start = time.perf_counter()

    def lap(name: str) -> None:
        nonlocal start
        times[name] = time.perf_counter() - start
        start = time.perf_counter()

    from lua_ls_persist.vm import Machine, load_core

    lap("import the vm package")
    first = Machine(load_core())
    lap("open a VM")
    second = Machine(load_core())
    lap("open a second VM")
    second.close()
    first.close()
    start = time.perf_counter()

    from lua_ls_persist.session import Session

    lap("import the session package besides")
    session = Session.open()
    lap("open a session")
    if not session.evaluate("return 1").ok:
        raise RuntimeError("the first evaluation failed")
    lap("first evaluation of a session")
    session.close()
    lap("close a session")
    print(json.dumps(times))


if __name__ == "__main__":
    main()
