-- ext.batch: many operations as one transaction, with their results in order.
local prelude = ...

local data, fail, flush = prelude.data, prelude.fail, prelude.flush
local is_external, transaction = prelude.is_external, prelude.transaction
local need = prelude.need
local table_at, text_of = need("table_at"), need("text_of")
local error, getmetatable, next, pcall = error, getmetatable, next, pcall
local rawget, type = rawget, type
local sub = string.sub

local OPERATIONS_MAX = 10000
local OPERATIONS_BETWEEN_REPORTS = 500
local NO_MEMORY = "not enough memory"

-- `known` is what a batch has found out: tables that stay what they are, and the keys of paths.
local function target(operation, known, is_made)
  local where = operation.table
  local found = known.tables[where]
  if found then return found end
  if is_external(where) then
    known.tables[where] = where
    return where
  end
  if type(where) ~= "string" then
    error("its table is a " .. type(where) .. ", not a path or an external table", 0)
  end
  local keys = known.keys[where]
  if not keys then
    keys = data("keys", { path = where })
    known.keys[where] = keys
  end
  local name = keys[1]
  found = table_at(keys, where, is_made, known.roots[name])
  known.roots[name] = true
  -- A longer path may lead elsewhere by the next operation.
  if #keys == 1 then known.tables[where] = found end
  return found
end

local function key_of(operation)
  local key = operation.key
  if key == nil then error("it has no key", 0) end
  return key
end

-- The operations by name. Each gives its result.
local perform = {}

function perform.set(operation, known)
  local key, value = key_of(operation), operation.value
  if value == nil then error("it has no value; the operation delete takes an entry away", 0) end
  target(operation, known, true)[key] = value
  return true
end

-- As `set`, where nothing may be yet; without a key behind the list. Gives the key.
function perform.insert(operation, known)
  local key, value = operation.key, operation.value
  if value == nil then error("it has no value", 0) end
  local rows = target(operation, known, true)
  if key == nil then key = #rows + 1 end
  if rawget(rows, key) ~= nil then
    local where = operation.table
    if type(where) ~= "string" then where = "table" end
    error("there is a row " .. text_of(where, key) .. " already", 0)
  end
  rows[key] = value
  return key
end

function perform.get(operation, known)
  return target(operation, known)[key_of(operation)]
end

function perform.delete(operation, known)
  local rows, key = target(operation, known), key_of(operation)
  local was_there = rows[key] ~= nil
  -- What is not there need not be taken away; but a metatable may keep entries elsewhere.
  if was_there or getmetatable(rows) ~= nil then rows[key] = nil end
  return was_there
end

function perform.update(operation, known)
  local fields = operation.value
  if type(fields) ~= "table" then
    error("its value is a " .. type(fields) .. ", not a table of fields", 0)
  end
  local row = target(operation, known)[key_of(operation)]
  if row == nil then return false end
  if type(row) ~= "table" then error("the row is a " .. type(row) .. ", not a table", 0) end
  for field, value in next, fields do
    row[field] = value
  end
  return true
end

function perform.query(operation)
  return need("query_of")(operation)
end

function perform.count(operation)
  return need("count_of")(operation)
end

-- How messages call an operation: `set users.bob`.
local function described(operation)
  if type(operation) ~= "table" then return "a " .. type(operation) end
  local name, where = operation.op, operation.table
  if type(name) ~= "string" then name = "no operation" end
  if type(where) ~= "string" then where = "table" end
  local key = operation.key
  return name .. " " .. (key == nil and where or text_of(where, key))
end

local function one(operation, known)
  if type(operation) ~= "table" then error("an operation is a table", 0) end
  local name = operation.op
  local performed = type(name) == "string" and perform[name]
  if not performed then
    error("op is not one of set, insert, get, delete, update, query and count", 0)
  end
  return performed(operation, known)
end

-- Whether an operation writes what an index looks at, if it is about the right row.
local function writes(operation, parts)
  if operation.op == "set" or operation.op == "insert" then return true end
  if operation.op ~= "update" then return false end
  for _, part in next, parts do
    if operation.value[part] ~= nil then return true end
  end
  return false
end

-- The number of the last operation that wrote one of the rows of a conflict; 0 if none did.
local function writer_of(operations, results, known, conflict)
  for number = results.n, 1, -1 do
    local operation = operations[number]
    local written = operation.key
    if written == nil then written = results[number] end
    if writes(operation, conflict.parts) and target(operation, known) == conflict.table then
      for _, key in next, conflict.keys do
        if key == written then return number end
      end
    end
  end
  return 0
end

local batch = {}

function batch.batch(operations)
  if type(operations) ~= "table" then
    need("bad_argument")(1, "batch", "list of operations", operations)
  end
  local count = #operations
  if count > OPERATIONS_MAX then
    fail("a batch has at most " .. OPERATIONS_MAX .. " operations; this one has " .. count)
  end
  return transaction(function()
    local results, known, number = { n = count }, { keys = {}, roots = {}, tables = {} }, 0
    local ok, problem = pcall(function()
      for place = 1, count do
        number = place
        results[place] = one(operations[place], known)
        if place % OPERATIONS_BETWEEN_REPORTS == 0 then
          data("progress", { done = place, total = count })
        end
      end
      number = 0
      flush()
      local conflict = data("check_unique", {})
      if conflict then
        number = writer_of(operations, results, known, conflict)
        error(conflict.message, 0)
      end
    end)
    if ok then return results end
    -- Now: when the transaction has been undone, nobody knows any more which one it was.
    if type(problem) ~= "string" or problem == NO_MEMORY then error(problem, 0) end
    -- What other functions of ext raise has the same place in front.
    local _, place = pcall(fail, "")
    if sub(problem, 1, #place) == place then problem = sub(problem, #place + 1) end
    if number == 0 then fail("batch: " .. problem) end
    local _, text = pcall(described, operations[number])
    fail("batch operation " .. number .. " (" .. text .. "): " .. problem)
  end)
end

return batch
