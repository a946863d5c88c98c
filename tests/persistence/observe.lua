-- Tells all that Memory and the named tables reach, as text that is the same whatever the order in
-- which tables are gone through: what stands in M.tables and M.functions is numbered first, the rest by
-- sorted keys. Identity and sharing are told by the numbers, those of upvalues included.
local numbers, queue, cells, cell_count, out = {}, {}, {}, 0, {}
local standard = { [_G] = "_G" }
for name, library in next, package.loaded do
  standard[library] = standard[library] or name
  if type(library) == "table" then
    for key, value in next, library do
      if type(value) == "function" then standard[value] = standard[value] or tostring(key) end
    end
  end
end

local function text(x)
  local t = math.type(x) or type(x)
  if t == "float" then
    return "float " .. (("<d"):pack(x):gsub(".", function(c) return ("%02x"):format(c:byte()) end))
  elseif t == "string" then
    local sum = 0
    for i = 1, #x, math.max(1, #x // 50) do sum = (sum * 31 + x:byte(i)) % 1000003 end
    return #x < 60 and ("%q"):format(x) or ("string %d %d"):format(#x, sum)
  elseif t == "table" or t == "function" then
    if standard[x] then return standard[x] end
    if not numbers[x] then
      queue[#queue + 1] = x
      numbers[x] = #queue
    end
    return t .. " " .. numbers[x]
  end
  return tostring(x)
end

local function describe_table(t)
  local keys = {}
  for key in next, t do
    local is_object = type(key) == "table" or type(key) == "function"
    if is_object and not standard[key] then assert(numbers[key], "a key that has no number") end
    keys[#keys + 1] = { text(key), key }
  end
  table.sort(keys, function(a, b) return a[1] < b[1] end)
  for _, key in ipairs(keys) do
    out[#out + 1] = ("  [%s] = %s"):format(key[1], text(rawget(t, key[2])))
  end
  local metatable = debug.getmetatable(t)
  if metatable then out[#out + 1] = "  metatable " .. text(metatable) end
end

local function describe_function(f)
  local info = debug.getinfo(f, "Su")
  out[#out + 1] = ("  %s:%d-%d %d %s"):format(
    info.short_src, info.linedefined, info.lastlinedefined, info.nparams, info.isvararg
  )
  for i = 1, info.nups do
    local name, value = debug.getupvalue(f, i)
    local id = debug.upvalueid(f, i)
    if not cells[id] then
      cell_count = cell_count + 1
      cells[id] = cell_count
    end
    out[#out + 1] = ("  %s (cell %d) = %s"):format(name, cells[id], text(value))
  end
end

for _, x in ipairs(Memory.tables) do text(x) end
for _, x in ipairs(Memory.functions) do text(x) end
text(Memory)
text(ext.table("named"))
local done = 0
while done < #queue do
  done = done + 1
  local x = queue[done]
  out[#out + 1] = text(x)
  if type(x) == "table" then describe_table(x) else describe_function(x) end
end
print(table.concat(out, "\n"))
