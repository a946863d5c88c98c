-- ext.tables, ext.info, ext.functions, ext.memory: what there is.
local prelude = ...

local data, flush, is_external = prelude.data, prelude.flush, prelude.is_external
local bad_argument, fail = prelude.need("bad_argument"), prelude.fail
local collectgarbage, find, tointeger = collectgarbage, string.find, math.tointeger
local tostring, type = tostring, type

local NAME_LENGTH_MAX = 1000
local BYTES_PER_KILOBYTE = 1024

local looking = {}

function looking.tables()
  flush()
  return data("tables", {})
end

function looking.info(which)
  local kind = type(which)
  if kind == "number" then
    which = tostring(which)
  elseif kind ~= "string" and not is_external(which) then
    bad_argument(1, "info", "string", which)
  end
  local is_name = kind ~= "table"
  if is_name and (which == "" or #which > NAME_LENGTH_MAX or find(which, "\0", 1, true)) then
    fail("bad argument #1 to 'info' (a table's name has 1 to 1000 bytes, none of them zero)")
  end
  flush()
  return data("info", { table = which })
end

function looking.functions()
  flush()
  return data("functions", {})
end

function looking.memory()
  flush()
  local sizes = data("memory", {})
  sizes.lua_bytes = tointeger(collectgarbage("count") * BYTES_PER_KILOBYTE)
  return sizes
end

return looking
