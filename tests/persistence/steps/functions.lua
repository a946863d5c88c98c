-- Steps of random programs (../programs.py): functions and cells.
-- `$value1`, `$key2` and so on are replaced by random Lua expressions; what else they use is in
-- ../prelude.lua. A step ends up on one line.

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
