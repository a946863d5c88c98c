-- Steps of random programs (../programs.py): metatables, classes, and what is asked of a session.
-- `$value1`, `$key2` and so on are replaced by random Lua expressions; what else they use is in
-- ../prelude.lua. A step ends up on one line.

-- Metatables.

--- index_table
setmetatable(tab($n1), { __index = class($n2) })

--- index_function
local seen = 0
setmetatable(tab($n1), { __index = function(t, k) seen = seen + 1 return type(k) .. seen end })

--- newindex
setmetatable(tab($n1), {
  __newindex = function(t, k, v)
    M.log.n = M.log.n + 1
    rawset(t, k, v)
  end,
})

--- newindex_table
setmetatable(tab($n1), { __newindex = M.log })

--- call_event
setmetatable(tab($n1), {
  __call = function(self, a, ...) return a, rawget(self, 'a'), select('#', ...) end,
})

--- called
local function shown(ok, ...)
  if ok then return show(...) end
  return (...)
end
print(shown(pcall(tab($n1), $value1, 2)))

--- operators
local mt = {}
for e in ('add sub mul div mod idiv pow band bor bxor shl shr concat'):gmatch('%w+') do
  mt['__' .. e] = function(a, b) return e .. text(a) .. text(b) end
end
mt.__unm = function() return 'unm' end
mt.__bnot = mt.__unm
setmetatable(tab($n1), mt)
tab($n2).metatable = mt

--- compare
setmetatable(tab($n1), {
  __eq = function(a, b) return true end,
  __lt = function() return $bool end,
  __le = function() return not $bool end,
  __len = function() return $int end,
})

--- share_metatable
setmetatable(tab($n1), getmetatable(tab($n2)))

--- operate
local a, b = tab($n1), tab($n2)
local expressions = {
  'a + b', 'a .. b', 'a - 1', '2 * a', '-a', '~a', 'a // b', 'a & 1', 'a .. 1', '1 .. a',
  'a < b', 'a <= b', 'a == b', 'a ~= b',
}
for _, expression in ipairs(expressions) do
  print(expression, pcall(load('local a, b = ... return ' .. expression), a, b))
end

--- length_event
local mt = debug.getmetatable(tab($n1)) if mt and rawget(mt, '__len') then print(#tab($n1)) end

--- tostring
local mt = { __tostring = function(t) return 'T' .. text(rawget(t, 'a')) end, __name = 'Named' }
setmetatable(tab($n1), mt)
print(tostring(tab($n1)), pcall(string.rep, tab($n1)))

--- pairs_event
setmetatable(tab($n1), {
  __pairs = function(t)
    return function(_, k) if not k then return 1, rawget(t, 'a') end end, t, nil
  end,
})
for k, v in pairs(tab($n1)) do
  print(k, show(v))
end

--- close
setmetatable(tab($n1), { __close = function(t, e) t.closed = text(e) end })
print(pcall(function() local x <close> = tab($n1) error($int) end))
print(tab($n1).closed)

--- locked
local t = add({})
setmetatable(t, { __metatable = $int })
print(show(getmetatable(t), pcall(setmetatable, t, {})))

--- unset_metatable
print(show(pcall(setmetatable, tab($n1), nil)))

--- event_gone
local mt = debug.getmetatable(tab($n1))
if mt then
  mt.__$event = nil
  print(show(mt.__$event, rawget(mt, '__$event')))
end

--- event_set
local mt = debug.getmetatable(tab($n1))
if mt and not mt.__newindex then
  mt.__$event = function(a, b) return 'event', 5 end
end

--- events_seen
local mt = debug.getmetatable(tab($n1))
if mt then
  local n = 0
  for k in next, mt do
    n = n + 1
  end
  print(n)
end

--- metatable_itself
local mt = {}
mt.__index = mt
mt.$name = $value1
setmetatable(mt, mt)
print(show(pcall(setmetatable, tab($n1), mt)))

--- plain_metatable
local mt = { __index = function(_, k) return k end }
local plain = setmetatable({}, mt)
tab($n1).plain = plain
print(show(plain.x, plain[1]))

--- memory_metatable
setmetatable(Memory, {
  __index = function(_, k) return 'no ' .. tostring(k) end,
  __concat = function() return 'concat' end,
})
print(Memory.nothing, Memory .. 1)

--- memory_operators
print(show(pcall(function() return Memory .. 1 end)))
print(pcall(function() return Memory < 1 end))

-- Inheritance.

--- derive
local base = class($n1)
local new = setmetatable({ kind = 'c' .. #M.classes, base = base }, { __index = base })
new.__index = new
function new:$name(x)
  self.touched = x
  return self.kind, base.kind
end
M.classes[#M.classes + 1] = new

--- instance
local c = class($n1) local o = setmetatable({ $name = $int }, c) add(o) print(show(o.kind))

--- use_instance
local o = tab($n1) print(pcall(function() return show(o:$name(5), o.touched, o.kind) end))

--- reopen
local c = class($n1) function c.$name(self, x) return 'reopened', x end

-- Housekeeping.

--- collect
ext.collect() collectgarbage()

--- garbage
collectgarbage() local t = {} for i = 1, 100 do t[i] = { i } end

--- forget
for i = #M.tables, 2, -1 do
  M.names[M.tables[i]] = nil
  M.tables[i] = nil
  if i <= $n1 + 2 then break end
end

--- forget_functions
for i = #M.functions, 2, -1 do
  M.names[M.functions[i]] = nil
  M.functions[i] = nil
  if i <= $n1 + 2 then break end
end
