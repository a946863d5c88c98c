-- ext.schema and what belongs to it: schemas set, shown, derived, checked, as annotations.
-- Assignments are checked by checking.lua.
local prelude = ...

local flush, forget, is_external = prelude.flush, prelude.forget_schemas, prelude.is_external
local need = prelude.need
local ask, bad_argument = need("ask"), need("bad_argument")
local select, type = select, type

local schema = {}

local function check_table(name, where)
  if type(where) ~= "string" and not is_external(where) then
    bad_argument(1, name, "path or external table", where)
  end
  flush()
end

function schema.schema(where, ...)
  check_table("schema", where)
  if select("#", ...) == 0 then return ask("schema", { table = where }) end
  local definition = ...
  if definition == nil then definition = false end
  local result = ask("set_schema", { table = where, definition = definition })
  forget()
  return result
end

function schema.schemas()
  flush()
  return ask("schemas", {})
end

function schema.check_schemas(where)
  if where ~= nil then check_table("check_schemas", where) else flush() end
  return ask("check_schemas", { table = where })
end

function schema.schema_annotations(where)
  check_table("schema_annotations", where)
  return ask("schema_annotations", { table = where })
end

function schema.set_schema_annotations(where, text, class)
  check_table("set_schema_annotations", where)
  if type(text) ~= "string" then bad_argument(2, "set_schema_annotations", "string", text) end
  if class ~= nil and type(class) ~= "string" then
    bad_argument(3, "set_schema_annotations", "string", class)
  end
  local name = ask("set_schema_annotations", { table = where, text = text, class = class })
  forget()
  return name
end

function schema.derive_schema(where)
  check_table("derive_schema", where)
  return ask("derive_schema", { table = where })
end

return schema
