-- ext.index and its relatives: indexes of tables, by the paths of these.
local prelude = ...

local flush, is_external = prelude.flush, prelude.is_external
local ask, bad_argument = prelude.need("ask"), prelude.need("bad_argument")
local next, type = next, type

-- The table that a program means, as the host is told.
local function table_of(name, where)
  if type(where) ~= "string" and not is_external(where) then
    bad_argument(1, name, "path or external table", where)
  end
  return where
end

-- A field, or a list of them, as a plain list.
local function fields_of(name, fields)
  if type(fields) == "string" then return { fields } end
  if type(fields) ~= "table" then bad_argument(2, name, "field or list of fields", fields) end
  local list = {}
  for place = 1, #fields do
    list[place] = fields[place]
  end
  return list
end

local index = {}

function index.index(where, fields, options)
  if options ~= nil and type(options) ~= "table" then
    bad_argument(3, "index", "table of options", options)
  end
  local asked = { table = table_of("index", where), fields = fields_of("index", fields) }
  asked.options = {}
  for key, option in next, options or {} do
    asked.options[key] = option
  end
  flush()
  return ask("create_index", asked)
end

function index.indexes(where)
  flush()
  return ask("indexes", { table = where ~= nil and table_of("indexes", where) or nil })
end

-- The index that is meant; of several with the same fields the options tell the kind.
local function index_of(name, where, fields, options)
  if options ~= nil and type(options) ~= "table" then
    bad_argument(3, name, "table of options", options)
  end
  local kind = options and options.kind
  return { table = table_of(name, where), fields = fields_of(name, fields), kind = kind }
end

function index.drop_index(where, fields, options)
  local asked = index_of("drop_index", where, fields, options)
  flush()
  return ask("drop_index", asked)
end

function index.rebuild_index(where, fields, options)
  local asked = index_of("rebuild_index", where, fields, options)
  flush()
  return ask("rebuild_index", asked)
end

return index
