-- The check of each assignment to a table with a schema: the core calls it (schemas.zig).
--
-- What is expected of a table is a list of nodes (shapes.lua), and ASK where only the host can say.
-- The host's checker (lua_ls_persist/schema/) says the same in the same words.
local prelude = ...

local data, expect, expected_of = prelude.data, prelude.expect, prelude.expected_of
local flush, is_external, need = prelude.flush, prelude.is_external, prelude.need
local asked, expected = need("schema_asked"), need("schema_expected")
local child_of, opens = need("schema_child"), need("schema_opens")
local has_node, list_of = need("schema_has_node"), need("schema_list")
local key_text, value_text = need("schema_key_text"), need("schema_value_text")
local math_type, next, rawget, rawset = math.type, next, rawget, rawset
local pcall, type = pcall, type
local find, concat, sort = string.find, table.concat, table.sort

local ASK = 1
local VIOLATIONS_SHOWN_MAX = 20

local function is_scalar(kind)
  return kind == "string" or kind == "number" or kind == "boolean"
end

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
