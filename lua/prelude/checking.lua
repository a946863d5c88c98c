-- The check of each assignment to a table with a schema: the core calls it (schemas.zig).
--
-- What is expected of a table is a list: at 1 the keys that matter, or true for all; then nodes,
-- each a shape (a schema's types by position) and a position in it. Position 0 is the table of rows
-- itself, 1 a row; below 0 the table is on the way to that of rows, so many keys before it. The
-- host's checker (lua_ls_persist/schema/) says the same in the same words.
local prelude = ...

local data, expect, expected_of = prelude.data, prelude.expect, prelude.expected_of
local flush, is_external, shapes = prelude.flush, prelude.is_external, prelude.shapes
local math_type, next, rawget, rawset = math.type, next, rawget, rawset
local tostring, type, pcall = tostring, type, pcall
local byte, find, format = string.byte, string.find, string.format
local gsub, sub = string.gsub, string.sub
local concat, sort = table.concat, table.sort

local ASK = 1
local POSITION_BITS = 12
local STRING_BYTES_SHOWN_MAX = 40
local VIOLATIONS_SHOWN_MAX = 20

-- Texts.

local KEYWORDS = {}
for word in string.gmatch("and break do else elseif end false for function goto if in local nil \z
    not or repeat return then true until while", "%a+") do
  KEYWORDS[word] = true
end

local function scalar_text(value)
  if type(value) ~= "string" then
    return value ~= value and "nan" or tostring(value)
  end
  local dots = ""
  if #value > STRING_BYTES_SHOWN_MAX then
    value = gsub(sub(value, 1, STRING_BYTES_SHOWN_MAX), "[\xC0-\xFF][\x80-\xBF]*$", "")
    dots = "..."
  end
  value = gsub(value, '[%z\1-\31\127"\\]', function(char)
    if char == '"' or char == "\\" then return "\\" .. char end
    return format("\\%03d", byte(char))
  end)
  return '"' .. value .. '"' .. dots
end

local function is_scalar(kind)
  return kind == "string" or kind == "number" or kind == "boolean"
end

local function value_text(value)
  local kind = type(value)
  if not is_scalar(kind) then return kind end
  if math_type(value) == "integer" then kind = "integer" end
  return kind .. " " .. scalar_text(value)
end

local function key_text(key)
  local kind = type(key)
  local is_name = kind == "string" and find(key, "^[%a_][%w_]*$") and not KEYWORDS[key]
  if is_name then return "." .. key end
  return "[" .. (is_scalar(kind) and scalar_text(key) or kind) .. "]"
end

-- Shapes.

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
  local known = shapes()
  local shape = known[id]
  if not shape then
    shape = prepare(data("schema_shape", { id = id }))
    shape.id = id
    known[id] = shape
  end
  return shape
end

-- What stands at a key of a table that is expected to be this; nothing if nothing is said about it.
local function child_of(shape, at, key)
  if at == 0 then return 1 end
  if at < 0 then
    if key == shape.keys[#shape.keys + at + 1] then return at + 1 end
    return nil
  end
  local found = shape.types[at + 1]
  return found.fields and found.fields[key] or found.below
end

local function opens(shape, at)
  return at <= 0 or shape.types[at + 1].opens
end

-- The list of one node: tables that are expected to be the same share it.
local function list_of(shape, at)
  local list = shape.lists[at]
  if not list then
    list = { at >= 0 or { [shape.keys[#shape.keys + at + 1]] = true }, { shape = shape, at = at } }
    shape.lists[at] = list
  end
  return list
end

local function has_node(list, shape, at)
  for place = 2, #list do
    if list[place].shape == shape and list[place].at == at then return true end
  end
  return false
end

-- What the host says of a table, with the paths to it.
local function asked(rows, with_paths)
  flush()
  local nodes = data("schema_nodes", { table = rows, paths = with_paths })
  if #nodes == 0 then return false end
  if #nodes == 1 and not with_paths then return list_of(shape_of(nodes[1].schema), nodes[1].at) end
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
local function expected(rows, known)
  if type(known) ~= "number" then return known end
  local list
  if known == ASK then
    list = asked(rows)
  else
    list = list_of(shape_of(known >> POSITION_BITS), known & ((1 << POSITION_BITS) - 1))
  end
  expect(rows, list)
  return list
end

-- Checking.

-- Whether the table at a path has this row: by its key, or the row itself.
local function refers(path, value)
  local kind = type(value)
  if kind == "table" and not is_external(value) then return false end
  if kind ~= "table" and not is_scalar(kind) then return false end
  flush()
  return data("schema_refers", { path = path, value = value })
end

-- What was expected in the place of a value; nothing if it is right. Looks into no table.
local function wrong(found, value)
  local kind = found.kind
  if value == nil then
    if found.missing then return nil end
    if kind ~= "any" then return kind end
    return found.enum_text or found.ref_text
  end
  local is = type(value)
  if kind == "integer" then
    if math_type(value) ~= "integer" then return kind end
  elseif kind ~= "any" and kind ~= is then
    return kind
  end
  local enum = found.enum
  if enum then
    local is_one = false
    for place = 1, #enum do
      if is_scalar(is) and enum[place] == value then is_one = true end
    end
    if not is_one then return found.enum_text end
  end
  if is == "string" then
    local low, high, pattern = found.min_length, found.max_length, found.pattern
    if (low and #value < low) or (high and #value > high) then return found.length_text end
    if pattern then
      local ok, start = pcall(find, value, pattern)
      if not ok or not start then return found.pattern_text end
    end
  elseif is == "number" then
    local low, high = found.min, found.max
    local is_low = low and not (value >= low)
    if is_low or (high and not (value <= high)) then return found.range_text end
  end
  if found.ref and not refers(found.ref, value) then return found.ref_text end
end

local check_entry

local function note(report, path, expected_text, value)
  report[#report + 1] = path .. ": expected " .. expected_text .. ", got " .. value_text(value)
end

-- Whether a value is of the type at a position, with all that is in it.
local function is_right(types, at, value)
  local found = types[at + 1]
  local kind = type(value)
  if not (found.is_simple and kind == found.kind) and wrong(found, value) then return false end
  if kind ~= "table" or not found.opens then return true end
  local fields, below, array, closed = found.fields, found.below, found.array, found.closed
  for key, inner in next, value do
    if array and not (math_type(key) == "integer" and key >= 1) then return false end
    local child = fields and fields[key] or below
    if child then
      if not is_right(types, child, inner) then return false end
    elseif closed then
      return false
    end
  end
  local needed = found.needed
  for place = 1, #needed do
    if rawget(value, needed[place]) == nil then return false end
  end
  return true
end

-- Notes in `report` all that is wrong with a value, which is to be of the type at a position.
local function check(shape, at, value, path, report)
  local found = shape.types[at + 1]
  local expected_text = wrong(found, value)
  if expected_text then
    note(report, path, expected_text, value)
  elseif found.opens and type(value) == "table" then
    for key, inner in next, value do
      check_entry(shape, at, key, inner, path, report)
    end
    for place = 1, #(found.names or "") do
      local name = found.names[place]
      if rawget(value, name) == nil then
        check(shape, found.fields[name], nil, path .. key_text(name), report)
      end
    end
  end
end

-- The same for an entry of a table that is expected to be what is at a position.
function check_entry(shape, at, key, value, path, report)
  if at < 0 then
    -- Everything is right on the way to a table; at its end there are rows.
    local child = child_of(shape, at, key)
    if not child or type(value) ~= "table" then return end
    if child == 0 then
      for row_key, row in next, value do
        check(shape, 1, row, shape.path .. key_text(row_key), report)
      end
    else
      local next_key = shape.keys[#shape.keys + child + 1]
      check_entry(shape, child, next_key, rawget(value, next_key), path, report)
    end
    return
  end
  local found = shape.types[at + 1]
  local is_position = math_type(key) == "integer" and key >= 1
  if found.array and not is_position then
    if value ~= nil then
      note(report, path .. key_text(key), "integer keys from 1 on", value)
    end
    return
  end
  local child = child_of(shape, at, key)
  if child then
    -- Only fields can be missing; what stands at other keys can always be taken away.
    if value == nil and not (at > 0 and found.fields and found.fields[key]) then return end
    check(shape, child, value, path .. key_text(key), report)
  elseif found.closed and value ~= nil then
    note(report, path .. key_text(key), "no such field", value)
  end
end

-- Whether an assignment is plainly right; where it is not, `violations` looks closely.
local function is_right_entry(list, key, value)
  for place = 2, #list do
    local shape, at = list[place].shape, list[place].at
    if at < 0 then return false end
    local child = at == 0 and 1 or child_of(shape, at, key)
    if not child or value == nil or shape.types[at + 1].array then return false end
    if not is_right(shape.types, child, value) then return false end
  end
  return true
end

-- What is wrong with an assignment; nothing if it is right.
local function violations(list, key, value)
  local report = {}
  for place = 2, #list do
    local node = list[place]
    check_entry(node.shape, node.at, key, value, node.path or node.shape.path, report)
  end
  if #report == 0 then return nil end
  sort(report)
  local shown = {}
  for place = 1, #report do
    if report[place] ~= shown[#shown] then
      if #shown == VIOLATIONS_SHOWN_MAX then
        shown[#shown + 1] = "and others"
        break
      end
      shown[#shown + 1] = report[place]
    end
  end
  return concat(shown, "\n")
end

-- Defaults.

local function copied(value)
  if type(value) ~= "table" then return value end
  local copy = {}
  for key, inner in next, value do copy[key] = copied(inner) end
  return copy
end

-- Puts defaults where fields are missing, in tables that are about to be assigned.
local function fill(shape, at, value)
  if type(value) ~= "table" then return end
  if at < 0 then
    local key = shape.keys[#shape.keys + at + 1]
    return fill(shape, at + 1, rawget(value, key))
  end
  local found = shape.types[at + 1]
  if not found.fills then return end
  for place = 1, #(found.names or "") do
    local name = found.names[place]
    local default = shape.types[found.fields[name] + 1].default
    if default ~= nil and rawget(value, name) == nil then rawset(value, name, copied(default)) end
  end
  if not found.deep then return end
  for key, inner in next, value do
    local child = child_of(shape, at, key)
    if child then fill(shape, child, inner) end
  end
end

-- Marking.

local function mark(shape, at, value)
  if type(value) ~= "table" or not opens(shape, at) or not is_external(value) then return end
  local known = expected_of(value)
  if known == false then
    expect(value, list_of(shape, at))
  elseif known ~= ASK then
    local list = expected(value, known)
    if has_node(list, shape, at) then return end
    -- More than one thing is expected of it: which, the host says when it matters.
    expect(value, ASK)
  end
  if at < 0 then
    local key = shape.keys[#shape.keys + at + 1]
    return mark(shape, at + 1, rawget(value, key))
  end
  if not shape.types[at + 1].deep then return end
  for key, inner in next, value do
    local child = child_of(shape, at, key)
    if child then mark(shape, child, inner) end
  end
end

-- The hooks of the core.

local checking = {}

-- Before an assignment: a text if it must not be; otherwise nothing, the value that is to be
-- assigned, and what is to be given to `schema_mark` afterwards, if anything.
function checking.schema_check(rows, key, value, known)
  local list = expected(rows, known)
  if not list or key == nil or key ~= key then return nil, value end
  local keys = list[1]
  if keys ~= true and not keys[key] then return nil, value end
  if not is_right_entry(list, key, value) and violations(list, key, value) then
    -- It may not be a row any more, and messages name the present way to it.
    list = asked(rows, true)
    expect(rows, list and ASK)
    if not list then return nil, value end
    local text = violations(list, key, value)
    if text then return text end
  end
  local marks
  for place = 2, #list do
    local shape, at = list[place].shape, list[place].at
    local child = child_of(shape, at, key)
    if child then
      local kind = type(value)
      if kind == "nil" then
        -- Elements of arrays can be taken away; fields with a default are never missing.
        local fields = at > 0 and shape.types[at + 1].fields
        if fields and fields[key] then value = copied(shape.types[child + 1].default) end
      elseif kind == "table" then
        fill(shape, child, value)
      end
      if type(value) == "table" and opens(shape, child) then
        marks = marks or {}
        marks[#marks + 1] = { shape = shape, at = child }
      end
    end
  end
  return nil, value, marks
end

function checking.schema_mark(marks, value)
  for place = 1, #marks do mark(marks[place].shape, marks[place].at, value) end
end

-- For tests: what is wrong with a value, by the schema of a table.
function checking.check_tree(rows, value)
  local report = {}
  local list = expected(rows, expected_of(rows))
  for place = 2, #list do check(list[place].shape, 1, value, "x", report) end
  sort(report)
  return report
end

return checking
