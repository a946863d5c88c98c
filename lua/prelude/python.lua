-- What a session calls from outside, with arguments that the host keeps.
local prelude = ...

local data, make, need = prelude.data, prelude.table, prelude.need
local table_at, text_of = need("table_at"), need("text_of")
local error, getmetatable, load = error, getmetatable, load
local rawget, type, unpack = rawget, type, table.unpack

local python = {}

-- The table of the VM that keys lead to from `_G` on, read raw.
local function global_at(keys, count)
  -- The environment of a chunk is the globals themselves, whatever the program calls `_G`.
  local found, path = load("return _ENV")(), "_G"
  for place = 2, count do
    path = text_of(path, keys[place])
    found = rawget(found, keys[place])
    if type(found) ~= "table" then
      error(path .. " is " .. (found == nil and "nil" or "a " .. type(found)) .. ", not a table", 0)
    end
  end
  return found
end

-- The table in which the last key of a path is an entry, and that key. With `is_made` the root is
-- made if there is none.
local function place_of(arguments, is_made)
  local keys = arguments.keys
  local count = #keys
  if keys[1] == "_G" then return global_at(keys, count - 1), keys[count] end
  local above, path = {}, keys[1]
  for place = 1, count - 1 do
    above[place] = keys[place]
    if place > 1 then path = text_of(path, keys[place]) end
  end
  return table_at(above, path, is_made), keys[count]
end

function python.python_set()
  local arguments = data("arguments", {})
  local rows, key = place_of(arguments, true)
  rows[key] = arguments.value
end

-- As `python_set`; gives what was there before.
function python.python_change()
  local arguments = data("arguments", {})
  local rows, key = place_of(arguments, true)
  local previous = rawget(rows, key)
  rows[key] = arguments.value
  return previous
end

-- A new row of a table: under a key that is not there yet, or behind the list.
function python.python_add()
  local arguments = data("arguments", {})
  local keys, key = arguments.keys, arguments.key
  local rows = keys[1] == "_G" and global_at(keys, #keys) or table_at(keys, arguments.path, true)
  if key == nil then key = #rows + 1 end
  if rawget(rows, key) ~= nil then
    error("there is a row " .. text_of(arguments.path, key) .. " already", 0)
  end
  rows[key] = arguments.value
  return key
end

function python.python_delete()
  local arguments = data("arguments", {})
  local name = arguments.keys[1]
  if name ~= "_G" and not data("is_root", { name = name }) then return false end
  local rows, key = place_of(arguments)
  local was_there = rows[key] ~= nil
  -- What is not there need not be taken away, and would stand in the history; but a metatable may
  -- keep entries elsewhere.
  if was_there or getmetatable(rows) ~= nil then rows[key] = nil end
  return was_there
end

function python.python_batch()
  local results = need("batch")(data("arguments", {}))
  return unpack(results, 1, results.n)
end

-- Calls what stands at a path; `text` is how messages call that. Nothing that the program has done
-- to its globals matters.
function python.python_call(keys, text, ...)
  local name, value = keys[1], nil
  if data("is_root", { name = name }) then value = make(name) end
  for place = 2, #keys do
    if type(value) ~= "table" then
      value = nil
      break
    end
    value = value[keys[place]]
  end
  if type(value) ~= "function" then
    local meta = getmetatable(value)
    if type(meta) ~= "table" or not meta.__call then
      local what = value == nil and "nil" or "a " .. type(value)
      error(text .. " is " .. what .. ", not a function", 0)
    end
  end
  -- Not a tail call, which would leave a mark in tracebacks.
  return (function(...) return ... end)(value(...))
end

-- The function that a source is or gives: `function(row, key) ... end`, or what such a one does.
local function function_of(source, name)
  local chunk = load("return " .. source, name)
  if chunk then
    local given = chunk()
    if type(given) == "function" then return given end
    error("the source gives a " .. type(given) .. ", not a function", 0)
  end
  local body, problem = load("local row, key = ... " .. source, name)
  if not body then error(problem, 0) end
  return body
end

function python.python_migrate()
  local arguments = data("arguments", {})
  local done = need("migrate")(arguments.path, arguments.version,
    function_of(arguments.source, arguments.name), { dry_run = arguments.dry_run })
  return done.ran, done.rows, done.changes
end

return python
