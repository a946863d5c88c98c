-- The steps of random programs (programs.py). `$value1`, `$key2` and so on are replaced by random
-- Lua expressions; what else they use is in prelude.lua. A step ends up on one line.

-- Entries.

--- table
add($value1)

--- table2
local t = { $name = $value1, [$key1] = $value2 } add(t) t.late = $value3 t.itself = t

--- aliases
local a = { $value1 }
local b = { a, a = a }
a.b = b
tab($n1)[$key1] = b
a[2] = $value2
add(a)
b.c = { a }
add(b)

--- set
tab($n1)[$key1] = $value1

--- set_named
ext.table('named')[$key1] = $value1

--- get_named
print(show(ext.table('named')[$key1]))

--- anonymous
local t = ext.table() t[$key1] = $value1 tab($n1).$name = t add(t)

--- delete
tab($n1)[$key1] = nil print(show(tab($n1)[$key1]))

--- get
print(show(tab($n1)[$key1], tab($n2).$name))

--- deep
local t = tab($n1) t.x = t.x or {} t.x.y = t.x.y or {} t.x.y[$key1] = $value1
print(show(t.x.y[$key1]))

--- missing
print(show(pcall(function() return tab($n1).nothing.here end)))

--- missing_call
print(pcall(function() tab($n1).nothing() end))

--- bad_key
print(pcall(function() tab($n1)[$bad] = 1 end))

