-- Stands before each step of a generated program (programs.py), on one line: what steps are written
-- with. Everything that a program knows is in Memory: tables and functions it made, by number; numbers
-- by table or function; lists, which are proper sequences; and the classes that inherit from each other.
local M = Memory
local function pick(list, i) return list[i % #list + 1] end
local function tab(i) return pick(M.tables, i) end
local function fun(i) return pick(M.functions, i) end
local function list(i) return pick(M.lists, i) end
local function class(i) return pick(M.classes, i) end
local function add(x)
  local kind = type(x) == "table" and M.tables or M.functions
  if not M.names[x] then
    kind[#kind + 1] = x
    M.names[x] = #kind
  end
  return x
end
local function text(x)
  local t = math.type(x) or type(x)
  if t == "float" then return (("<d"):pack(x):gsub(".", function(c) return ("%02x"):format(c:byte()) end)) end
  if t == "string" then return #x < 80 and ("%q"):format(x) or ("string of %d, %q"):format(#x, x:sub(-9)) end
  if t == "integer" or t == "nil" or t == "boolean" then return tostring(x) end
  return t .. tostring(M.names[x])
end
local function show(...)
  local parts = {}
  for i = 1, select("#", ...) do parts[i] = text((select(i, ...))) end
  return table.concat(parts, ", ")
end
