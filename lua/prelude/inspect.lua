-- A look at a value of the VM that runs nothing of the program.
local prelude = ...

local data, is_external = prelude.data, prelude.is_external
local getmetatable, load, next, rawequal, rawget = getmetatable, load, next, rawequal, rawget
local move, sort, type, unpack = table.move, table.sort, type, table.unpack

-- More keys are told in the order in which the table has them: sorting them would be felt.
local SORTED_KEYS_MAX = 50000

local ORDER = { number = 1, string = 2, boolean = 3 }

local function comes_before(a, b)
  local kind, other = type(a), type(b)
  if kind ~= other then return (ORDER[kind] or 4) < (ORDER[other] or 4) end
  if kind == "number" or kind == "string" then return a < b end
  return kind == "boolean" and not a and b
end

-- Whether every session has this global, with this value. `_VERSION` is a string, which has no name
-- of its own, and `Memory` is a root.
local function is_given(given, key, value)
  if key == "_VERSION" then return true end
  if key == "Memory" then return is_external(value) end
  return given[key] ~= nil and rawequal(given[key], value)
end

-- The keys of a table in order, how many there are, and how many of them, the last ones, are
-- globals that every session has.
local function keys_of(value, is_globals)
  local given = is_globals and data("look_given", {}) or {}
  local own, others, count, others_count = {}, {}, 0, 0
  for key, content in next, value do
    if is_globals and is_given(given, key, content) then
      others_count = others_count + 1
      others[others_count] = key
    else
      count = count + 1
      own[count] = key
    end
  end
  if count <= SORTED_KEYS_MAX then sort(own, comes_before) end
  sort(others, comes_before)
  return move(others, 1, others_count, count + 1, own), count + others_count, others_count
end

local inspect = {}

-- Whether there is a value, the id of an external table, the value, its metatable, how many entries
-- it has, how many of them every session has, and some of the entries: those at last that every
-- session has. What an external table has, the host reads from the store.
function inspect.python_inspect()
  local arguments = data("arguments", {})
  -- The environment of a chunk is the globals themselves, whatever the program calls `_G`.
  local value = load("return _ENV")()
  local keys = arguments.keys
  for place = 1, #keys do
    if type(value) ~= "table" then return false end
    value = rawget(value, keys[place])
  end
  if value == nil and #keys > 0 then return false end
  if type(value) ~= "table" then return true, nil, value, nil, 0, 0 end
  if is_external(value) then return true, data("table_id", { table = value }) end
  local found, count, given = keys_of(value, #keys == 0)
  local entries, size = {}, 0
  for place = arguments.offset + 1, arguments.offset + arguments.limit do
    local key = found[place]
    if key == nil then break end
    entries[size + 1], entries[size + 2] = key, rawget(value, key)
    size = size + 2
  end
  return true, nil, value, getmetatable(value), count, given, unpack(entries, 1, size)
end

return inspect
