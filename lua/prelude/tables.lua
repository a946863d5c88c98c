-- Tables by path, and how messages call their rows.
local prelude = ...

local data, fail, make = prelude.data, prelude.fail, prelude.table
local find, format, sub = string.find, string.format, string.sub
local error, pcall, tostring, type = error, pcall, tostring, type

local KEY_LENGTH_MAX = 60
local NAME_LENGTH_MAX = 200

local tables = {}

-- `users` and 3 become `users[3]`. Nothing of the program is called for it.
function tables.text_of(path, key)
  local kind = type(key)
  if kind == "string" then
    if #key <= NAME_LENGTH_MAX and find(key, "^[%a_][%w_]*$") then return path .. "." .. key end
    local rest = #key > KEY_LENGTH_MAX and "..." or ""
    return path .. "[" .. format("%q", sub(key, 1, KEY_LENGTH_MAX)) .. rest .. "]"
  end
  if kind == "number" or kind == "boolean" then return path .. "[" .. tostring(key) .. "]" end
  return path .. "[" .. kind .. "]"
end

-- The table that a list of keys leads to, from the name of a root on. With `is_made` the root is
-- made if there is none. Raises an error without a place; `path` is what it calls the table. With
-- `is_root` it is known that there is one.
function tables.table_at(keys, path, is_made, is_root)
  local name = keys[1]
  is_root = is_root or (is_made and #keys == 1)
  if not (is_root or data("is_root", { name = name })) then
    error("there is no table " .. path, 0)
  end
  local found = make(name)
  for place = 2, #keys do
    if type(found) ~= "table" then break end
    found = found[keys[place]]
  end
  if found == nil then error("there is no table " .. path, 0) end
  if type(found) ~= "table" then error(path .. " is a " .. type(found) .. ", not a table", 0) end
  return found
end

-- As `data`, but where that refuses, it is an error at the program's line.
function tables.ask(name, arguments)
  local ok, result = pcall(data, name, arguments)
  if ok then return result end
  fail(result)
end

function tables.bad_argument(place, name, expected, value)
  local got = " expected, got " .. type(value) .. ")"
  fail("bad argument #" .. place .. " to '" .. name .. "' (" .. expected .. got)
end

return tables
