-- What the editor asks about values of the VM. It runs in a copy of the memory that is thrown away,
-- and calls nothing of the program: no metamethod, and no method of a string.
--
-- A question is a table: base ("global"; "root" or "local" with a name), steps, and what is wanted
-- of what they lead to. A step is { key = key }, or { any = true }: some elements of a table.
-- The answers are JSON, which the host reads fastest; each byte is a character there.
local prelude = ...

local data, is_external, make = prelude.data, prelude.is_external, prelude.table
local need = prelude.need
local collectgarbage, next, pcall, rawequal = collectgarbage, next, pcall, rawequal
local rawget, rawlen, tostring, type = rawget, rawlen, tostring, type
local huge, math_type = math.huge, math.type
local getinfo, getlocal = debug.getinfo, debug.getlocal
local getmetatable, sethook = debug.getmetatable, debug.sethook
local byte, find, format, gsub = string.byte, string.find, string.format, string.gsub
local lower, sub = string.lower, string.sub
local concat, unpack = table.concat, table.unpack

local CHAIN_MAX = 10
local ENTRIES_LOOKED_AT_MAX = 20000
local NAMED_MAX = 12000
local SHOWN_MAX = 200
local SAMPLE_MAX = 50
local FIELDS_MAX = 200
local STRING_SHOWN_MAX = 60
local KEY_LENGTH_MAX = 200
local PARAMETERS_MAX = 60
local HOLDERS_MAX = 100

-- The questions, and the program's globals.
local given
local named_functions

-- JSON.

local function escaped(char)
  return format("\\u%04x", byte(char))
end

local function json_string(text)
  if find(text, '[%c"\\]') then text = gsub(text, '[%c"\\]', escaped) end
  return '"' .. text .. '"'
end

local function number_text(value)
  if math_type(value) == "integer" then return format("%d", value) end
  if value ~= value then return "0/0" end
  if value == huge then return "math.huge" end
  if value == -huge then return "-math.huge" end
  local text = format("%.14g", value)
  return find(text, "[.e]") and text or text .. ".0"
end

-- Values.

local TYPE_CODES = {
  ["nil"] = "0", boolean = "b", number = "n", string = "s", table = "t", ["function"] = "f",
  userdata = "u", thread = "c",
}

local function metatable_of(value)
  local meta = getmetatable(value)
  return type(meta) == "table" and meta or nil
end

-- Where else a value's fields are looked for; nil if nowhere, or if a function decides.
local function index_of(value)
  local meta = metatable_of(value)
  local index = meta and rawget(meta, "__index")
  return type(index) == "table" and index or nil
end

local function field_of(value, key)
  local found
  for _ = 1, CHAIN_MAX do
    if type(value) == "table" then
      found = rawget(value, key)
      if found ~= nil then return found end
    end
    value = index_of(value)
    if value == nil then return nil end
  end
end

local function parameters_of(f)
  local info = getinfo(f, "Su")
  local names = {}
  for place = 1, info.nparams < PARAMETERS_MAX and info.nparams or PARAMETERS_MAX do
    names[place] = json_string(getlocal(f, place) or "?")
  end
  return info, names
end

local function named(f)
  named_functions = named_functions or data("look_named", {})
  for name, value in next, named_functions do
    if rawequal(value, f) then return name end
  end
end

local function function_json(f)
  local info, names = parameters_of(f)
  if info.what == "C" then
    local name = named(f)
    return '{"c":true' .. (name and ',"name":' .. json_string(name) or "") .. "}"
  end
  return '{"c":false,"source":' .. json_string(sub(info.source, 1, 1000))
    .. ',"line":' .. info.linedefined .. ',"last":' .. info.lastlinedefined
    .. ',"vararg":' .. (info.isvararg and "true" or "false")
    .. ',"parameters":[' .. concat(names, ",") .. "]}"
end

