"""`python -m lua_ls_persist` is the program `lua-ls-persist`."""

from __future__ import annotations

import sys

from lua_ls_persist.cli import main

if __name__ == "__main__":
    sys.exit(main())
