-- How messages about schemas call values and keys. The host's checker writes the same
-- (lua_ls_persist/schema/values.py).
local math_type, tostring, type = math.type, tostring, type
local byte, find, format = string.byte, string.find, string.format
local gsub, sub = string.gsub, string.sub

local STRING_BYTES_SHOWN_MAX = 40
local NAME_BYTES_MAX = 200

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

local texts = {}

function texts.schema_value_text(value)
  local kind = type(value)
  if not is_scalar(kind) then return kind end
  if math_type(value) == "integer" then kind = "integer" end
  return kind .. " " .. scalar_text(value)
end

function texts.schema_key_text(key)
  local kind = type(key)
  local is_name = kind == "string" and #key <= NAME_BYTES_MAX
  if is_name and find(key, "^[%a_][%w_]*$") and not KEYWORDS[key] then return "." .. key end
  return "[" .. (is_scalar(kind) and scalar_text(key) or kind) .. "]"
end

return texts