-- A line about a value in a list: text for scalars, parameters for functions, sizes for tables.
local function shown(value)
  local kind = type(value)
  if kind == "string" then
    local cut = #value > STRING_SHOWN_MAX
    return json_string(cut and sub(value, 1, STRING_SHOWN_MAX) or value), cut
  elseif kind == "number" then
    return json_string(number_text(value))
  elseif kind == "boolean" then
    return value and '"true"' or '"false"'
  elseif kind == "function" then
    local info, names = parameters_of(value)
    if info.what == "C" then
      local name = named(value)
      return name and json_string(name) or "null"
    end
    if info.isvararg then names[#names + 1] = '"..."' end
    return "[" .. concat(names, ",") .. "]"
  elseif kind == "table" and not is_external(value) then
    return format("%d", rawlen(value))
  end
  return "null"
end

-- Keys.

local function matches(name, prefix)
  return prefix == "" or lower(sub(name, 1, #prefix)) == prefix
end

-- One look at all of them together: there may be ten thousand. The host splits them at the zeros,
-- and takes control characters as they are.
local function names_json(names)
  local plain = concat(names)
  local is_odd = find(plain, '"', 1, true) or find(plain, "\\", 1, true)
    or find(plain, "\0", 1, true)
  if not is_odd then return '"' .. concat(names, "\0") .. '"' end
  local parts = {}
  for place = 1, #names do
    parts[place] = json_string(names[place])
  end
  return "[" .. concat(parts, ",") .. "]"
end

local function is_met(key, earlier)
  for place = 1, #earlier do
    if rawget(earlier[place], key) ~= nil then return true end
  end
  return false
end

-- The keys of one table, without those that earlier ones have: names, and then others.
local function own_keys(value, prefix, earlier)
  local names, codes, values, count = {}, {}, {}, 0
  local others, other_values, other_count = {}, {}, 0
  local looked_at, more, left_out = 0, false, 0
  local is_first, is_all = #earlier == 0, prefix == ""
  for key, found in next, value do
    looked_at = looked_at + 1
    if looked_at > ENTRIES_LOOKED_AT_MAX or count == NAMED_MAX then
      more = true
      break
    end
    if type(key) == "string" and #key <= KEY_LENGTH_MAX then
      if (is_all or matches(key, prefix)) and (is_first or not is_met(key, earlier)) then
        count = count + 1
        names[count], codes[count] = key, TYPE_CODES[type(found)]
        if count <= SHOWN_MAX then values[count] = found end
      end
    elseif (type(key) == "boolean" or math_type(key) == "integer") and other_count < SHOWN_MAX then
      other_count = other_count + 1
      others[other_count], other_values[other_count] = tostring(key), found
    else
      left_out = left_out + 1
    end
  end
  if count + other_count > SHOWN_MAX then values = {} end
  for place = 1, other_count do
    if count + place <= SHOWN_MAX and #values == count + place - 1 then
      values[count + place] = other_values[place]
    end
    codes[count + place] = TYPE_CODES[type(other_values[place])]
  end
  local details = {}
  for place = 1, #values do
    details[place] = shown(values[place])
  end
  return '{"names":' .. names_json(names) .. ',"keys":[' .. concat(others, ",")
    .. '],"types":"' .. concat(codes)
    .. '","shown":[' .. concat(details, ",") .. '],"other":' .. left_out
    .. ',"more":' .. (more and "true" or "false") .. "}"
end

-- The keys of a value and of the tables that it inherits from, nearest first. External tables are
-- read by the host, in the order and the number that it wants.
local function keys_json(value, prefix)
  local parts, seen, earlier = {}, {}, {}
  for _ = 1, CHAIN_MAX do
    if type(value) == "table" then
      if seen[value] then break end
      seen[value] = true
      if is_external(value) then
        parts[#parts + 1] = '{"external":' .. data("look_id", { table = value }) .. "}"
      else
        parts[#parts + 1] = own_keys(value, prefix, earlier)
        earlier[#earlier + 1] = value
      end
    end
    value = index_of(value)
    if value == nil then break end
  end
  return "[" .. concat(parts, ",") .. "]"
end

-- The names of the fields of several records, with how often each is there, as what, and the first
-- value that it has.
local function fields_json(values, prefix)
  local order, counts, kinds, firsts = {}, {}, {}, {}
  local records = 0
  for place = 1, #values do
    local value = values[place]
    if type(value) == "table" then
      records = records + 1
      local looked_at = 0
      for key, found in next, value do
        looked_at = looked_at + 1
        if looked_at > FIELDS_MAX then break end
        if type(key) == "string" and #key <= KEY_LENGTH_MAX and matches(key, prefix) then
          if not counts[key] then
            if #order == FIELDS_MAX then break end
            order[#order + 1] = key
            counts[key], kinds[key], firsts[key] = 0, {}, shown(found)
          end
          counts[key] = counts[key] + 1
          local kind = math_type(found) or type(found)
          kinds[key][kind] = (kinds[key][kind] or 0) + 1
        end
      end
    end
  end
  local parts = {}
  for place = 1, #order do
    local key = order[place]
    local types = {}
    for kind, count in next, kinds[key] do
      types[#types + 1] = '"' .. kind .. '":' .. count
    end
    parts[place] = "[" .. json_string(key) .. "," .. counts[key] .. ",{" .. concat(types, ",")
      .. "}," .. firsts[key] .. "]"
  end
  return '{"records":' .. records .. ',"sampled":' .. #values
    .. ',"fields":[' .. concat(parts, ",") .. "]}"
end

-- The names under which a table has external tables, each with the id of its table.
local function holders_json(value)
  local parts, looked_at = {}, 0
  for key, found in next, value do
    looked_at = looked_at + 1
    if looked_at > ENTRIES_LOOKED_AT_MAX or #parts == HOLDERS_MAX then break end
    if type(key) == "string" and #key <= KEY_LENGTH_MAX and type(found) == "table"
      and is_external(found) then
      parts[#parts + 1] = json_string(key) .. ":" .. data("look_id", { table = found })
    end
  end
  return "{" .. concat(parts, ",") .. "}"
end

-- The way to a value.

local function elements_of(values)
  local found = {}
  for place = 1, #values do
    local value = values[place]
    if type(value) == "table" then
      for _, element in next, value do
        if #found == SAMPLE_MAX then return found end
        found[#found + 1] = element
      end
    end
  end
  return found
end

local function stepped(values, step)
  if step.any then return elements_of(values) end
  local found = {}
  for place = 1, #values do
    local value = field_of(values[place], step.key)
    if value ~= nil then found[#found + 1] = value end
  end
  return found
end

-- Where a question begins, and at which of its steps.
local function start_of(question)
  local base, name = question.base, question.name
  if base == "root" then
    if name ~= "Memory" and not data("is_root", { name = name }) then return nil end
    return make(name), 1
  elseif base == "local" then
    return need("document_values")(name, { question.steps[1].key }), 2
  end
  return given.globals, 1
end

local function values_of(question)
  local start, first = start_of(question)
  if start == nil then return {} end
  local values = { start }
  local steps = question.steps or {}
  for place = first, #steps do
    if #values == 0 then break end
    values = stepped(values, steps[place])
  end
  return values
end

local function callable_of(value)
  if type(value) == "function" then return value end
  local meta = metatable_of(value)
  local call = meta and rawget(meta, "__call")
  return type(call) == "function" and call or nil
end

local function answer(question)
  local values = values_of(question)
  local value = values[1]
  if value == nil then return "null", nil end
  local kind = math_type(value) or type(value)
  local parts = { '"type":"' .. kind .. '","count":' .. #values }
  local prefix = question.prefix or ""
  if kind == "table" then
    local is_stored = is_external(value)
    local name = is_stored and '"external":' or '"length":'
    parts[#parts + 1] = name .. (is_stored and data("look_id", { table = value }) or rawlen(value))
  end
  local meta = metatable_of(value)
  local name = meta and rawget(meta, "__name")
  if type(name) == "string" and kind ~= "string" then
    parts[#parts + 1] = '"name":' .. json_string(sub(name, 1, KEY_LENGTH_MAX))
  end
  local callable = callable_of(value)
  if callable then
    parts[#parts + 1] = '"function":' .. function_json(callable)
    if kind ~= "function" then parts[#parts + 1] = '"called":true' end
  end
  if question.keys then parts[#parts + 1] = '"chain":' .. keys_json(value, prefix) end
  if question.fields == "elements" and kind == "table" and is_external(value) then
    -- The host has them sooner.
    parts[#parts + 1] = '"sample":true'
  elseif question.fields then
    local records = values
    if question.fields == "elements" then records = elements_of(values) end
    parts[#parts + 1] = '"records":' .. fields_json(records, prefix)
  end
  if question.holders and kind == "table" and not is_external(value) then
    parts[#parts + 1] = '"holders":' .. holders_json(value)
  end
  if not question.value then value = nil end
  return "{" .. concat(parts, ",") .. "}", value
end

local look = {}

-- The answers as JSON, and the values that are wanted, each at the place of its question.
function look.look()
  collectgarbage("stop")
  sethook()
  given = data("look", {})
  local questions = given.questions
  local answers, values = {}, {}
  for place = 1, #questions do
    local ok, text, value = pcall(answer, questions[place])
    answers[place] = ok and text or "null"
    if ok then values[place] = value end
  end
  return "[" .. concat(answers, ",") .. "]", unpack(values, 1, #questions)
end

return look
