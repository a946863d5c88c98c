-- Top-level locals of documents: they outlive the chunk that made them, so that what is evaluated
-- of the same document later sees them. Not their values: the variables themselves, which the
-- functions of the document share.
--
-- A chunk that has such locals hands over a function that has them as upvalues. A chunk that is to
-- see them is a function of another one that declares them; its upvalues are joined with those.
local prelude = ...

local compile, data = prelude.compile, prelude.data
local getupvalue, setupvalue, upvaluejoin = debug.getupvalue, debug.setupvalue, debug.upvaluejoin
local concat, find, next, pairs, select = table.concat, string.find, next, pairs, select
local sort, unpack = table.sort, table.unpack

local NOT_A_VARIABLE = "attempt to assign to const variable"

-- By document: name to { reader, index }, an upvalue of a function; or { value }, a constant.
local documents = {}

local locals = {}

local function value_of(cell)
  if cell.reader then
    local _, value = getupvalue(cell.reader, cell.index)
    return value
  end
  return cell.value
end

local function assign(cell, value)
  if cell.reader then setupvalue(cell.reader, cell.index, value) else cell.value = value end
end

-- The cells of what a chunk has handed over: a function, and how its locals are called. A constant
-- that the compiler knows is no upvalue; then only the function itself knows its value.
local function cells_of(reader, names)
  local cells, values = {}, nil
  for index = 1, #names do
    local name = getupvalue(reader, index)
    if not name then break end
    cells[name] = { reader = reader, index = index }
  end
  for index = 1, #names do
    local name = names[index]
    if not cells[name] then
      values = values or { reader() }
      cells[name] = { value = values[index] }
    end
  end
  return cells
end

-- The first of the ways to compile it that can be compiled.
local function compiled(arguments)
  local ways = arguments.ways
  for index = 1, #ways do
    local way = ways[index]
    local chunk, message = compile(way.text, arguments.name, way.number)
    if chunk then return chunk, way end
    if find(message, NOT_A_VARIABLE, 1, true) then return nil, message end
  end
  return nil, ""
end

local function join(inner, known, visible)
  local wanted = {}
  for index = 1, #visible do wanted[visible[index]] = true end
  local index = 1
  local name = getupvalue(inner, index)
  while name do
    local cell = wanted[name] and known[name]
    if cell and cell.reader then
      upvaluejoin(inner, index, cell.reader, cell.index)
    elseif cell then
      setupvalue(inner, index, cell.value)
    end
    index = index + 1
    name = getupvalue(inner, index)
  end
end

-- What is known of a document after one evaluation of it, of which these are the new cells.
local function remember(document, known, cells, way)
  for index = 1, #way.updated do
    local name = way.updated[index]
    if known[name] and cells[name] then assign(known[name], value_of(cells[name])) end
  end
  for index = 1, #way.kept do
    if known[way.kept[index]] then cells[way.kept[index]] = nil end
  end
  for name, cell in next, cells do known[name] = cell end
  documents[document] = next(known) and known or nil
end

-- Evaluates a document or a part of it: true and its values; false and a message if it cannot be
-- compiled.
function locals.document_evaluate()
  local arguments = data("arguments", {})
  local chunk, way = compiled(arguments)
  if not chunk then return false, way end
  local document = arguments.document
  local known = not arguments.whole and documents[document] or {}
  local cells = {}
  local inner = chunk(function(place, reader) cells = cells_of(reader, way.captures[place]) end)
  join(inner, known, way.visible)

  local function finish(...)
    remember(document, known, cells, way)
    return true, ...
  end
  if way.is_expression then return finish(select(2, inner())) end
  return finish(inner())
end

-- The names of the locals that are known of a document, separated by spaces.
function locals.document_names(document)
  local names = {}
  for name in pairs(documents[document] or {}) do names[#names + 1] = name end
  sort(names)
  return concat(names, " ")
end

-- Their values, in the order of the names that are asked for.
function locals.document_values(document, names)
  local known, values = documents[document] or {}, {}
  for index = 1, #names do
    local cell = known[names[index]]
    values[index] = cell and value_of(cell)
  end
  return unpack(values, 1, #names)
end

function locals.document_forget()
  documents[data("arguments", {}).document] = nil
end

return locals
