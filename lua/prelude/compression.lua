-- ext.compress: strings that are like many others, written shorter.
local prelude = ...

local flush, is_external = prelude.flush, prelude.is_external
local ask, bad_argument = prelude.need("ask"), prelude.need("bad_argument")
local type = type

local compression = {}

function compression.compress(where)
  if where ~= nil and type(where) ~= "string" and not is_external(where) then
    bad_argument(1, "compress", "path or external table", where)
  end
  flush()
  return ask("compress", { table = where })
end

return compression
