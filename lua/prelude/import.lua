-- Storing the rows of a file, which the host reads in pieces.
local prelude = ...

local data, need = prelude.data, prelude.need
local table_at, text_of = need("table_at"), need("text_of")
local error, pcall = error, pcall

local import = {}

local function set(rows, key, value)
  rows[key] = value
end

function import.python_import()
  local arguments = data("arguments", {})
  local path, is_replacing = arguments.path, arguments.replace
  local rows = table_at(arguments.keys, path, true)
  local number, count = #rows, 0
  data("import_begin", {})
  while true do
    local piece = data("import_rows", {})
    if #piece == 0 then return count end
    for place = 1, #piece do
      local row = piece[place]
      local key = row.key
      if key == nil then
        number = number + 1
        key = number
      elseif not is_replacing and rows[key] ~= nil then
        error(row.place .. ": there is " .. text_of(path, key) .. " already", 0)
      end
      local ok, problem = pcall(set, rows, key, row.value)
      if not ok then
        if type(problem) == "string" then problem = row.place .. ": " .. problem end
        error(problem, 0)
      end
      count = count + 1
    end
  end
end

return import
