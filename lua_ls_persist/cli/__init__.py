"""The session's operations from a terminal: evaluate, a read-eval-print loop, serve, and a doctor.

Knows sessions, plain values and terminals. Knows nothing of LSP, WebAssembly or SQLite: `serve` and
`doctor` import what they name when they run.
"""

from __future__ import annotations

from lua_ls_persist.cli.program import main

__all__ = ["main"]
