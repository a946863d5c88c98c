"""How the file's format came to be, step by step. docs/store.md tells it to people.

Append only: a step that was released is never edited, because files made by it exist. The file's
`user_version` is the number of steps it has been through. Every table is STRICT.
"""

from __future__ import annotations

_META = (
    # Facts about the file itself, one a row, readable in any SQLite tool.
    """
    CREATE TABLE meta (
        name TEXT PRIMARY KEY,
        value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
)

# No foreign keys: an entry may come before the table it refers to, and looking each reference up
# would double the time of a large write. `Store.integrity` checks them.
_VALUES = (
    # What the numbers in the columns `kind` and `key_kind` mean.
    """
    CREATE TABLE kinds (
        kind INTEGER PRIMARY KEY,
        name TEXT NOT NULL,
        value TEXT NOT NULL
    ) STRICT
    """,
    """
    INSERT INTO kinds (kind, name, value) VALUES
        (0, 'nil', 'NULL; in cells only'),
        (1, 'boolean', '0 or 1'),
        (2, 'integer', 'the integer'),
        (3, 'float', 'the float; a NaN as the integer of its 64 bits'),
        (4, 'string', 'text if it is UTF-8 without a zero byte, a blob otherwise'),
        (5, 'function', 'functions.id'),
        (6, 'permanent', 'the name of a value that every VM has'),
        (7, 'table', 'tables.id'),
        (20, 'long string', 'long_strings.id')
    """,
    # next_id: tables, functions and cells share one sequence of ids. commits: how many
    # transactions changed the data. collections: how many removed what nothing reached.
    """
    CREATE TABLE counters (
        name TEXT PRIMARY KEY,
        value INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID
    """,
    "INSERT INTO counters (name, value) VALUES ('collections', 0), ('commits', 0), ('next_id', 2)",
    "CREATE TABLE tables (id INTEGER PRIMARY KEY, metatable INTEGER) STRICT",
    """
    CREATE TABLE roots (
        name TEXT PRIMARY KEY,
        table_id INTEGER NOT NULL UNIQUE
    ) STRICT, WITHOUT ROWID
    """,
    "INSERT INTO tables (id) VALUES (1)",
    "INSERT INTO roots (name, table_id) VALUES ('Memory', 1)",
    """
    CREATE TABLE entries (
        table_id INTEGER NOT NULL,
        key_kind INTEGER NOT NULL,
        key ANY NOT NULL,
        kind INTEGER NOT NULL,
        value ANY NOT NULL,
        PRIMARY KEY (table_id, key_kind, key)
    ) STRICT, WITHOUT ROWID
    """,
    # Apart, because large rows make a table WITHOUT ROWID slow. The owner is a table or a cell.
    """
    CREATE TABLE long_strings (
        id INTEGER PRIMARY KEY,
        owner INTEGER NOT NULL,
        content ANY NOT NULL
    ) STRICT
    """,
    "CREATE INDEX long_strings_owner ON long_strings (owner)",
    "CREATE TABLE cells (id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, value ANY) STRICT",
    # The same with long strings in their place: what to read from.
    """
    CREATE VIEW full_entries AS
        SELECT table_id, key_kind, key, CASE kind WHEN 20 THEN 4 ELSE kind END AS kind,
            CASE kind WHEN 20
                THEN (SELECT content FROM long_strings WHERE long_strings.id = value)
                ELSE value
            END AS value
        FROM entries
    """,
    """
    CREATE VIEW full_cells AS
        SELECT id, CASE kind WHEN 20 THEN 4 ELSE kind END AS kind,
            CASE kind WHEN 20
                THEN (SELECT content FROM long_strings WHERE long_strings.id = value)
                ELSE value
            END AS value
        FROM cells
    """,
    "CREATE TABLE functions (id INTEGER PRIMARY KEY, code_id INTEGER NOT NULL) STRICT",
    """
    CREATE TABLE function_cells (
        function_id INTEGER NOT NULL,
        position INTEGER NOT NULL,
        cell_id INTEGER NOT NULL,
        PRIMARY KEY (function_id, position)
    ) STRICT, WITHOUT ROWID
    """,
    # A text, or bytecode, is a zstd frame where `compressed` is 1; its length is without that.
    """
    CREATE TABLE sources (
        id INTEGER PRIMARY KEY,
        hash BLOB NOT NULL UNIQUE,
        chunk TEXT NOT NULL,
        text ANY,
        text_bytes INTEGER NOT NULL,
        compressed INTEGER NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE code (
        id INTEGER PRIMARY KEY,
        hash BLOB UNIQUE,
        source_id INTEGER NOT NULL,
        ordinal INTEGER NOT NULL,
        line_defined INTEGER NOT NULL,
        last_line INTEGER NOT NULL,
        parameters TEXT NOT NULL,
        is_vararg INTEGER NOT NULL,
        upvalues TEXT NOT NULL,
        bytecode BLOB NOT NULL,
        bytecode_bytes INTEGER NOT NULL,
        compressed INTEGER NOT NULL,
        bytecode_hash BLOB NOT NULL,
        signature BLOB NOT NULL
    ) STRICT
    """,
    "CREATE INDEX code_bytecode_hash ON code (bytecode_hash)",
    "CREATE INDEX code_source ON code (source_id)",
    """
    CREATE TABLE images (
        id INTEGER PRIMARY KEY,
        core_sha256 BLOB NOT NULL,
        state INTEGER NOT NULL,
        saved_utc TEXT NOT NULL,
        memory_bytes INTEGER NOT NULL,
        content_bytes INTEGER NOT NULL,
        segments TEXT NOT NULL,
        refers_to TEXT NOT NULL,
        codes TEXT NOT NULL,
        sources TEXT NOT NULL,
        evaluations INTEGER NOT NULL,
        details TEXT NOT NULL,
        signature BLOB NOT NULL
    ) STRICT
    """,
    """
    CREATE TABLE image_pieces (
        id INTEGER PRIMARY KEY,
        image_id INTEGER NOT NULL,
        content_bytes INTEGER NOT NULL,
        compressed INTEGER NOT NULL,
        content BLOB NOT NULL
    ) STRICT
    """,
    "CREATE INDEX image_pieces_image ON image_pieces (image_id)",
)

_VERSIONS = (
    # Which versions programs have migrated tables to; the path is a JSON list of keys.
    """
    CREATE TABLE table_versions (
        path TEXT NOT NULL,
        version INTEGER NOT NULL,
        migrated_utc TEXT NOT NULL,
        PRIMARY KEY (path, version)
    ) STRICT, WITHOUT ROWID
    """,
)

_SCHEMAS = (
    # `path` is a JSON list of keys, from a root's name on; `table_id` the table it leads to at
    # this moment.
    """
    CREATE TABLE schemas (
        id INTEGER PRIMARY KEY,
        path TEXT NOT NULL UNIQUE,
        definition TEXT NOT NULL,
        table_id INTEGER
    ) STRICT
    """,
    # Where the tables inside of a schema's table were put: see store/schema_rows.py.
    """
    CREATE TABLE schema_tables (
        table_id INTEGER NOT NULL,
        parent_id INTEGER NOT NULL,
        key_kind INTEGER NOT NULL,
        key ANY NOT NULL,
        PRIMARY KEY (table_id, parent_id, key_kind, key)
    ) STRICT, WITHOUT ROWID
    """,
)

# The table of an index is made with it, and called `index_` and its number.
_INDEXES = (
    """
    CREATE TABLE indexes (
        id INTEGER PRIMARY KEY,
        path TEXT NOT NULL,
        table_id INTEGER NOT NULL,
        fields TEXT NOT NULL,
        kind TEXT NOT NULL,
        is_unique INTEGER NOT NULL,
        each INTEGER NOT NULL,
        UNIQUE (path, fields, kind)
    ) STRICT
    """,
    # Which tables the rows of an indexed table consist of: what to look up when one is written to.
    """
    CREATE TABLE index_members (
        table_id INTEGER NOT NULL,
        member INTEGER NOT NULL,
        key_kind INTEGER NOT NULL,
        key ANY NOT NULL,
        PRIMARY KEY (table_id, member, key_kind, key)
    ) STRICT, WITHOUT ROWID
    """,
)

HISTORY = (
    # A row is an evaluation that changed the data; its number is that of the state it made, and
    # `created` the ranges of the ids it gave out. `unknown` tells how many commits the history had
    # not followed until then: where that is another number now, undoing it would be guesswork.
    """
    CREATE TABLE history (
        id INTEGER PRIMARY KEY,
        session TEXT NOT NULL,
        made_utc TEXT NOT NULL,
        name TEXT NOT NULL,
        source ANY NOT NULL,
        source_bytes INTEGER NOT NULL,
        entries_set INTEGER NOT NULL,
        entries_deleted INTEGER NOT NULL,
        tables_made INTEGER NOT NULL,
        functions_made INTEGER NOT NULL,
        upvalues_set INTEGER NOT NULL,
        created TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        unknown INTEGER NOT NULL,
        is_whole INTEGER NOT NULL,
        is_undone INTEGER NOT NULL
    ) STRICT
    """,
    "CREATE INDEX history_undone ON history (id) WHERE is_undone",
    # What was there before an evaluation, for all that it changed in what was there; after it was
    # undone, what there was before that. kind 0: there was nothing.
    """
    CREATE TABLE history_changes (
        evaluation INTEGER NOT NULL,
        target INTEGER NOT NULL,
        id INTEGER NOT NULL,
        key_kind INTEGER NOT NULL,
        key ANY NOT NULL,
        kind INTEGER NOT NULL,
        value ANY,
        PRIMARY KEY (evaluation, target, id, key_kind, key)
    ) STRICT, WITHOUT ROWID
    """,
    # For collection, which spares what the history refers to.
    """
    CREATE INDEX history_references ON history_changes (value, key)
    WHERE kind IN (5, 7) OR key_kind IN (5, 7)
    """,
    "INSERT INTO counters (name, value) VALUES ('followed', 0)",
)

_COMPRESSION = (
    # How `content` is compressed: 0 not at all, 1 with zstd, and above with the dictionary of that
    # number. `plain_bytes` is how long it is without that.
    "ALTER TABLE long_strings ADD COLUMN method INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE long_strings ADD COLUMN plain_bytes INTEGER",
    # What strings were compressed with is kept for ever.
    """
    CREATE TABLE dictionaries (
        id INTEGER PRIMARY KEY,
        made_utc TEXT NOT NULL,
        hash BLOB NOT NULL,
        content BLOB NOT NULL
    ) STRICT
    """,
    # What came of compressing a table, when that was last done.
    """
    CREATE TABLE compressions (
        table_id INTEGER PRIMARY KEY,
        made_utc TEXT NOT NULL,
        dictionary INTEGER NOT NULL,
        strings INTEGER NOT NULL,
        compressed INTEGER NOT NULL,
        plain_bytes INTEGER NOT NULL,
        stored_bytes INTEGER NOT NULL
    ) STRICT
    """,
    """
    INSERT INTO kinds (kind, name, value) VALUES
        (21, 'packed string', 'a method as in long_strings, then a zstd frame without its magic')
    """,
    # SQLite cannot look into what is compressed: the views say that it is. Sessions have views of
    # their own in the place of these.
    "DROP VIEW full_entries",
    "DROP VIEW full_cells",
    """
    CREATE VIEW full_entries AS
        SELECT table_id, key_kind, key,
            CASE kind WHEN 20 THEN 4 WHEN 21 THEN 4 ELSE kind END AS kind,
            CASE kind
                WHEN 20 THEN (
                    SELECT CASE method WHEN 0 THEN content
                        ELSE '(compressed, ' || plain_bytes || ' bytes)' END
                    FROM long_strings WHERE long_strings.id = value)
                WHEN 21 THEN '(compressed)'
                ELSE value
            END AS value
        FROM entries
    """,
    """
    CREATE VIEW full_cells AS
        SELECT id, CASE kind WHEN 20 THEN 4 ELSE kind END AS kind,
            CASE kind
                WHEN 20 THEN (
                    SELECT CASE method WHEN 0 THEN content
                        ELSE '(compressed, ' || plain_bytes || ' bytes)' END
                    FROM long_strings WHERE long_strings.id = value)
                ELSE value
            END AS value
        FROM cells
    """,
)

_HASHED_STRINGS = (
    # What the rows of an index are: since 2, hash indexes of elements have the strings, too. Those
    # that are older do not answer whether a string has another one in it, until they are rebuilt.
    "ALTER TABLE indexes ADD COLUMN revision INTEGER NOT NULL DEFAULT 1",
)

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    _META,
    _VALUES,
    _VERSIONS,
    _SCHEMAS,
    _INDEXES,
    HISTORY,
    _COMPRESSION,
    _HASHED_STRINGS,
)
"""The steps in order; each is the SQL statements of one transaction."""

FORMAT_VERSION = len(MIGRATIONS)
"""What `user_version` says of a file of the present format."""
