-- Changes bytecode at random, and loads and runs what the verifier lets pass. Runs in the VM, with the
-- functions of verifier_functions.lua as `functions`, and takes: what to do, a seed, and the first and
-- last number of what is to be done. Returns how many were refused, ended, and raised an error.

local what, seed, first, last = ...
local INSTRUCTIONS_MAX = 1000
local HEADER_BYTES = 31

math.randomseed(seed)
local random = math.random

local dumps = {}
for _, f in ipairs(functions) do
  dumps[#dumps + 1] = string.dump(f)
  dumps[#dumps + 1] = string.dump(f, true)
end

-- What a mutant may have: nothing that another one could see, and no call that calls itself for ever
-- without an instruction in between, as `__call` can that is its own table.
local function set_metatable(object, metatable)
  if type(metatable) ~= "table" then return object end
  local copy = {}
  for key, value in next, metatable do copy[key] = value end
  if type(copy.__call) ~= "function" then copy.__call = nil end
  copy.__gc = nil
  return setmetatable(object, copy)
end

local function environment()
  return {
    setmetatable = set_metatable, getmetatable = getmetatable, rawset = rawset, next = next,
    select = select, pairs = pairs, ipairs = ipairs, type = type, tostring = tostring,
    table = { unpack = table.unpack, concat = table.concat, sort = table.sort },
  }
end

local refused, ended, failed = 0, 0, 0

local watched = false

local function stop() if watched then error("stopped") end end

local function call(f)
  watched = true
  local ok = xpcall(f, debug.traceback, 1, 2, { b = { c = 1 } }, "x")
  watched = false
  return ok
end

local function run(mutant)
  local f = load(mutant, "=mutant", "b", nil)
  if not f then
    refused = refused + 1
    return
  end
  for n = 1, 255 do
    if not debug.getupvalue(f, n) then break end
    debug.setupvalue(f, n, n == 1 and environment() or {})
  end
  debug.sethook(stop, "", INSTRUCTIONS_MAX)
  -- The function may have used up its instructions just when it ended.
  local _, ok = pcall(call, f)
  watched = false
  debug.sethook()
  if ok == true then ended = ended + 1 else failed = failed + 1 end
end

local function replaced(s, position, bytes)
  return s:sub(1, position - 1) .. bytes .. s:sub(position + #bytes)
end

-- At each byte of one function, eight other values.
local function each_position(dump)
  for position = 1, #dump do
    local byte = dump:byte(position)
    for n = 1, 8 do
      local other = n <= 4 and byte ~ (1 << random(0, 7)) or (byte + random(1, 255)) & 255
      run(replaced(dump, position, string.char(other)))
    end
  end
end

-- One to three changes: of a byte, of a bit, of a part of an instruction, of four bytes for others.
local function random_mutant()
  local s = dumps[random(#dumps)]
  for _ = 1, random(3) do
    local position = random(HEADER_BYTES + 1, #s - 4)
    local kind = random(4)
    if kind == 1 then
      s = replaced(s, position, string.char(random(0, 255)))
    elseif kind == 2 then
      s = replaced(s, position, string.char(s:byte(position) ~ (1 << random(0, 7))))
    elseif kind == 3 then
      local word = string.unpack("<I4", s, position)
      word = word + random(-3, 3) << ({ 7, 15, 16, 24 })[random(4)]
      s = replaced(s, position, string.pack("<I4", word & 0xffffffff))
    else
      local from = random(HEADER_BYTES + 1, #s - 4)
      s = replaced(s, position, s:sub(from, from + 3))
    end
  end
  return s
end

for n = first, last do
  if what == "each position" then each_position(dumps[n]) else run(random_mutant()) end
end
collectgarbage()
return refused, ended, failed
