"""Compressing stored tables, from Python."""

from __future__ import annotations

from lua_ls_persist.errors import SessionError
from lua_ls_persist.model import TableCompression
from lua_ls_persist.paths import Path, told_path
from lua_ls_persist.session.life import Life
from lua_ls_persist.session.runner import Runner
from lua_ls_persist.session.services import OnProgress
from lua_ls_persist.session.tables import table_id_at


class CompressingData:
    """The part of a session that compresses."""

    _life: Life

    def compress(
        self, table: Path | None = None, *, on_progress: OnProgress | None = None
    ) -> dict[str, TableCompression]:
        """Compress the strings of a table, and of the tables in it, or of all named tables.

        A dictionary is made of the table's own strings, so it pays for short ones, too. All of it
        or nothing. No data change, so it is not in the history. What is written later is plain
        until this is done again; `vacuum` then gives the space back to the disk.

        Args:
            table: its path, such as `users` or `Memory.log`; None for all named tables.
            on_progress: hears how many strings of how many are done, on the VM's thread; of 0
                while they are counted.

        Returns:
            what came of it, by the tables' paths.

        Raises:
            QueryError: there is no such table.
            StoreError: a string cannot be read, or the file cannot be written.
            SessionError: `table` is no path; or it was interrupted, and nothing was changed.
        """

        def compress(runner: Runner) -> dict[str, TableCompression]:
            def go_on(done: int, total: int) -> None:
                if on_progress is not None:
                    on_progress(done, total)
                if runner.machine.stopping:
                    raise SessionError("compressing was interrupted")

            with (
                runner.interruptible("compressing"),
                runner.persistence.own_transaction(changes_entries=False) as store,
            ):
                names = {root.table_id: root.name for root in store.roots()}
                table_id = None
                if table is not None:
                    table_id = table_id_at(store, table)
                    names = {table_id: told_path(table)}
                found = store.compress(table_id, on_progress=go_on)
                return {names[compressed_id]: what for compressed_id, what in found}

        return self._life.call(compress)
