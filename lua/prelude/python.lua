-- What a session calls from outside, with arguments that the host keeps.
local prelude = ...

local data, need = prelude.data, prelude.need
local table_at, text_of = need("table_at"), need("text_of")
local error, load, type, unpack = error, load, type, table.unpack

local python = {}

-- The table in which the last key of a path is an entry, and that key.
local function place_of(arguments)
  local keys = arguments.keys
  local count = #keys
  local above, path = {}, keys[1]
  for place = 1, count - 1 do
    above[place] = keys[place]
    if place > 1 then path = text_of(path, keys[place]) end
  end
  return table_at(above, path, true), keys[count]
end

function python.python_set()
  local arguments = data("arguments", {})
  local rows, key = place_of(arguments)
  rows[key] = arguments.value
end

function python.python_delete()
  local rows, key = place_of(data("arguments", {}))
  local was_there = rows[key] ~= nil
  rows[key] = nil
  return was_there
end

function python.python_batch()
  local results = need("batch")(data("arguments", {}))
  return unpack(results, 1, results.n)
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
