"""The statuses that the program exits with."""

from __future__ import annotations

SUCCESS = 0
PROBLEM = 1
"""The Lua program has a problem, or a check of the doctor failed."""
TROUBLE = 2
"""The command line is wrong, or the session cannot be opened."""
INTERRUPTED = 130
"""Ctrl-C ended it: what shells report then."""
BROKEN_PIPE = 141
"""The reader of its output went away: what shells report then."""
