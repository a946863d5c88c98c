-- ext.migrate: each version of a table is made from the one before once, row by row, or not at all.
local prelude = ...

local data, fail, flush = prelude.data, prelude.fail, prelude.flush
local is_external, transaction = prelude.is_external, prelude.transaction
local need = prelude.need
local ask, bad_argument = need("ask"), need("bad_argument")
local table_at, text_of = need("table_at"), need("text_of")
local error, math_type, next, pcall, type = error, math.type, next, pcall, type
local rawequal = rawequal

local ROWS_BETWEEN_REPORTS = 250
local CHANGES_SHOWN_MAX = 100
local COPY_DEPTH_MAX = 8
local NO_MEMORY = "not enough memory"

-- What a value is worth telling of it after everything has been undone: plain tables and scalars.
local function copied(value, depth)
  local kind = type(value)
  if kind ~= "table" then
    if kind == "number" or kind == "string" or kind == "boolean" then return value end
    return kind
  end
  if depth == 0 then return "table" end
  local copy = {}
  for key, field in next, value do
    if type(key) ~= "table" and type(key) ~= "function" and type(key) ~= "userdata" then
      copy[key] = copied(field, depth - 1)
    end
  end
  return copy
end

-- As what is stored: 1 and 1.0 are not the same, NaN is.
local function is_same(left, right)
  if type(left) ~= "table" or type(right) ~= "table" then
    if math_type(left) ~= math_type(right) then return false end
    return rawequal(left, right) or (left ~= left and right ~= right)
  end
  for key, value in next, left do
    if not is_same(value, right[key]) then return false end
  end
  for key in next, right do
    if left[key] == nil then return false end
  end
  return true
end

local function look(report, rows, key, before)
  local after = rows[key]
  if after ~= nil then after = copied(after, COPY_DEPTH_MAX) end
  if is_same(before, after) then return end
  report.changed = report.changed + 1
  if report.changed <= CHANGES_SHOWN_MAX then
    report.changes[report.changed] = { key = copied(key, 0), before = before, after = after }
  end
end

-- Runs the function for each row. Calls `at` before each.
local function go_through(rows, change, total, report, at)
  local is_shown = report.changes ~= nil
  for key, row in next, rows do
    at(key)
    local before
    if is_shown then before = copied(row, COPY_DEPTH_MAX) end
    local replacement = change(row, key)
    if replacement ~= nil then rows[key] = replacement end
    report.rows = report.rows + 1
    if is_shown then look(report, rows, key, before) end
    if report.rows % ROWS_BETWEEN_REPORTS == 0 then
      data("progress", { done = report.rows, total = total })
    end
  end
end

local function check(version, change, options)
  if math_type(version) ~= "integer" or version < 1 then
    fail("bad argument #2 to 'migrate' (a version is a whole number from 1 on)")
  end
  if type(change) ~= "function" then bad_argument(3, "migrate", "function", change) end
  if options ~= nil and type(options) ~= "table" then
    bad_argument(4, "migrate", "table of options", options)
  end
end

-- The table, its keys, and its path. A dry run makes no table: then there is none.
local function table_and_path(where, is_dry)
  if is_external(where) then
    flush()
    local path = ask("path_of", { table = where })
    return where, ask("keys", { path = path }), path
  end
  if type(where) ~= "string" then
    bad_argument(1, "migrate", "path or external table", where)
  end
  local keys = ask("keys", { path = where })
  if is_dry and #keys == 1 and not ask("is_root", { name = keys[1] }) then return nil end
  local ok, found = pcall(table_at, keys, where, true)
  if not ok then fail(found) end
  return found, keys, where
end

-- All of it, inside of a transaction.
local function run(rows, keys, path, version, change, report)
  local key
  local total = data("migration_begins", { keys = keys, version = version, table = rows })
  local function at(present) key = present end
  local ok, problem = pcall(go_through, rows, change, total, report, at)
  if ok then
    key = nil
    ok, problem = pcall(function()
      flush()
      local conflict = data("check_unique", {})
      if conflict then
        key = conflict.keys[2]
        error(conflict.message, 0)
      end
    end)
  end
  if not ok then
    if type(problem) ~= "string" or problem == NO_MEMORY then error(problem, 0) end
    local row = key == nil and "" or ", row " .. text_of(path, key)
    error(problem .. " (migrating " .. path .. " to version " .. version .. row .. ")", 0)
  end
  data("progress", { done = report.rows, total = total })
end

local migrate = {}

function migrate.migrate(where, version, change, options)
  check(version, change, options)
  local is_dry = options ~= nil and options.dry_run
  local rows, keys, path = table_and_path(where, is_dry)
  if rows == nil then return { ran = false, rows = 0, changed = 0, changes = {} } end
  if ask("version_is_done", { keys = keys, version = version }) then
    return { ran = false, rows = 0, changes = is_dry and {} or nil }
  end
  if not is_dry then
    return transaction(function()
      local report = { ran = true, rows = 0 }
      run(rows, keys, path, version, change, report)
      return report
    end)
  end
  data("kept", {})
  local _, problem = pcall(transaction, function()
    local report = { ran = false, rows = 0, changed = 0, changes = {} }
    run(rows, keys, path, version, change, report)
    -- The host keeps it while everything here is undone.
    data("keep", { value = report })
    error("undone", 0)
  end)
  return data("kept", {}) or error(problem, 0)
end

return migrate
