-- ext.query, ext.count: questions about the rows of a table. The host knows what they mean.
local prelude = ...

local fail, flush, is_external = prelude.fail, prelude.flush, prelude.is_external
local ask, bad_argument = prelude.need("ask"), prelude.need("bad_argument")
local math_type, next, setmetatable, type = math.type, next, setmetatable, type
local tointeger = math.tointeger

local PIECE_ROWS = 256
local DEPTH_MAX = 60
local BATCH_ROWS = 100

-- Questions may be external tables, too. What has a meaning by its content is copied; values that
-- fields are compared with stay what they are.
local function copied(value, depth)
  if type(value) ~= "table" or depth == 0 then return value end
  local copy = {}
  for key, part in next, value do
    copy[key] = copied(part, depth - 1)
  end
  return copy
end

local function copied_where(where, depth)
  if type(where) ~= "table" or depth == 0 then return where end
  local copy = {}
  if type(where[1]) == "string" then
    for key, part in next, where do
      copy[key] = part
    end
    -- Of in and not in it is a list of values.
    if type(copy[3]) == "table" and (copy[2] == "in" or copy[2] == "not in") then
      copy[3] = copied(copy[3], 1)
    end
    return copy
  end
  for key, part in next, where do
    copy[key] = copied_where(part, depth - 1)
  end
  return copy
end

-- What is asked of the host: `name` is the function that the program called.
local function question(name, where, spec)
  if type(where) ~= "string" and not is_external(where) then
    bad_argument(1, name, "path or external table", where)
  end
  if spec ~= nil and type(spec) ~= "table" then bad_argument(2, name, "table", spec) end
  local parts = {}
  for key, part in next, spec or {} do
    parts[key] = key == "where" and copied_where(part, DEPTH_MAX) or copied(part, 3)
  end
  return { table = where, spec = parts }
end

local function page_of(asked)
  flush()
  local answer = ask("query", asked)
  local rows = answer.rows
  rows.next = answer.next
  return rows
end

-- Rows that nobody has counted come in pieces, one of which is kept. `starts` are the cursors of
-- the pieces as far as they are known; false behind the last one.
local function piece(state, number)
  local starts = state.starts
  local known = number
  while starts[known] == nil do
    known = known - 1
  end
  for at = known, number do
    if not starts[at] then return nil end
    state.asked.spec.after = starts[at] ~= true and starts[at] or nil
    state.rows, state.number = page_of(state.asked), at
    if starts[at + 1] == nil or state.rows.next then starts[at + 1] = state.rows.next or false end
  end
  return state.rows
end

local function row_at(state, place)
  local index = math_type(place) and tointeger(place)
  if not index or index < 1 then return nil end
  local number = (index - 1) // PIECE_ROWS
  local rows = state.number == number and state.rows or piece(state, number)
  return rows and rows[(index - 1) % PIECE_ROWS + 1]
end

local query = {}

function query.count(where, spec)
  local asked = question("count", where, spec)
  flush()
  return ask("count", asked)
end

function query.aggregate(where, spec)
  local asked = question("aggregate", where, spec)
  flush()
  return ask("aggregate", asked)
end

local explanation = {
  __name = "explanation",
  __tostring = function(explained) return explained.text end,
}

function query.explain(where, spec)
  local asked = question("explain", where, spec)
  flush()
  return setmetatable(ask("explain", asked), explanation)
end

local function lazily(asked)
  local spec = asked.spec
  -- The cursor of the first piece; true: the beginning.
  local state = { asked = asked, starts = { [0] = spec.after or true } }
  spec.limit = PIECE_ROWS
  local function following(_, index)
    local row = row_at(state, index + 1)
    if row then return index + 1, row end
  end
  return setmetatable({}, {
    __index = function(_, place) return row_at(state, place) end,
    __len = function()
      flush()
      return ask("count", { table = asked.table, spec = { where = spec.where } })
    end,
    __newindex = function() fail("the rows of a query cannot be assigned") end,
    __pairs = function(rows) return following, rows, 0 end,
    __name = "query",
    __metatable = "query",
  })
end

function query.query(where, spec)
  local asked = question("query", where, spec)
  if asked.spec.limit ~= nil then return page_of(asked) end
  local rows = lazily(asked)
  -- What makes no sense is said now.
  local _ = rows[1]
  return rows
end

-- As an operation of a batch: the parts of the question stand in the operation itself.
function query.query_of(operation)
  local spec = {}
  for key, part in next, operation do
    if key ~= "op" and key ~= "table" then spec[key] = part end
  end
  if spec.limit == nil then spec.limit = BATCH_ROWS end
  return query.query(operation.table, spec)
end

function query.count_of(operation)
  local spec = {}
  for key, part in next, operation do
    if key ~= "op" and key ~= "table" then spec[key] = part end
  end
  return query.count(operation.table, spec)
end

return query
