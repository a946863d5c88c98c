-- A look at a value of the VM that runs nothing of the program.
local prelude = ...

local data, is_external = prelude.data, prelude.is_external
local getmetatable, load, next, rawget = getmetatable, load, next, rawget
local sort, type, unpack = table.sort, type, table.unpack

-- More keys are told in the order in which the table has them: sorting them would be felt.
local SORTED_KEYS_MAX = 50000

local ORDER = { number = 1, string = 2, boolean = 3 }

local function comes_before(a, b)
  local kind, other = type(a), type(b)
  if kind ~= other then return (ORDER[kind] or 4) < (ORDER[other] or 4) end
  if kind == "number" or kind == "string" then return a < b end
  return kind == "boolean" and not a and b
end

local inspect = {}

-- Whether there is a value, the id of an external table, the value, its metatable, how many entries
-- it has, and some of these. What an external table has, the host reads from the store.
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
  if type(value) ~= "table" then return true, nil, value, nil, 0 end
  if is_external(value) then return true, data("table_id", { table = value }) end
  local found, count = {}, 0
  for key in next, value do
    count = count + 1
    found[count] = key
  end
  if count <= SORTED_KEYS_MAX then sort(found, comes_before) end
  local entries, size = {}, 0
  for place = arguments.offset + 1, arguments.offset + arguments.limit do
    local key = found[place]
    if key == nil then break end
    entries[size + 1], entries[size + 2] = key, rawget(value, key)
    size = size + 2
  end
  return true, nil, value, getmetatable(value), count, unpack(entries, 1, size)
end

return inspect
