-- What schemas expect of tables in the VM.
--
-- What is expected of a table is a list: at 1 the keys that matter, or true for all; then nodes,
-- each a shape (a schema's types by position) and a position in it. Position 0 is the table of rows
-- itself, 1 a row; below 0 the table is on the way to that of rows, so many keys before it.
local prelude = ...

local data, expect, flush = prelude.data, prelude.expect, prelude.flush
local known_shapes = prelude.shapes
local next, type = next, type

local ASK = 1
local POSITION_BITS = 12

local shapes = {}

-- The types as the host gives them, with what makes going down quick: which are of tables that are
-- looked into (opens), which have such ones inside (deep), which have defaults inside (fills).
local function prepare(shape)
  local types = shape.types
  for place = #types, 1, -1 do
    local found = types[place]
    found.opens = (found.fields or found.extra or found.array or found.closed) and true or false
    found.below = found.array or found.extra
    found.is_simple = not (found.kind == "any" or found.enum or found.ref or found.range_text
      or found.length_text or found.pattern)
    found.needed = {}
    for name, at in next, found.fields or {} do
      if not types[at + 1].missing then found.needed[#found.needed + 1] = name end
    end
    local function look(at)
      local inner = types[at + 1]
      if inner.opens then found.deep = true end
      if inner.fills or inner.default ~= nil then found.fills = true end
    end
    if found.below then look(found.below) end
    for _, at in next, found.fields or {} do look(at) end
  end
  shape.lists = {}
  return shape
end

local function shape_of(id)
  local known = known_shapes()
  local shape = known[id]
  if not shape then
    shape = prepare(data("schema_shape", { id = id }))
    shape.id = id
    known[id] = shape
  end
  return shape
end

-- What stands at a key of a table that is expected to be this; nothing if nothing is said about it.
function shapes.schema_child(shape, at, key)
  if at == 0 then return 1 end
  if at < 0 then
    if key == shape.keys[#shape.keys + at + 1] then return at + 1 end
    return nil
  end
  local found = shape.types[at + 1]
  return found.fields and found.fields[key] or found.below
end

function shapes.schema_opens(shape, at)
  return at <= 0 or shape.types[at + 1].opens
end

-- The list of one node: tables that are expected to be the same share it.
function shapes.schema_list(shape, at)
  local list = shape.lists[at]
  if not list then
    list = { at >= 0 or { [shape.keys[#shape.keys + at + 1]] = true }, { shape = shape, at = at } }
    shape.lists[at] = list
  end
  return list
end

function shapes.schema_has_node(list, shape, at)
  for place = 2, #list do
    if list[place].shape == shape and list[place].at == at then return true end
  end
  return false
end

-- What the host says of a table, with the paths to it.
function shapes.schema_asked(rows, with_paths)
  flush()
  local nodes = data("schema_nodes", { table = rows, paths = with_paths })
  if #nodes == 0 then return false end
  if #nodes == 1 and not with_paths then
    return shapes.schema_list(shape_of(nodes[1].schema), nodes[1].at)
  end
  local list = { {} }
  for place = 1, #nodes do
    local node = nodes[place]
    local shape = shape_of(node.schema)
    list[place + 1] = { shape = shape, at = node.at, path = node.path }
    if node.at >= 0 then
      list[1] = true
    elseif list[1] ~= true then
      list[1][shape.keys[#shape.keys + node.at + 1]] = true
    end
  end
  return list
end

-- What is expected of an external table, of which this is known; false if it is nothing.
function shapes.schema_expected(rows, known)
  if type(known) ~= "number" then return known end
  local list
  if known == ASK then
    list = shapes.schema_asked(rows)
  else
    local shape, at = shape_of(known >> POSITION_BITS), known & ((1 << POSITION_BITS) - 1)
    list = shapes.schema_list(shape, at)
  end
  expect(rows, list)
  return list
end

return shapes
