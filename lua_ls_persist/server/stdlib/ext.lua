-- The library `ext`, and `Memory`: what this VM adds to Lua.

--- The default root: whatever is reached from here is stored, nested tables, functions and their upvalues
--- included, and is there again after a restart.
Memory = {}

--- External tables and what can be done with them: queries, indexes, schemas, transactions.
ext = {}

--- Facts about the rows of a table: `count = true`, or a field as `sum`, `min`, `max` or `avg`; of those that
--- match `where`, and with `group_by` (a field or several) for each group of them.
function ext.aggregate(table, spec) end

--- Does up to 10,000 operations, all or none, and returns their results in order. Each is
--- `{ op = "set", table = "users", key = "ann", value = ... }`; ops are set, get, delete, query, count.
function ext.batch(operations) end

--- What does not follow its schema, in a table or in all: a list of `{ path =, expected =, got = }`.
function ext.check_schemas(table) end

--- Removes from the file what nothing reaches any more. Sessions do it by themselves when they are idle.
function ext.collect() end

--- Writes the strings of a table, and of the tables in it, shorter, by a dictionary of what they have in common.
--- Returns what that saves. Without an argument: of all named tables.
function ext.compress(table) end

--- How many rows of a table match `spec.where`; all of them without it.
function ext.count(table, spec) end

--- A schema that all rows of the table follow, made from these rows. It is not set.
function ext.derive_schema(table) end

--- Takes a root's name away; whether there was one. Its rows go once they can no longer be undone.
function ext.drop(name) end

--- Removes the index of these fields.
function ext.drop_index(table, fields, options) end

--- How a query is answered: the `index` (nil: all rows are looked at), `rows_examined`, `rows_returned`.
function ext.explain(table, spec) end

--- The stored functions by path: a list of `{ path =, name =, parameters =, location =, id = }`.
function ext.functions() end

--- The newest evaluations that changed what is stored, at most `limit`.
function ext.history(limit) end

--- Makes an index of one field or of a list of up to 8, so that queries need not look at all rows. Options:
--- `kind` (`"btree"`, `"hash"` or `"text"`), `unique`, `each` (one entry for each element of a list).
function ext.index(table, fields, options) end

--- The indexes of a table, or all: a list of `{ name =, table =, fields =, kind =, unique =, each =, rows = }`.
function ext.indexes(table) end

--- `{ name =, entries =, id = }` of a root or an external table; nil if there is none.
function ext.info(table) end

--- What the VM uses and what the file holds: `{ lua_bytes =, file_bytes =, tables =, entries =, functions = }`.
function ext.memory() end

--- Brings the rows of a table to a version, once: `f(row, key)` is called for each, in one transaction. With
--- `dry_run = true` in the options it is undone, and tells what would change.
function ext.migrate(table, version, f, options) end

--- Has a value stored by this name, not by its content, as it is done with the functions of the libraries.
--- Register it again in each session before what refers to it is used.
function ext.permanent(name, value) end

--- The rows of a table that match `spec.where`, such as `{ "age", ">", 30 }` or a list of such. Also:
--- `order_by`, `descending`, `limit`, `after` (the cursor of the page before), `select` (fields). Each row has
--- `key` and `value`.
function ext.query(table, spec) end

--- Makes an index anew from the rows: only needed when somebody has written to the file by hand.
function ext.rebuild_index(table, fields, options) end

--- Says what the rows of a table look like; assignments that do not follow are errors from then on. Without a
--- definition: what was said; with false it is taken back.
function ext.schema(table, definition) end

--- A table's schema as LuaCATS annotations (`---@class`); nil if it has none.
function ext.schema_annotations(table) end

--- The definitions of all schemas, by the paths of their tables.
function ext.schemas() end

--- Sets a table's schema from LuaCATS annotations, and returns the name of the class.
function ext.set_schema_annotations(table, text, class) end

--- The root of that name, made on first use: what is put into it is stored. Without a name: a new external
--- table that lives as long as something reaches it.
function ext.table(name) end

--- All roots by name: a list of `{ name =, entries = }`.
function ext.tables() end

--- Calls `f` with the other arguments, and returns what it returns. If it raises an error, everything it did is
--- undone, in the VM and in the store, and the error goes on.
function ext.transaction(f, ...) end