--- bad_operand
print(pcall(function() return #tab($n1).nothing end))

--- raw
local t = tab($n1) rawset(t, $key1, $value1)
print(show(rawget(t, $key1), rawequal(t, tab($n2)), t == tab($n2)))

--- swap
local s, t = tab($n1), tab($n2) s.$name, t.$name = t.$name, s.$name

--- move_key
local t = tab($n1) t[$key1], t[$key2] = t[$key2], t[$key1]

--- many
local t = add({}) for i = 1, $large do t[i] = i t['k' .. i] = { i } end

--- assert_empty
print(next(ext.table()), next({}), rawlen(ext.table()))

-- Going through.

--- sum
local n, s = 0, 0
for k, v in pairs(tab($n1)) do
  n = n + 1
  if math.type(v) == 'integer' then
    s = s + v
  end
end
print(n, s)

--- sum_next
local t = tab($n1) local n, k = 0, nil repeat k = next(t, k) n = n + 1 until k == nil print(n)

--- update_all
local t = tab($n1)
for k, v in next, t do
  if math.type(v) == 'integer' then
    rawset(t, k, v + 1)
  else
    rawset(t, k, v)
  end
end

--- delete_some
local t = tab($n1)
for k, v in next, t do
  if math.type(v) == 'integer' and v % 2 == 0 then
    rawset(t, k, nil)
  end
end

--- empty
local t = tab($n2)
for k in next, t do
  rawset(t, k, nil)
end
print(next(t))

--- adopt_inside
local t = { a = 1, b = 2, c = 3, 4, 5, 6 }
local s = 0
for k, v in pairs(t) do
  tab($n1).inside = t
  t[k] = v * 2
  s = s + v
end
print(s)

--- inext
local s = 0 for i, v in ipairs(list($n1)) do s = s + i * v end print(s)

-- Lists.

--- append
local l = list($n1) l[#l + 1] = $int

--- insert
local l = list($n1) table.insert(l, $int % (#l + 1) + 1, $int)

--- remove
local l = list($n1) print(table.remove(l), #l)

--- remove_first
local l = list($n1) print(#l > 0 and table.remove(l, 1), #l)

--- sort
table.sort(list($n1)$order)

--- concat
print(table.concat(list($n1), ','))

--- unpack
print(table.unpack(list($n1))) print(select('#', table.unpack(list($n1), 1, 3)))

--- table_move
table.move(list($n1), 1, #list($n1), #list($n2) + 1, list($n2))

--- pack
add(table.pack($value1, nil, $value2))

--- length
print(#list($n1), rawlen(list($n1)), #M.lists)

--- new_list
M.lists[#M.lists + 1] = { $int, 5, $int }

--- fill
local l = list($n1) for i = 1, $large do l[#l + 1] = i % 7 end

--- drain
local l = list($n1) local s = 0 while #l > 0 do s = s + table.remove(l) end print(s)

-- Functions and cells.

--- counter
local n = $int
add(function(d) n = n + (math.tointeger(d) or 1) return n end)
add(function() return n end)

--- counter_in
local n = $int
tab($n1).up = function()
  n = n + 1
  return n
end
tab($n2).now = function() return n end

--- count
for _, t in ipairs(M.tables) do
  local up, now = rawget(t, 'up'), rawget(t, 'now')
  print(up and up(), now and now())
end

--- drop_counter
tab($n1).up = nil

--- factory
M.make = function(x)
  local y = { x }
  local function up()
    y[1] = (y[1] or 0) + 1
    return y[1]
  end
  return up, function() return y end
end

--- made
if M.make then local a, b = M.make($int) add(a) tab($n1).made = b end

--- made_box
local b = rawget(tab($n1), 'made') if b then print(show(b()[1])) end

--- wrap
local f = fun($n1) add(function(...) return 'wrapped', f(...) end)

--- deeper
local f = fun($n1) for i = 1, 5 do local g = f f = function() return i, g end end add(f)

--- call
local function shown(ok, ...)
  if ok then return show(...) end
  return (...)
end
print(shown(pcall(fun($n1), $value1)))

--- loop
local fs = {}
for i = 1, 3 do
  local j = i
  fs[i] = function()
    j = j + i
    return j, i
  end
end
add(fs[1])
add(fs[2])
tab($n1).third = fs[3]

--- third
local f = rawget(tab($n1), 'third') print(f and f())

--- recursive
local function f(n) if n <= 1 then return 1 end return n * f(n - 1) end add(f) print(f(10))

--- mutual
local odd
local function even(n)
  if n == 0 then
    return true
  end
  return odd(n - 1)
end
function odd(n)
  if n == 0 then
    return false
  end
  return even(n - 1)
end
M.even, M.odd = even, odd

--- mutually
if M.even then print(M.even(10), M.odd(10), M.even(7)) end

--- same
print(M.even == M.even, fun($n1) == fun($n2), M.functions[1] == fun(0))

--- varargs
local function f(...)
  local t = { ... }
  return function()
    return #t, t[1], table.unpack(t)
  end
end
add(f($value1, $int))

--- environment
local _ENV = { x = $int, print = print }
M.get_x = function()
  return x
end
M.set_x = function(v)
  x = v
end

--- in_environment
if M.get_x then M.set_x(M.get_x() + 1) print(M.get_x()) end

--- load
local e = setmetatable({ y = $int }, { __index = _G })
add(load('y = y + 1 return y, type(tostring)', '=loaded', 't', e))
add(e)

--- load_text
add(load('local a = ... return a, $int'))

--- goto
local i, f = 0
::again::
do
  local j = i
  f = function() return j, i end
end
i = i + 1
if i < 3 then goto again end
add(f)
print(f())

--- upvalue_box
local box = {} add(function(v) box = { v, box } return select('#', v), #box end)

--- upvalue_set
local f = fun($n1) print((debug.setupvalue(f, 1, $int)))

--- upvalue_join
local f, g = fun($n1), fun($n2)
if debug.getupvalue(f, 1) and debug.getupvalue(g, 1) then
  debug.upvaluejoin(f, 1, g, 1)
end

--- upvalue_self
local f f = function(n) if n == 0 then return f end return n end add(f) print(f(0) == f)

--- method
local t = tab($n1)
function t:$name(x)
  self.calls = (math.tointeger(self.calls) or 0) + 1
  return self.calls, x
end
print(pcall(t.$name, t, 5))

--- as_key
tab($n1)[fun($n2)] = $value1
tab($n1)[tab($n2)] = fun($n1)
print(show(tab($n1)[fun($n2)], tab($n1)[tab($n2)]))

--- coroutine
local t = tab($n1)
local co = coroutine.wrap(function() for i = 1, 3 do t.co = i coroutine.yield(t.co) end end)
print(co(), co(), t.co)

--- iterator
local t = list($n1)
local co = coroutine.wrap(function() for i, v in ipairs(t) do coroutine.yield(v) end end)
local s = 0
for v in co do
  s = s + v
end
print(s)

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
